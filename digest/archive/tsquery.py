"""A query's tree as a PostgreSQL tsquery, and a paper's words as a tsvector, both written out. Pure.

Labels: A title, B abstract, C authors, D marks (https://www.postgresql.org/docs/15/datatype-textsearch.html).
Written out, because PostgreSQL's own parser would cut `c++` and join `e-5`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from digest.archive import forms
from digest.archive.forms import Form, Words
from subscriptions.query import And, Node, Not, Term
from subscriptions.query.tree import NAME_FIELDS

LABELS = {"": "AB", "title": "A", "abstract": "B", "author": "C"}
GAP = 10
LAST_POSITION = 16_383
MOST_POSITIONS = 250


def expression(tree: Node) -> str:
    if isinstance(tree, Term):
        return _term(tree)
    if isinstance(tree, Not):
        return "!" + expression(tree.part)
    return _joined([expression(part) for part in tree.parts], "&" if isinstance(tree, And) else "|")


def any_word(found: Iterable[str], labels: str = "AB") -> str:
    """Any form of any of the words, in title or abstract."""
    return _choice([Form(form) for word in found for form in forms.surfaces(word)], labels)


def vector(of: Words) -> str:
    """The paper's words with their places; a gap keeps phrases from running out of the title."""
    places: defaultdict[str, list[str]] = defaultdict(list)
    start = 1
    for label, text in (("A", of.title), ("B", of.abstract), ("C", of.authors), ("D", of.marks)):
        for at, word in enumerate(text, start):
            if at <= LAST_POSITION and len(places[word]) < MOST_POSITIONS:
                places[word].append(f"{at}{label}")
        start += len(text) + GAP
    return " ".join(f"{_quoted(word)}:{','.join(where)}" for word, where in places.items() if where)


def _joined(parts: Sequence[str], operator: str) -> str:
    return parts[0] if len(parts) == 1 else "(" + f" {operator} ".join(parts) + ")"


def _term(term: Term) -> str:
    if term.field in NAME_FIELDS:
        return _choice(forms.mark_forms(term), "D")
    labels = LABELS[term.field]
    if term.field == "author":
        return _joined([_choice(group, labels) for group in forms.author_forms(term)], "&")
    return _joined([_choice(forms.word_forms(term, at), labels) for at in range(len(term.words))], "<->")


def _choice(choice: Sequence[Form], labels: str) -> str:
    return _joined([f"{_quoted(form.word)}:{'*' if form.prefix else ''}{labels}" for form in choice], "|")


def _quoted(word: str) -> str:
    return "'" + word.replace("\\", "\\\\").replace("'", "''") + "'"
