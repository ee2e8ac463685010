"""The words that are indexed, and which of them a query's term stands for. Pure; the same for both databases.

Words are indexed as printed (folded). A query's word stands for each form the plural rule leads back to it, so
an exact word and a prefix need no second index. Names become one word each, with letters that no word has.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from subscriptions.query import Term, names, tokenizer
from subscriptions.query.parser import publisher_name

LONGEST_WORD = 200
CATEGORY, SOURCE = "c", "s"
_SEPARATORS = {CATEGORY: ".", SOURCE: "-"}


@dataclass(frozen=True, slots=True)
class Words:
    """What is indexed of one paper: words in order (`authors` and `marks` stand in any)."""

    title: Sequence[str]
    abstract: Sequence[str]
    authors: Sequence[str]
    marks: Sequence[str]


@dataclass(frozen=True, slots=True)
class Form:
    """One indexed word, or (`prefix`) all that start so."""

    word: str
    prefix: bool = False


def of_paper(
    title: str, abstract: str, authors: Iterable[str], categories: Iterable[str], sources: Iterable[str]
) -> Words:
    marks = [mark(CATEGORY, publisher_name(name)) for name in categories]
    marks += [mark(SOURCE, publisher_name(slug)) for slug in sources]
    return Words(_cut(tokenizer.tokens(title)), _cut(tokenizer.tokens(abstract)), list(_people(authors)), marks)


def _cut(found: Iterable[str]) -> list[str]:
    return [word[:LONGEST_WORD] for word in found]


def _people(people: Iterable[str]) -> Iterator[str]:
    """By what each name is found: its words, each way to write its family name, and that with the first given name."""
    for name in people:
        person = names.natural(name)
        yield from _cut(sorted(names.words_of(person)))
        for given, family in names.readings(person):
            for one in sorted(family):
                yield _family(one)
                yield from (_key(one, first) for first in _first(given))


def _first(given: Sequence[str]) -> tuple[str, ...]:
    """The first given name, and all of them as one word: Fei Fei is Feifei."""
    return tuple(dict.fromkeys([given[0], "".join(given)])) if given else ()


def _family(family: str) -> str:
    """A family name that stands at the end of a name, as one word that no text holds."""
    return f"_{family.replace(' ', '_')}"[:LONGEST_WORD]


def _key(family: str, given: str) -> str:
    return f"{family.replace(' ', '_')[:LONGEST_WORD]}_{given[:LONGEST_WORD]}"


def mark(kind: str, name: str) -> str:
    """A category's or source's name as one word that no text holds; what starts alike stays alike."""
    return f"{kind}_{name[:LONGEST_WORD].encode().hex()}"


def word_forms(term: Term, at: int) -> tuple[Form, ...]:
    """What word number `at` of a title or abstract term stands for."""
    word = term.words[at][:LONGEST_WORD]
    if term.prefix and at == len(term.words) - 1:
        return (Form(word, prefix=True),)
    return (Form(word),) if term.exact else tuple(Form(form) for form in surfaces(word))


def surfaces(word: str) -> tuple[str, ...]:
    """Every word that the plural rule holds for the same as this one."""
    stem = tokenizer.stem(word)
    candidates = (stem, stem + "s", stem[:-1] + "ies")
    return tuple(dict.fromkeys(form for form in candidates if tokenizer.stem(form) == stem))


def mark_forms(term: Term) -> tuple[Form, ...]:
    """`cat:cs` stands for cs and every cs.LG; `cat:cs.*` for what starts so, and cs itself."""
    kind = CATEGORY if term.field == "cat" else SOURCE
    asked, separator = term.words[0], _SEPARATORS[kind]
    if not term.prefix:
        return Form(mark(kind, asked)), Form(mark(kind, asked + separator), prefix=True)
    starts = (Form(mark(kind, asked), prefix=True),)
    return (*starts, Form(mark(kind, asked[:-1]))) if asked.endswith(separator) else starts


def author_forms(term: Term) -> tuple[tuple[Form, ...], ...]:
    """What must all stand among a paper's authors: each group is a choice.

    Family name and first given name decide; further given names are not compared here (`names.same` does).
    """
    if term.prefix:
        before, starts = names.beginnings(term.words)
        return (
            *((Form(word),) for word in _cut(sorted(before))),
            tuple(Form(word, prefix=True) for word in _cut(starts)),
        )
    choice = [Form(word) for word in _cut(names.single(term.words))]
    for given, family in names.readings(term.words):
        for one in sorted(family):
            choice += _given(one, given) if given else [Form(_family(one))]
    for turned in names.rotations(term.words):
        for first, last in names.ends(turned):
            choice.append(Form(_key(last, first)))
    return (tuple(dict.fromkeys(choice)),)


def _given(family: str, given: Sequence[str]) -> list[Form]:
    """A family name with the first given name or its initial; an initial stands for any name that it starts."""
    first = given[0]
    if len(first) == 1:
        return [Form(_key(family, first), prefix=True)]
    return [Form(_key(family, name)) for name in (*_first(given), first[0])]
