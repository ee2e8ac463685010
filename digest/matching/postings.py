"""The texts of a day as one long row of word numbers, and where each word stands in it.

A separator stands after every title and every abstract, so no run of words crosses from one to the other.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
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

_END = "\U0010ffff"
NOWHERE: Ints = np.empty(0, np.int32)


@dataclass(frozen=True, slots=True)
class Postings:
    """`forms[p]` is the word at place p (0 separates), numbered from 1 in the order of `vocabulary`.

    `order[starts[s] : starts[s + 1]]` are the places of stem s, rising. `doc[p]` is the paper at place p,
    `abstract_at[d]` the first place of paper d's abstract, `lengths[d]` how many words title and abstract have;
    `spread[s]` is how many papers hold stem s.
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
    spread: Ints

    @classmethod
    def of(cls, papers: Sequence[PaperText]) -> Postings:
        numbers: defaultdict[str, int] = defaultdict(count(1).__next__)
        row, abstract_at, ends = _row(papers, numbers)
        vocabulary = sorted(numbers)
        rank = np.zeros(len(numbers) + 1, np.int32)
        rank[[numbers[word] for word in vocabulary]] = np.arange(1, len(numbers) + 1, dtype=np.int32)
        stems, stem_of = _stems(vocabulary)
        forms = rank[row]
        order, starts = _places(stem_of[forms], len(stems))
        spans = np.diff(np.concatenate([[0], ends])).astype(np.int32)
        doc = np.repeat(np.arange(len(papers), dtype=np.int32), spans)
        spread = _spread(doc[order], starts)
        return cls(vocabulary, stems, forms, stem_of, order, starts, doc, abstract_at, spans - 2, spread)

    def places(self, term: Term) -> Ints:
        """Where the term stands: the place of its first word, rising. For title and abstract terms."""
        last = len(term.words) - 1
        sizes = [self._size(term, at) for at in range(last + 1)]
        rarest = int(np.argmin(sizes))
        found = self._one(term, rarest) - rarest
        for at in sorted(set(range(last + 1)) - {rarest}, key=sizes.__getitem__):
            if not len(found):
                return NOWHERE
            found = found[self._holds(term, at, found + at)]
        return self._in_field(found, term.field)

    def words_at(self, places: Ints, length: int) -> list[str]:
        """The different words in the `length` places from each of `places`, as the papers spell them (folded)."""
        span = (places[:, None] + np.arange(length, dtype=np.int32)).ravel()
        found = dict.fromkeys(self.forms[span].tolist())
        return [self.vocabulary[form - 1] for form in found]

    def stems_in(self, paper: int) -> Counter[str]:
        """The stems of one paper's title and abstract, counted."""
        low, high = np.searchsorted(self.doc, [paper, paper + 1])
        forms = self.forms[low:high]
        return Counter(tokenizer.stem(self.vocabulary[form - 1]) for form in forms[forms > 0].tolist())

    def in_title(self, places: Ints) -> NDArray[np.bool_]:
        inside: NDArray[np.bool_] = places < self.abstract_at[self.doc[places]]
        return inside

    def _in_field(self, places: Ints, field: str) -> Ints:
        if not field:
            return places
        return places[self.in_title(places) == (field == "title")]

    def _size(self, term: Term, at: int) -> int:
        if term.prefix and at == len(term.words) - 1:
            low, high = self._range(term.words[at])
            stems = np.unique(self.stem_of[low:high])
            return int((self.starts[stems + 1] - self.starts[stems]).sum()) if len(stems) else 0
        stem = self.stems.get(tokenizer.stem(term.words[at]), 0)
        return int(self.starts[stem + 1] - self.starts[stem]) if stem else 0

    def _one(self, term: Term, at: int) -> Ints:
        """Every place of one word of the term."""
        word = term.words[at]
        if term.prefix and at == len(term.words) - 1:
            low, high = self._range(word)
            stems = np.unique(self.stem_of[low:high]).tolist()
            found = [self.order[self.starts[stem] : self.starts[stem + 1]] for stem in stems]
            places = np.sort(np.concatenate(found)) if found else NOWHERE
            return places[(self.forms[places] >= low) & (self.forms[places] < high)]
        stem = self.stems.get(tokenizer.stem(word), 0)
        places = self.order[self.starts[stem] : self.starts[stem + 1]] if stem else NOWHERE
        return places[self.forms[places] == self._form(word)] if term.exact else places

    def _holds(self, term: Term, at: int, places: Ints) -> NDArray[np.bool_]:
        """Whether each of `places` holds the term's word number `at`. A place before the row is never asked for."""
        forms = self.forms[np.clip(places, 0, len(self.forms) - 1)]
        forms[(places < 0) | (places >= len(self.forms))] = 0
        word = term.words[at]
        held: NDArray[np.bool_]
        if term.prefix and at == len(term.words) - 1:
            low, high = self._range(word)
            held = (forms >= low) & (forms < high)
        elif term.exact:
            held = forms == (self._form(word) or -1)
        else:
            held = self.stem_of[forms] == (self.stems.get(tokenizer.stem(word)) or -1)
        return held

    def _form(self, word: str) -> int:
        """The word's number; 0 where no paper has it."""
        at = bisect_left(self.vocabulary, word)
        return at + 1 if at < len(self.vocabulary) and self.vocabulary[at] == word else 0

    def _range(self, prefix: str) -> tuple[int, int]:
        """The numbers [low, high) of the words that start so."""
        return bisect_left(self.vocabulary, prefix) + 1, bisect_left(self.vocabulary, prefix + _END) + 1


def _row(papers: Iterable[PaperText], numbers: defaultdict[str, int]) -> tuple[Ints, Ints, Ints]:
    row, abstract_at, ends = array("i"), array("i"), array("i")
    for paper in papers:
        row.extend([numbers[word] for word in tokenizer.tokens(paper.title)])
        row.append(0)
        abstract_at.append(len(row))
        row.extend([numbers[word] for word in tokenizer.tokens(paper.abstract)])
        row.append(0)
        ends.append(len(row))
    return np.array(row, np.int32), np.array(abstract_at, np.int32), np.array(ends, np.int32)


def _stems(vocabulary: list[str]) -> tuple[dict[str, int], Ints]:
    """Each stem's number from 1, and the stem of each form (0 for the separator)."""
    numbers: defaultdict[str, int] = defaultdict(count(1).__next__)
    stem_of = np.array([0, *(numbers[tokenizer.stem(word)] for word in vocabulary)], np.int32)
    return dict(numbers), stem_of


def _places(stems: Ints, many: int) -> tuple[Ints, Ints]:
    order = np.argsort(stems, kind="stable").astype(np.int32)
    starts = np.zeros(many + 2, np.int32)
    np.cumsum(np.bincount(stems, minlength=many + 1), out=starts[1:])
    return order, starts


def _spread(papers: Ints, starts: Ints) -> Ints:
    """How many different papers stand in each run of `papers`, which rise within a run."""
    fresh = np.ones(len(papers) + 1, np.int32)
    fresh[1:-1] = papers[1:] != papers[:-1] if len(papers) else 1
    fresh[starts[starts < len(papers)]] = 1
    counted = np.concatenate([[0], np.cumsum(fresh[:-1])])
    return (counted[starts[1:]] - counted[starts[:-1]]).astype(np.int32)
