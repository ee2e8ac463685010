"""What a day knows of its papers beside their words: who wrote them, under which categories, who announced them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cached_property

from digest.matching.paper_text import PaperText
from subscriptions.query import Term, names
from subscriptions.query.names import Name
from subscriptions.query.parser import publisher_name


class Names:
    """Categories or sources: a printed name and the papers (their places in the day) that carry it."""

    def __init__(self, pairs: Iterable[tuple[int, str]], separator: str) -> None:
        self.separator = separator
        self.printed: dict[str, str] = {}
        self.papers: defaultdict[str, list[int]] = defaultdict(list)
        for paper, name in pairs:
            plain = publisher_name(name)
            self.printed.setdefault(plain, name)
            self.papers[plain].append(paper)

    def matching(self, term: Term) -> list[str]:
        """The names a term stands for: itself, with a star all that start so, and `cs` every `cs.LG`."""
        asked = term.words[0]
        if term.prefix:
            return [name for name in self.papers if name.startswith(asked) or name + self.separator == asked]
        return [name for name in self.papers if name == asked or name.startswith(asked + self.separator)]

    def find(self, term: Term) -> list[int]:
        return sorted({paper for name in self.matching(term) for paper in self.papers[name]})

    def held(self, term: Term, paper: int) -> list[str]:
        """As printed, for the reason beside a paper."""
        return [self.printed[name] for name in self.matching(term) if paper in self.papers[name]]


class Authors:
    """The day's people, found by any word of their name and then compared whole."""

    def __init__(self, papers: Sequence[PaperText]) -> None:
        self.papers: defaultdict[Name, list[int]] = defaultdict(list)
        self.printed: dict[Name, str] = {}
        for place, paper in enumerate(papers):
            for name in paper.authors:
                self._add(place, name)

    @cached_property
    def by_name(self) -> defaultdict[tuple[str, str], list[Name]]:
        """People by family name and initial (`names.printed_under`); made when a filter first asks for somebody."""
        found = defaultdict[tuple[str, str], list[Name]](list)
        for person in self.papers:
            for under in names.printed_under(person):
                found[under].append(person)
        return found

    @cached_property
    def by_word(self) -> defaultdict[str, list[Name]]:
        found = defaultdict[str, list[Name]](list)
        for person in self.papers:
            for word in names.words_of(person):
                found[word].append(person)
        return found

    def _add(self, place: int, name: str) -> None:
        person = names.natural(name)
        if person:
            self.papers[person].append(place)
            self.printed.setdefault(person, name)

    def matching(self, term: Term) -> list[Name]:
        if term.prefix:
            return self._starting(term.words)
        under = names.asked_under(term.words)
        near = dict.fromkeys(person for one in under for person in self.by_name.get(one, ()))
        return [person for person in near if names.same(term.words, person)]

    def _starting(self, asked: Name) -> list[Name]:
        """`author:beng*`: some word starts so; the words before it, if any, all occur."""
        before, starts = names.beginnings(asked)
        found = [word for word in self.by_word if word.startswith(starts)]
        people = dict.fromkeys(person for word in found for person in self.by_word[word])
        return [person for person in people if before <= names.words_of(person)]

    def find(self, term: Term) -> list[int]:
        return sorted({paper for person in self.matching(term) for paper in self.papers[person]})

    def held(self, term: Term, paper: int) -> list[str]:
        return [self.printed[person] for person in self.matching(term) if paper in self.papers[person]]
