"""What a query means: terms joined by AND, OR and NOT, always in one normal order so that equal queries are equal."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

from subscriptions.query import tokenizer

TEXT_FIELDS = ("", "title", "abstract")
NAME_FIELDS = ("cat", "source")
FIELDS = ("title", "abstract", "author", "cat", "source")
DASHES = "-\u2010\u2011\u2012\u2013\u2014\u2212"
NOTS = f"{DASHES}!\uff01"  # what stands before a word to leave it out


@dataclass(frozen=True, slots=True)
class Term:
    """One word, or several that stand side by side. `words` are folded (`words.tokens`).

    `field` "" means title or abstract; `exact` turns the plural rule off; `prefix` lets the last word go on.
    In `cat` and `source` there is one word: the publisher's name in lower case. In `author` they are a name (`names`).
    """

    words: tuple[str, ...]
    field: str = ""
    exact: bool = False
    prefix: bool = False


@dataclass(frozen=True, slots=True)
class And:
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    part: Node


Node: TypeAlias = Term | And | Or | Not


def all_of(parts: Iterable[Node]) -> Node:
    """The parts joined by AND: flat, each once, in normal order."""
    flat = _normal(parts, And)
    return flat[0] if len(flat) == 1 else And(flat)


def any_of(parts: Iterable[Node]) -> Node:
    """The parts joined by OR: flat, each once, in normal order."""
    flat = _normal(parts, Or)
    return flat[0] if len(flat) == 1 else Or(flat)


def negated(part: Node) -> Node:
    return part.part if isinstance(part, Not) else Not(part)


def _normal(parts: Iterable[Node], kind: type[And] | type[Or]) -> tuple[Node, ...]:
    flat: dict[Node, None] = {}
    for part in parts:
        inner = part.parts if isinstance(part, kind) else (part,)
        flat.update(dict.fromkeys(inner))
    return tuple(sorted(flat, key=lambda node: (isinstance(node, Not), format(node))))


def format(node: Node) -> str:
    """The query as text; `parse` reads it back into the same tree."""
    if isinstance(node, Term):
        return _term(node)
    if isinstance(node, Not):
        return "-" + _bracketed(node.part, (And, Or))
    if isinstance(node, And):
        return " ".join(_bracketed(part, (Or,)) for part in node.parts)
    return " OR ".join(format(part) for part in node.parts)


def _bracketed(node: Node, kinds: tuple[type, ...]) -> str:
    return f"({format(node)})" if isinstance(node, kinds) else format(node)


_bare_name = re.compile(rf'(?![{NOTS}])(?:(?!&&|\|\|)[^\s()":*=])+')


def _term(term: Term) -> str:
    lead = (f"{term.field}:" if term.field else "") + ("=" if term.exact else "")
    star = "*" if term.prefix else ""
    if term.field in NAME_FIELDS:
        name = term.words[0]
        return f"{lead}{name}{star}" if _bare_name.fullmatch(name) else f'{lead}"{name}{star}"'
    if len(term.words) == 1:
        return f"{lead}{term.words[0]}{star}"
    return f'{lead}"{_spaced(term.words)}{star}"'


def _spaced(parts: tuple[str, ...]) -> str:
    """Words with spaces between, but not between two characters of a script that has none."""
    text = parts[0]
    for before, word in pairwise(parts):
        text += word if tokenizer.is_cjk(before) and tokenizer.is_cjk(word) else f" {word}"
    return text


def terms(node: Node) -> Iterator[Term]:
    """Every term of the tree, negated or not."""
    if isinstance(node, Term):
        yield node
    elif isinstance(node, Not):
        yield from terms(node.part)
    else:
        for part in node.parts:
            yield from terms(part)


def positive_terms(node: Node) -> Iterator[Term]:
    """The terms that ask for something: what may explain a match."""
    if isinstance(node, Term):
        yield node
    elif not isinstance(node, Not):
        for part in node.parts:
            yield from positive_terms(part)


def is_positive(node: Node) -> bool:
    """Whether the query asks for something: an empty paper never matches it."""
    if isinstance(node, Term):
        return True
    if isinstance(node, And):
        return any(is_positive(part) for part in node.parts)
    return isinstance(node, Or) and all(is_positive(part) for part in node.parts)
