"""Postings: the texts of some papers as one long array of word numbers, and the positions of each stem in it.

A separator follows every title and every abstract, so that no phrase crosses from one to the other.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from digest.matching.paper_text import PaperText
from subscriptions.query import Term, tokenizer

Ints: TypeAlias = NDArray[np.int32]
Floats: TypeAlias = NDArray[np.float32]

AFTER_ALL = "\U0010ffff"
NOWHERE: Ints = np.empty(0, np.int32)


@dataclass(frozen=True, slots=True)
class _Word:
    """One word of a term. It stands at the positions of `stems`, of these only at forms in [low, high) if any."""

    stems: list[int]
    low: int = 0
    high: int = 0

    @property
    def is_by_form(self) -> bool:
        return self.high > 0

    def takes(self, forms: Ints) -> NDArray[np.bool_]:
        """Whether each form is in [low, high)."""
        within: NDArray[np.bool_] = (forms >= self.low) & (forms < self.high)
        return within


@dataclass(frozen=True, slots=True)
class Postings:
    """`forms[p]` is the word at position p (0 is the separator), numbered from 1 in the order of `vocabulary`.

    `stem_of[f]` is the stem of form f; stems are numbered from 1 by `stems`. `order[starts[s] : starts[s + 1]]` are
    the positions of stem s, rising, and `frequency[s]` is how many papers hold it. `doc[p]` is the paper at position
    p, `abstract_at[d]` the first position of paper d's abstract, `lengths[d]` the words of its title and abstract.
    """

    vocabulary: list[str]
    stems: dict[str, int]
    forms: Ints
    stem_of: Ints
    order: Ints
    starts: Ints
    doc: Ints
    abstract_at: Ints
    lengths: Ints
    frequency: Ints

    @classmethod
    def of(cls, papers: Sequence[PaperText]) -> Postings:
        numbers: defaultdict[str, int] = defaultdict(count(1).__next__)
        row, abstract_at, ends = _row(papers, numbers)
        vocabulary = sorted(numbers)
        rank = np.zeros(len(numbers) + 1, np.int32)
        for place, word in enumerate(vocabulary, start=1):
            rank[numbers[word]] = place
        stems: defaultdict[str, int] = defaultdict(count(1).__next__)
        stem_of = np.array([0, *(stems[tokenizer.stem(word)] for word in vocabulary)], np.int32)
        forms = rank[row]
        stem_at = stem_of[forms]
        order = np.argsort(stem_at, kind="stable").astype(np.int32)
        starts = np.zeros(len(stems) + 2, np.int32)
        np.cumsum(np.bincount(stem_at, minlength=len(stems) + 1), out=starts[1:])
        spans = np.diff(ends, prepend=0).astype(np.int32)
        doc = np.repeat(np.arange(len(papers), dtype=np.int32), spans)
        frequency = _frequency(stem_at[order], doc[order], len(stems))
        return cls(vocabulary, dict(stems), forms, stem_of, order, starts, doc, abstract_at, spans - 2, frequency)

    def positions(self, term: Term) -> Ints:
        """Where a term of title or abstract stands: the positions of its first word, rising."""
        words = [self._word(term, at) for at in range(len(term.words))]
        first, *others = sorted(range(len(words)), key=lambda at: self._size(words[at]))
        found = self._positions_of(words[first]) - first
        for at in others:
            if not len(found):
                return NOWHERE
            found = found[self._holds(words[at], found + at)]
        if not term.field:
            return found
        return found[self.in_title(found) == (term.field == "title")]

    def words_at(self, positions: Ints, length: int) -> list[str]:
        """The different words in the `length` positions from each of `positions`, as the papers spell them (folded)."""
        spans = positions[:, None] + np.arange(length, dtype=np.int32)
        found = dict.fromkeys(self.forms[spans.ravel()].tolist())
        return [self.vocabulary[form - 1] for form in found]

    def stems_in(self, paper: int) -> Counter[str]:
        """The stems of one paper's title and abstract with their counts."""
        low, high = np.searchsorted(self.doc, [paper, paper + 1])
        forms = self.forms[low:high]
        return Counter(tokenizer.stem(self.vocabulary[form - 1]) for form in forms[forms > 0].tolist())

    def in_title(self, positions: Ints) -> NDArray[np.bool_]:
        """Whether each position is in a title."""
        inside: NDArray[np.bool_] = positions < self.abstract_at[self.doc[positions]]
        return inside

    def _word(self, term: Term, at: int) -> _Word:
        """Word number `at` of a term: any form of its stem, the exact form, or the last word's prefix."""
        word = term.words[at]
        low = bisect_left(self.vocabulary, word) + 1
        if term.prefix and at == len(term.words) - 1:
            high = bisect_left(self.vocabulary, word + AFTER_ALL) + 1
        elif term.exact:
            high = bisect_right(self.vocabulary, word) + 1
        else:
            stem = self.stems.get(tokenizer.stem(word))
            return _Word([stem] if stem else [])
        return _Word(np.unique(self.stem_of[low:high]).tolist(), low, high)

    def _size(self, word: _Word) -> int:
        """How many positions the word's stems have."""
        size = 0
        for stem in word.stems:
            size += int(self.starts[stem + 1] - self.starts[stem])
        return size

    def _positions_of(self, word: _Word) -> Ints:
        """Every position of a word, rising."""
        runs = [self.order[self.starts[stem] : self.starts[stem + 1]] for stem in word.stems]
        if not runs:
            return NOWHERE
        found = runs[0]
        if len(runs) > 1:
            found = np.sort(np.concatenate(runs))
        if not word.is_by_form:
            return found
        return found[word.takes(self.forms[found])]

    def _holds(self, word: _Word, positions: Ints) -> NDArray[np.bool_]:
        """Whether each position holds the word; positions outside the array hold none."""
        last = len(self.forms) - 1
        forms = self.forms[np.clip(positions, 0, last)]
        forms[(positions < 0) | (positions > last)] = 0
        if word.is_by_form:
            return word.takes(forms)
        held: NDArray[np.bool_] = self.stem_of[forms] == word.stems[0]
        return held


def _row(papers: Iterable[PaperText], numbers: defaultdict[str, int]) -> tuple[Ints, Ints, Ints]:
    """Every word's number in one row, where each paper's abstract starts, and where each paper ends."""
    row, abstract_at, ends = array("i"), array("i"), array("i")
    for paper in papers:
        row.extend([numbers[word] for word in tokenizer.tokens(paper.title)])
        row.append(0)
        abstract_at.append(len(row))
        row.extend([numbers[word] for word in tokenizer.tokens(paper.abstract)])
        row.append(0)
        ends.append(len(row))
    return np.array(row, np.int32), np.array(abstract_at, np.int32), np.array(ends, np.int32)


def _frequency(stems: Ints, papers: Ints, most: int) -> Ints:
    """How many papers hold each stem from 0 to `most`; equal stems stand together, their papers rising."""
    is_first = np.ones(len(stems), np.bool_)
    is_first[1:] = (stems[1:] != stems[:-1]) | (papers[1:] != papers[:-1])
    return np.bincount(stems[is_first], minlength=most + 1).astype(np.int32)
