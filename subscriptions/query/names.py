"""How people's names are read and compared: `Bengio, Yoshua`, `Bengio Y` and `Yoshua Bengio` are one person.

A name is a tuple of words, given names first, folded (`words.tokens`). What a hyphen or an apostrophe joins is one
word with a hyphen in it (`o-brien`, `al-rfou`), and so is a family name of several words that a comma tells from the
given names (`van der Maaten, Laurens` is `laurens`, `van-der-maaten`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

from subscriptions.query import tokenizer

Name = tuple[str, ...]

LONGEST_FAMILY = 6  # words
ANY = "*"  # in place of an initial: a word anywhere in a name
_SUFFIXES = {"jr", "sr", "ii", "iii", "iv"}
# Words before a family name that belong to it, however they are spaced: Le Cun is LeCun.
_particle = re.compile(
    "a[lfv]|d|da|das|de|degli|dei|della?|den|der|des|di|do|dos|du|el|ibn|las?|le|los?|mac|mc|o|santa|san|st|ten?|ter"
    "|van|vande|vander|ver|vo[mn]|zu|zu[mr]"
)
_joint = re.compile("(?<=[^\\W\\d_])[-\u2010\u2011\u2013'\u2019\u02bc\u02bb\u2032`\u00b4](?=[^\\W\\d_])")
# Umlauts and Nordic letters as they are spelled out (Mueller, Soerensen, Haakon), but no Xue, Yue, Jue, Chae or Bae.
_consonant = "(?=[b-df-hj-np-tv-xz])"
_spelled_out = re.compile(f"(?<=o)e|(?<=a)a|(?<=a)e{_consonant}|(?<![jqxy]u)(?<=u)e{_consonant}|(?<=ju)e(?=r)")


def natural(name: str) -> Name:
    """The words of a name with the family name last, without Jr. and the like."""
    family, comma, given = name.replace("{'}", "'").partition(",")
    if not comma or set(tokenizer.tokens(given)) <= _SUFFIXES:
        return _ordered(_units(f"{family} {given}"))
    last = _without_suffix(_units(family), 1)
    joined = "-".join(last)
    if all(map(_joins, last, last[1:])) and len("".join(joined.split("-")[:2])) > 2:
        last = [joined]
    return _ordered(_units(given) + last)


def asked(text: str) -> Name:
    """A name that is asked for: hyphens in given names make no difference, and are left out of the canonical text."""
    *given, family = natural(text) or ("",)
    words_of_given = [unit.split("-") if not _has_initial(unit) else [unit] for unit in given]
    return (*chain.from_iterable(words_of_given), *filter(None, [family]))


def _has_initial(unit: str) -> bool:
    return any(len(word) == 1 for word in unit.split("-"))


def _units(text: str) -> list[str]:
    """The words of a text; those that a hyphen or an apostrophe joins are one, but for initials (J-P is j, p)."""
    if not _joint.search(text):
        return tokenizer.tokens(text)
    units: list[str] = []
    for number, piece in enumerate(_joint.split(text)):
        found = tokenizer.tokens(piece)
        if number and units and found and _joins(units[-1], found[0]) and len(units[-1] + found[0]) > 2:
            units[-1] += f"-{found.pop(0)}"
        units += found
    return units


def _joins(before: str, after: str) -> bool:
    """Whether a hyphen between two words is read as one again."""
    ends = before[-1], after[0]
    return all(one.isalpha() and not tokenizer.is_cjk(one) for one in ends)


def _ordered(parts: list[str]) -> Name:
    return tuple(_without_suffix(_initials_first(_without_suffix(parts, 2)), 2))


def _without_suffix(parts: list[str], fewest: int) -> list[str]:
    while parts and parts[-1] in _SUFFIXES and "-".join(parts).count("-") >= fewest:
        parts.pop()
    return parts


def _initials_first(parts: list[str]) -> list[str]:
    """`bengio y` (as medical indexes print it) becomes `y bengio`."""
    last = len(parts)
    while last and _is_initial(parts[last - 1]):
        last -= 1
    return [*parts[last:], *parts[:last]] if last and len(parts[0]) > 1 else parts


def _is_initial(word: str) -> bool:
    return len(word) == 1 and not tokenizer.is_cjk(word)


def same(asked: Name, printed: Name) -> bool:
    """Whether a printed name may be the person asked for.

    Family names are equal; given names agree in order, an initial standing for any name it starts; either side may
    leave out middle names. Without a given name the end of the printed name is enough, and of one word alone any part.
    Family first is taken if all is spelled out.
    """
    if not parts(printed).isdisjoint(single(asked)):
        return True
    for wanted in readings(asked):
        for found in readings(printed):
            if not wanted.family.isdisjoint(found.family) and _is_given(wanted.given, found.given):
                return True
    return any(_same_words(turned, printed) for turned in rotations(asked))


class Reading(NamedTuple):
    """One way to tell a name's given names from its family name; `family` holds the ways to write that, folded.

    Words are as `key` gives them; a family name's are spaced or, where they belong together, joined.
    """

    given: Name
    family: frozenset[str]


@lru_cache(maxsize=20_000)
def readings(name: Name) -> tuple[Reading, ...]:
    """Every way to read a name; a family name never starts with an initial."""
    return tuple(_readings(name))


def _readings(name: Name) -> Iterator[Reading]:
    for at in range(max(0, len(name) - LONGEST_FAMILY), len(name)):
        run = name[at:]
        if len(run) == 1 or not _is_initial(run[0]):
            yield Reading(flat(name[:at]), _family(run))
    whole = flat(name)
    for many in range(1, min(LONGEST_FAMILY, len(flat(name[-1:])))):
        yield Reading(whole[:-many], frozenset({" ".join(whole[-many:])}))


def _family(run: Name) -> frozenset[str]:
    spaced = flat(run)
    is_close = len(run) == 1 or bool(_particle.fullmatch(run[0]))
    return frozenset({" ".join(spaced), "".join(spaced)} if is_close else {" ".join(spaced)})


def flat(name: Name) -> Name:
    """Every word of a name apart, as `key` gives it."""
    return tuple(key(word) for unit in name for word in unit.split("-"))


def key(word: str) -> str:
    """A word of a name so that its transliterations are equal: mueller, muller (and Müller, folded) are muller."""
    return _spelled_out.sub("", word)


@lru_cache(maxsize=20_000)
def parts(name: Name) -> frozenset[str]:
    """Every single word, without hyphens, that stands for a part of this name."""
    close = {one for reading in readings(name) for one in reading.family if " " not in one}
    return frozenset({*flat(name), *_closed(name), *close})


def single(asked: Name) -> tuple[str, ...]:
    """The one word that is asked for, without hyphens, if it is one: it may stand for any part of a name."""
    return tuple(_closed(asked)) if len(asked) == 1 else ()


def printed_under(name: Name) -> set[tuple[str, str]]:
    """Where an index holds a printed name: each family name with the given name's initial and without, and its parts.

    `asked_under` tells where to look: nobody is missed there, and `same` decides.
    """
    under = {(one, initial) for given, family in readings(name) for one in family for initial in ("", *_initial(given))}
    return under | {(part, ANY) for part in parts(name)}


def asked_under(name: Name) -> set[tuple[str, str]]:
    """Where an index holds the people that may be the one asked for."""
    under = {(word, ANY) for word in single(name)}
    for order in (name, *rotations(name)):
        for given, family in readings(order):
            under |= {(one, "".join(_initial(given))) for one in family}
    return under


def _initial(given: Name) -> tuple[str, ...]:
    return (given[0][0],) if given else ()


def words_of(name: Name) -> frozenset[str]:
    """By what a name is found: its parts, and its words as printed, for those that a star leaves open."""
    return parts(name) | {word for unit in name for word in unit.split("-")}


def beginnings(asked: Name) -> tuple[frozenset[str], tuple[str, ...]]:
    """Of a name that ends in a star: the words that must all be there, and how the last one may begin."""
    *before, last = [word for unit in asked for word in unit.split("-")]
    return frozenset(map(key, before)), tuple(dict.fromkeys([last, key(last)]))


def rotations(name: Name) -> list[Name]:
    """The other orders of a name that spells out every word: its last words may be the given names."""
    if any(_is_initial(word) for word in name):
        return []
    return [(*name[at:], *name[:at]) for at in range(1, len(name))]


def ends(name: Name) -> tuple[tuple[str, str], ...]:
    """The first and the last word of a name, with and without what hyphens join."""
    apart, closed = flat(name), _closed(name)
    return tuple(dict.fromkeys([(apart[0], apart[-1]), (closed[0], closed[-1])]))


def _same_words(one: Name, other: Name) -> bool:
    return flat(one) == flat(other) or _closed(one) == _closed(other)


def _closed(name: Name) -> list[str]:
    """The words of a name, each without its hyphens."""
    return ["".join(flat((unit,))) for unit in name]


def _is_given(asked: Name, printed: Name) -> bool:
    """Whether the given names agree; to ask for none is to ask for anybody of the family name."""
    if not asked or not printed:
        return not asked
    return "".join(asked) == "".join(printed) or (_agree(asked[0], printed[0]) and _in_order(asked, printed))


def _in_order(one: Sequence[str], other: Sequence[str]) -> bool:
    fewer, more = (one, other) if len(one) <= len(other) else (other, one)
    rest = iter(more)
    return all(any(_agree(name, candidate) for candidate in rest) for name in fewer)


def _agree(one: str, other: str) -> bool:
    return one == other or (1 in (len(one), len(other)) and one[0] == other[0])
