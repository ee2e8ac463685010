"""Marks into a tree: AND binds tighter than OR, NOT tightest. Every refusal says what to do, and where."""

from __future__ import annotations

import re

from subscriptions.query import lexer, names, tokenizer
from subscriptions.query.errors import ProseError, QueryError
from subscriptions.query.lexer import Mark
from subscriptions.query.tree import NAME_FIELDS, And, Node, Not, Term, all_of, any_of, format, is_positive, negated

LONGEST = 500
MOST_TERMS = 100
DEEPEST = 8
SHORTEST_PREFIX = 3
LONGEST_CANONICAL = 2000
_OPERANDS = {lexer.OPEN, lexer.NOT, lexer.EXACT, lexer.FIELD, lexer.QUOTED, lexer.WORD}


def parse(text: str, longest: int = LONGEST) -> Node:
    """The tree of a query. Raises QueryError; nothing in the text is ever dropped without a word.

    `longest` is in characters; canonical texts that were stored may be longer than what may be typed.
    """
    tree = _parse(text, longest)
    if not is_positive(tree):
        raise QueryError("This only says what to leave out. Add at least one word that you do want to see.", 1)
    return tree


def left_out(text: str) -> str:
    """What a query that only leaves out leaves out, as a query: `-survey -review` -> `review OR survey`; "" for others.

    Raises QueryError.
    """
    tree = _parse(text, LONGEST)
    parts = tree.parts if isinstance(tree, And) else (tree,)
    unwanted = [part.part for part in parts if isinstance(part, Not) and is_positive(part.part)]
    return format(any_of(unwanted)) if len(unwanted) == len(parts) else ""


def _parse(text: str, longest: int) -> Node:
    if len(text) > longest:
        raise QueryError(f"This is {len(text)} characters long; the most is {longest}. Split it in two.", longest + 1)
    return _Parser(lexer.marks(text)).whole()


def canonical(text: str) -> str:
    """The one way to write this query: equal queries give equal texts. Raises QueryError."""
    written = format(parse(text, LONGEST_CANONICAL if len(text) <= LONGEST else LONGEST))
    if len(written) > LONGEST_CANONICAL:
        raise QueryError("This is too long once written out. Split it in two.", 1)
    return written


class _Parser:
    def __init__(self, marks: list[Mark]) -> None:
        self.marks = marks
        self.at = 0
        self.terms = 0

    @property
    def here(self) -> Mark:
        return self.marks[self.at]

    def take(self) -> Mark:
        mark = self.here
        self.at += 1
        return mark

    def whole(self) -> Node:
        if self.here.kind == lexer.END:
            raise QueryError("Write at least one word, such as: protein folding", 1)
        tree = self.either("", 0)
        if self.here.kind == lexer.CLOSE:
            raise QueryError("This closing parenthesis has no opening one before it.", self.here.column)
        return tree

    def either(self, field: str, depth: int) -> Node:
        parts = [self.every(field, depth)]
        while self.here.kind == lexer.OR:
            self.take()
            parts.append(self.every(field, depth))
        return any_of(parts)

    def every(self, field: str, depth: int) -> Node:
        parts = [self.operand(field, depth)]
        while self.here.kind == lexer.AND or self.here.kind in _OPERANDS:
            if self.here.kind == lexer.AND:
                self.take()
            parts.append(self.operand(field, depth))
        return all_of(parts)

    def operand(self, field: str, depth: int) -> Node:
        mark = self.here
        if depth == DEEPEST and mark.kind in {lexer.OPEN, lexer.NOT}:
            raise QueryError(f"This is nested more than {DEEPEST} deep. Split it in two.", mark.column)
        if mark.kind not in _OPERANDS:
            raise _missing(self.marks[self.at - 1] if self.at else None, mark)
        self.take()
        if mark.kind == lexer.NOT:
            return negated(self.operand(field, depth + 1))
        if mark.kind == lexer.OPEN:
            return self.group(field, depth, mark)
        if mark.kind == lexer.FIELD:
            return self.scoped(field, depth, mark)
        return self.exact(field, mark) if mark.kind == lexer.EXACT else self.term(field, mark)

    def group(self, field: str, depth: int, opening: Mark) -> Node:
        tree = self.either(field, depth + 1)
        if self.here.kind != lexer.CLOSE:
            raise QueryError("This parenthesis is never closed. Add a ) where the group ends.", opening.column)
        self.take()
        return tree

    def scoped(self, field: str, depth: int, mark: Mark) -> Node:
        name, value = mark.text, self.here
        if field:
            raise QueryError(f"{name}: stands inside {field}: here. Write them side by side instead.", mark.column)
        touches = value.column == mark.column + len(name) + 1
        if not touches or value.kind not in {lexer.OPEN, lexer.QUOTED, lexer.WORD, lexer.EXACT}:
            raise QueryError(
                f'Write what {name}: should hold right after the colon: {name}:word, {name}:"two words" or '
                f"{name}:(one OR another).",
                mark.column,
            )
        return self.operand(name, depth)

    def exact(self, field: str, mark: Mark) -> Term:
        value = self.here
        if value.kind not in {lexer.QUOTED, lexer.WORD} or value.column != mark.column + 1:
            raise QueryError(
                'An = must touch the word or phrase it holds exact, as in =network or ="news".', mark.column
            )
        if field == "author" or field in NAME_FIELDS:
            raise QueryError(f"{field}: is always exact. Leave out the = sign.", mark.column)
        self.take()
        term = self.term(field, value)
        if term.prefix:
            raise QueryError("A word is either exact (=) or open at its end (*). Leave out one of them.", mark.column)
        return Term(term.words, term.field, exact=True)

    def term(self, field: str, mark: Mark) -> Term:
        text, prefix = _without_star(mark)
        found = _names(field, text) if field in NAME_FIELDS else _words(field, text)
        if not found:
            raise _wordless(mark)
        if prefix and field not in NAME_FIELDS:
            _check_prefix(found[-1], mark)
        self.terms += len(found)
        if self.terms > MOST_TERMS:
            raise QueryError(f"This has more than {MOST_TERMS} words. Split it in two.", mark.column)
        return Term(found, field, prefix=prefix)


