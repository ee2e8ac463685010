"""A query's tree as an FTS5 expression (https://sqlite.org/fts5.html#full_text_query_syntax). Pure.

FTS5 has no NOT of its own, only `this NOT that`, so negations are carried up until something stands before them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product

from digest.search import forms
from digest.search.forms import Form, Words
from subscriptions.query import And, Node, Not, Term
from subscriptions.query.tree import NAME_FIELDS

COLUMNS = {"": "{title abstract}", "title": "title", "abstract": "abstract", "author": "authors"}
MOST_PHRASES = 64
WINDOW = 4


@dataclass(frozen=True, slots=True)
class _Part:
    """An expression; `negated`: what it does not find is meant."""

    text: str
    negated: bool = False


def expression(tree: Node) -> str:
    """The tree must ask for something (`query.parse` sees to it)."""
    part = _part(tree)
    if part.negated:
        raise ValueError("a query that only leaves out has no expression")
    return part.text


def any_word(found: Iterable[str], field: str = "") -> str:
    """Any form of any of the words, in title or abstract, or in the title."""
    choice = [Form(form) for word in found for form in forms.surfaces(word)]
    return f"{COLUMNS[field]} : {_choice(choice)}"


def columns(of: Words) -> tuple[str, str, str, str]:
    """The row's four texts; `tokens` of the index cut them at the spaces."""
    return " ".join(of.title), " ".join(of.abstract), " ".join(of.authors), " ".join(of.marks)


def _part(node: Node) -> _Part:
    if isinstance(node, Term):
        return _Part(_term(node))
    if isinstance(node, Not):
        inner = _part(node.part)
        return _Part(inner.text, not inner.negated)
    parts = [_part(part) for part in node.parts]
    meant = [part.text for part in parts if not part.negated]
    against = [part.text for part in parts if part.negated]
    if isinstance(node, And):
        return _every(meant, against)
    return _either(meant, against)


def _every(meant: list[str], against: list[str]) -> _Part:
    if not meant:
        return _Part(_joined(against, "OR"), negated=True)
    text = _joined(meant, "AND")
    return _Part(f"({text} NOT {_joined(against, 'OR')})" if against else text)


def _either(meant: list[str], against: list[str]) -> _Part:
    """`a OR NOT b` is NOT (b AND NOT a)."""
    if not against:
        return _Part(_joined(meant, "OR"))
    text = _joined(against, "AND")
    return _Part(f"({text} NOT {_joined(meant, 'OR')})" if meant else text, negated=True)


def _joined(parts: Sequence[str], operator: str) -> str:
    return parts[0] if len(parts) == 1 else "(" + f" {operator} ".join(parts) + ")"


def _term(term: Term) -> str:
    if term.field in NAME_FIELDS:
        return f"marks : {_choice(forms.mark_forms(term))}"
    column = COLUMNS[term.field]
    if term.field == "author":
        return f"{column} : {_joined([_choice(group) for group in forms.author_forms(term)], 'AND')}"
    return f"{column} : {_phrase([forms.word_forms(term, at) for at in range(len(term.words))])}"


def _phrase(places: Sequence[tuple[Form, ...]]) -> str:
    """Words side by side. A long phrase with many plurals is asked for in overlapping runs of `WINDOW` words."""
    count = 1
    for choice in places:
        count *= len(choice)
    if count <= MOST_PHRASES or len(places) <= WINDOW:
        return _joined([_run(run) for run in product(*places)], "OR")
    runs = [places[at : at + WINDOW] for at in range(len(places) - WINDOW + 1)]
    return _joined([_phrase(run) for run in runs], "AND")


def _run(run: Sequence[Form]) -> str:
    text = '"' + " ".join(form.word for form in run) + '"'
    return text + " *" if run[-1].prefix else text


def _choice(choice: Sequence[Form]) -> str:
    return _joined([_run([form]) for form in choice], "OR")
