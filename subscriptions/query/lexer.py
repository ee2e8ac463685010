"""A query's characters, cut into marks with their columns."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches

from subscriptions.query.errors import ProseError, QueryError
from subscriptions.query.tree import DASHES, FIELDS, NOTS

OPEN, CLOSE, AND, OR, NOT, EXACT, FIELD, QUOTED, WORD, END = [
    "open",
    "close",
    "and",
    "or",
    "not",
    "exact",
    "field",
    "quoted",
    "word",
    "end",
]
# As other search boxes write them, && and || need no space beside them; a single & or | is punctuation.
_OPERATORS = {"AND": AND, "OR": OR, "NOT": NOT, "&&": AND, "||": OR}
QUOTES = '"\u201c\u201d\u201e\u00ab\u00bb\u300c\u300d\uff02'
_word = re.compile(f"&&|\\|\\||(?:(?!&&|\\|\\|)[^\\s(){QUOTES}])+")
_field = re.compile(r"([A-Za-z]+):")


@dataclass(frozen=True, slots=True)
class Mark:
    kind: str
    text: str
    column: int


def marks(text: str) -> list[Mark]:
    """The marks of a query, ending with an END. Raises QueryError for what can never be read."""
    found: list[Mark] = []
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        mark, at = _next(text, at)
        found.append(mark)
    return [*found, Mark(END, "", len(text) + 1)]


def _next(text: str, at: int) -> tuple[Mark, int]:
    sign = text[at]
    if sign in "()":
        return Mark(OPEN if sign == "(" else CLOSE, sign, at + 1), at + 1
    if sign in QUOTES:
        return _quoted(text, at)
    if sign == "=":
        return Mark(EXACT, sign, at + 1), at + 1
    if sign in NOTS:
        return _not(text, at)
    field = _field.match(text, at)
    if field:
        return _scoped(field, at)
    word = _word.match(text, at)
    assert word is not None, "every other character starts a word"  # noqa: S101
    return Mark(_OPERATORS.get(word[0], WORD), word[0], at + 1), word.end()


def _quoted(text: str, at: int) -> tuple[Mark, int]:
    for end in range(at + 1, len(text)):
        if text[end] in QUOTES:
            return Mark(QUOTED, text[at + 1 : end], at + 1), end + 1
    raise QueryError('This quotation mark is never closed. Add a second " at the end of the phrase.', at + 1)


def _not(text: str, at: int) -> tuple[Mark, int]:
    if at + 1 == len(text) or text[at + 1].isspace() or text[at + 1] == ")":
        sign = "minus sign" if text[at] in DASHES else text[at]
        raise ProseError(f"A {sign} must touch the word it leaves out, as in -survey.", at + 1)
    return Mark(NOT, text[at], at + 1), at + 1


def _scoped(field: re.Match[str], at: int) -> tuple[Mark, int]:
    name = field[1].lower()
    if name not in FIELDS:
        raise _no_field(field, at)
    return Mark(FIELD, name, at + 1), field.end()


def _no_field(field: re.Match[str], at: int) -> QueryError:
    """A name much like a field's is a slip; else a colon that touches nothing may be a title's."""
    meant = _similar(field[1].lower())
    message = (
        f"There is no field {field[1]}: here. {f'Did you mean {meant}:? ' if meant else ''}"
        f"The fields are {', '.join(f'{one}:' for one in FIELDS)}; "
        "to look for these words themselves, put them in quotation marks."
    )
    touches = field.end() < len(field.string) and not field.string[field.end()].isspace()
    return (QueryError if meant or touches else ProseError)(message, at + 1)


def _similar(name: str) -> str:
    """The field whose name begins alike and differs by a letter or so (too short a name is like too much), or ""."""
    alike = [field for field in FIELDS if len(field) > 3 and field[0] == name[0]]
    return next(iter(get_close_matches(name, alike, 1, 0.8)), "")