_star_inside = re.compile(r"\*(?=[^\W_])")


def _without_star(mark: Mark) -> tuple[str, bool]:
    text = mark.text.rstrip()
    prefix = text.endswith("*")
    text = text[:-1] if prefix else text
    star = text.find("*") if text.endswith("*") else next((hit.start() for hit in _star_inside.finditer(text)), -1)
    if star >= 0:
        shift = 1 if mark.kind == lexer.QUOTED else 0
        raise QueryError("A star can only stand at the end of a word, as in diffus*.", mark.column + shift + star)
    return text, prefix


def _words(field: str, text: str) -> tuple[str, ...]:
    return names.asked(text) if field == "author" else tuple(tokenizer.tokens(text))


def _names(field: str, text: str) -> tuple[str, ...]:
    """A publisher's name for a category or source: one word in lower case, underscores as spaces."""
    name = publisher_name(text)
    return (name,) if any(letter.isalnum() for letter in name) else ()


def publisher_name(text: str) -> str:
    """`cs.LG` -> `cs.lg`, `cell_biology` -> `cell biology`: how categories and sources are compared."""
    return " ".join(tokenizer.fold(text).replace("_", " ").replace('"', " ").split())


def _check_prefix(last: str, mark: Mark) -> None:
    if tokenizer.is_cjk(last):
        raise QueryError("Leave out the star: these characters are found inside longer words anyway.", mark.column)
    if len(last) < SHORTEST_PREFIX:
        raise QueryError(f"Write at least {SHORTEST_PREFIX} letters before the star.", mark.column)


def _wordless(mark: Mark) -> QueryError:
    if not mark.text.strip():
        return QueryError("Nothing stands between these quotation marks. Write a phrase, or delete them.", mark.column)
    return ProseError(f"There is no letter or digit to look for in “{mark.text}”. Leave it out.", mark.column)


def _missing(before: Mark | None, here: Mark) -> QueryError:
    if before is not None and before.kind in {lexer.AND, lexer.OR, lexer.NOT}:
        return QueryError(f"{before.text} needs a word after it.{_as_word(before)}", before.column)
    if here.kind in {lexer.AND, lexer.OR}:
        return QueryError(f"{here.text} needs a word before it.{_as_word(here)}", here.column)
    if before is not None and before.kind == lexer.OPEN:
        return QueryError("There is nothing in these parentheses.", before.column)
    return QueryError("This closing parenthesis has no opening one before it.", here.column)


def _as_word(operator: Mark) -> str:
    return " (As a plain word, write it small.)" if operator.text.isalpha() else ""
