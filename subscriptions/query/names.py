"""How people's names are read: `Bengio, Yoshua`, `Bengio Y` and `Yoshua Bengio` are one order, given names first."""

from __future__ import annotations

from subscriptions.query import tokenizer

_SUFFIXES = {"jr", "sr", "ii", "iii", "iv"}


def natural(name: str) -> tuple[str, ...]:
    """The words of a name with the family name last, without Jr. and the like."""
    family, comma, given = name.partition(",")
    if comma and set(tokenizer.tokens(given)) <= _SUFFIXES:
        family, comma = name, ""
    parts = tokenizer.tokens(given) + tokenizer.tokens(family) if comma else tokenizer.tokens(name)
    while len(parts) > 2 and parts[-1] in _SUFFIXES:
        parts.pop()
    return _initials_first(parts)


def _initials_first(parts: list[str]) -> tuple[str, ...]:
    """`bengio y` (as medical indexes print it) becomes `y bengio`."""
    last = len(parts)
    while last and len(parts[last - 1]) == 1 and not tokenizer.is_cjk(parts[last - 1]):
        last -= 1
    return (*parts[last:], *parts[:last]) if last and len(parts[0]) > 1 else tuple(parts)


def same(asked: tuple[str, ...], printed: tuple[str, ...]) -> bool:
    """Whether a printed name may be the person asked for; both in natural order.

    Family names are equal; given names agree in order, an initial standing for any name it starts; either
    side may leave out middle names. One word alone matches any part. Family first is taken if all is spelled out.
    """
    if len(asked) == 1:
        return asked[0] in printed
    if len(printed) < 2:
        return False
    if asked[-1] == printed[-1] and _given(asked[:-1], printed[:-1]):
        return True
    turned = (*asked[1:], asked[0])
    return turned == printed and all(len(word) > 1 for word in turned)


def _given(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    if not _agree(one[0], other[0]):
        return False
    fewer, more = (one, other) if len(one) <= len(other) else (other, one)
    rest = iter(more)
    return all(any(_agree(name, candidate) for candidate in rest) for name in fewer)


def _agree(one: str, other: str) -> bool:
    return one == other or (1 in (len(one), len(other)) and one[0] == other[0])
