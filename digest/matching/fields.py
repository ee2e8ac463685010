"""Who wrote each paper of an index, under which categories, and which sources announced it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property
from typing import Generic, TypeVar

from subscriptions.query import Term, names
from subscriptions.query.names import Name
from subscriptions.query.parser import publisher_name

Key = TypeVar("Key", str, Name)


class _Field(Generic[Key]):
    """Names in comparable form: as printed first, and the papers (their places in the index) that carry them."""

    def __init__(self) -> None:
        self.printed: dict[Key, str] = {}
        self.papers: dict[Key, list[int]] = {}

    def add(self, key: Key, printed: str, place: int) -> None:
        self.printed.setdefault(key, printed)
        self.papers.setdefault(key, []).append(place)

    def matching(self, term: Term) -> list[Key]:
        """The names that a term stands for."""
        raise NotImplementedError

    def find(self, term: Term) -> list[int]:
        """The places of the papers that carry a name the term stands for, rising."""
        found: set[int] = set()
        for key in self.matching(term):
            found.update(self.papers[key])
        return sorted(found)

    def held(self, term: Term, place: int) -> list[str]:
        """The names, as printed, by which the paper at `place` answers the term."""
        return [self.printed[key] for key in self.matching(term) if place in self.papers[key]]


class Names(_Field[str]):
    """Categories or sources. `separator` stands between a group and its members: `cs.LG` with `.`."""

    def __init__(self, names_of_papers: Iterable[Iterable[str]], separator: str) -> None:
        super().__init__()
        self.separator = separator
        for place, printed in enumerate(names_of_papers):
            for name in printed:
                self.add(publisher_name(name), name, place)

    def matching(self, term: Term) -> list[str]:
        """The term itself, with `cs` every `cs.LG`, and with a star every name that starts so."""
        asked = term.words[0]
        if term.prefix:
            return [name for name in self.papers if name.startswith(asked) or name + self.separator == asked]
        return [name for name in self.papers if name == asked or name.startswith(asked + self.separator)]


class Authors(_Field[Name]):
    """People, looked up by a part of their name and then compared whole."""

    def __init__(self, authors_of_papers: Iterable[Iterable[str]]) -> None:
        super().__init__()
        for place, authors in enumerate(authors_of_papers):
            for name in authors:
                person = names.natural(name)
                if person:
                    self.add(person, name, place)

    @cached_property
    def by_name(self) -> dict[tuple[str, str], list[Name]]:
        """People by family name and initial (`names.printed_under`); made when a filter first asks for somebody."""
        found = defaultdict[tuple[str, str], list[Name]](list)
        for person in self.papers:
            for under in names.printed_under(person):
                found[under].append(person)
        return found

    @cached_property
    def by_word(self) -> dict[str, list[Name]]:
        """People by each word of their name."""
        found = defaultdict[str, list[Name]](list)
        for person in self.papers:
            for word in names.words_of(person):
                found[word].append(person)
        return found

    def matching(self, term: Term) -> list[Name]:
        """People of the same name; for `author:beng*` those with a word that starts so, and all words before it."""
        people: dict[Name, None] = {}
        if term.prefix:
            before, starts = names.beginnings(term.words)
            for word, carriers in self.by_word.items():
                if word.startswith(starts):
                    people.update(dict.fromkeys(carriers))
            return [person for person in people if before <= names.words_of(person)]
        for under in names.asked_under(term.words):
            people.update(dict.fromkeys(self.by_name.get(under, ())))
        return [person for person in people if names.same(term.words, person)]
