"""A query's tree as a PostgreSQL tsquery, and a paper's words as a tsvector, both written out. Pure.

Written out, because PostgreSQL's own parser would cut `c++` and join `e-5`. A GIN index does not know labels
(https://www.postgresql.org/docs/15/textsearch-indexes.html), and looking them up means reading every vector.
So a title's words stand there twice, as `word` and as `t_word`, and an author's as `a_word`; only `abstract:`
asks for a label. Label A is the title, B the abstract: for ranking.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from digest.search import forms
from digest.search.forms import Form, Words
from subscriptions.query import And, Node, Not, Term
from subscriptions.query.tree import NAME_FIELDS

LEADS = {"": "", "title": "t_", "abstract": "", "author": "a_"}
LABELS = {"abstract": "B"}
GAP = 10
LAST_POSITION = 16_383
MOST_POSITIONS = 250


def expression(tree: Node) -> str:
    if isinstance(tree, Term):
        return _term(tree)
    if isinstance(tree, Not):
        return "!" + expression(tree.part)
    operator = "&" if isinstance(tree, And) else "|"
    return _joined([expression(part) for part in tree.parts], operator)


def any_word(found: Iterable[str], field: str = "") -> str:
    """Any form of any of the words, in title or abstract, or in the title."""
    return _choice([Form(form) for word in found for form in forms.surfaces(word)], field)


def vector(of: Words) -> str:
    """The paper's words with their places; a gap keeps phrases from running out of the title."""
    places: defaultdict[str, list[str]] = defaultdict(list)
    start = 1
    parts = (("A", "t_", of.title), ("B", "", of.abstract), ("C", "a_", of.authors), ("D", "", of.marks))
    for label, lead, text in parts:
        for at, word in enumerate(text, start):
            for form in {word, lead + word} if label == "A" else {lead + word}:
                if at <= LAST_POSITION and len(places[form]) < MOST_POSITIONS:
                    places[form].append(f"{at}{label}")
        start += len(text) + GAP
    return " ".join(f"{_quoted(word)}:{','.join(where)}" for word, where in places.items() if where)


def _joined(parts: Sequence[str], operator: str) -> str:
    return parts[0] if len(parts) == 1 else "(" + f" {operator} ".join(parts) + ")"


def _term(term: Term) -> str:
    if term.field in NAME_FIELDS:
        return _choice(forms.mark_forms(term), "")
    if term.field == "author":
        return _joined([_choice(group, term.field) for group in forms.author_forms(term)], "&")
    return _joined([_choice(forms.word_forms(term, at), term.field) for at in range(len(term.words))], "<->")


def _choice(choice: Sequence[Form], field: str) -> str:
    return _joined([_form(LEADS[field] + form.word, form.prefix, LABELS.get(field, "")) for form in choice], "|")


def _form(word: str, prefix: bool, label: str) -> str:
    mark = ("*" if prefix else "") + label
    return f"{_quoted(word)}:{mark}" if mark else _quoted(word)


def _quoted(word: str) -> str:
    return "'" + word.replace("\\", "\\\\").replace("'", "''") + "'"
