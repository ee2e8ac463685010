"""An index over some papers: a term is an int whose bit *i* is paper *i*, so AND, OR and NOT are `&`, `|`, `& ~`.

Every distinct term and query is answered once, however many readers hold it. Words are ranked by BM25 with a title
counting more than an abstract (Robertson & Zaragoza, BM25F, 2009).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from digest.matching import near_duplicates
from digest.matching.fields import Authors, Names
from digest.matching.paper_text import PaperText
from digest.matching.postings import NOWHERE, Floats, Ints, Postings
from subscriptions.query import And, Node, Or, Term, parse, positive_terms, tokenizer
from subscriptions.query.parser import LONGEST_CANONICAL
from subscriptions.query.tree import TEXT_FIELDS

TITLE_WEIGHT = 2.0
T = TypeVar("T")

K1 = 1.2
B = 0.5
MOST_WORDS = 8
FUSION = 60
VOTE_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Hits:
    """The papers a query finds, best first: their places in the index, and their scores (higher is better)."""

    places: Ints
    scores: Floats

    def __len__(self) -> int:
        return len(self.places)


@dataclass(frozen=True, slots=True)
class Answer:
    """The papers a query finds, as a selection takes them: bits, places best first, and each place's rank from 0."""

    bits: int
    places: list[int]
    rank: dict[int, int]


@dataclass(slots=True)
class _Leaf:
    """What a term finds. A term of text has the `positions` of its first word; `gain` is computed when asked for."""

    bits: int
    positions: Ints | None = None
    gain: tuple[Ints, Floats] | None = None


@dataclass(slots=True)
class PaperIndex:
    """The index over some papers (a day, or a window of days). Not changed once built; it keeps what was asked.

    A paper's place is its number in `papers`. `vote_rank` has the rank from 0 of each paper with votes, most first;
    `pinned` are the places of the curator's pins.
    """

    papers: Sequence[PaperText]
    postings: Postings
    authors: Authors
    categories: Names
    sources: Names
    vote_rank: dict[int, int]
    pinned: list[int]
    _leaves: dict[Term, _Leaf] = field(default_factory=dict)
    _memory: dict[tuple[str, object], Any] = field(default_factory=dict)

    @classmethod
    def build(cls, papers: Iterable[PaperText]) -> PaperIndex:
        held = list(papers)
        voted = [place for place, paper in enumerate(held) if paper.upvotes > 0]
        voted.sort(key=lambda place: (-held[place].upvotes, -held[place].comments, place))
        return cls(
            papers=held,
            postings=Postings.of(held),
            authors=Authors(paper.authors for paper in held),
            categories=Names((paper.categories for paper in held), "."),
            sources=Names((paper.sources for paper in held), "-"),
            vote_rank={place: rank for rank, place in enumerate(voted)},
            pinned=[place for place, paper in enumerate(held) if paper.pinned],
        )

    def __len__(self) -> int:
        return len(self.papers)

    # -- what is kept ---------------------------------------------------------------------------------------------

    def once(self, key: tuple[str, object], make: Callable[[], T]) -> T:
        """What `make` returns, called once for each key."""
        if key not in self._memory:
            self._memory[key] = make()
        known: T = self._memory[key]
        return known

    @property
    def remembered(self) -> int:
        """How many answers are kept. Every new query adds some, so whoever serves the public must bound it."""
        return len(self._leaves) + len(self._memory)

    def afresh(self) -> PaperIndex:
        """The same index without what was kept."""
        return replace(self, _leaves={}, _memory={})

    # -- which papers match ---------------------------------------------------------------------------------------

    def tree(self, query: str) -> Node:
        """A canonical query, parsed once. Raises QueryError."""
        return self.once(("tree", query), lambda: parse(query, LONGEST_CANONICAL))

    def bits(self, tree: Node) -> int:
        """Which papers match: bit *i* is paper *i*."""
        if isinstance(tree, Term):
            return self._leaf(tree).bits
        if isinstance(tree, And):
            found = -1
            for part in tree.parts:  # what is asked for comes first, so `found` is finite before anything is taken out
                found &= self.bits(part)
                if not found:
                    return 0
            return found & self._all
        if isinstance(tree, Or):
            found = 0
            for part in tree.parts:
                found |= self.bits(part)
            return found
        return self._all & ~self.bits(tree.part)

    def bits_of(self, ids: Iterable[int]) -> int:
        """The bits of papers given by their ids; ids of other papers are passed over."""
        place_of = self.once(("ids", None), lambda: {paper.id: place for place, paper in enumerate(self.papers)})
        places = sorted(place_of[one] for one in ids if one in place_of)
        return self._packed(np.array(places, np.int32))

    def bits_of_name(self, topic: str) -> int:
        """The bits of papers that contain a topic's name; 0 for a name without words."""
        words = tuple(tokenizer.tokens(topic))
        if not words:
            return 0
        return self.bits(Term(words))

    def places(self, bits: int) -> Ints:
        """The places of the set bits, rising."""
        return np.flatnonzero(self.mask(bits)).astype(np.int32)

    def mask(self, bits: int) -> NDArray[np.bool_]:
        """One boolean a paper: whether its bit is set."""
        row = np.frombuffer(bits.to_bytes(len(self.papers) // 8 + 1, "little"), np.uint8)
        return np.unpackbits(row, count=len(self.papers), bitorder="little").view(np.bool_)

    # -- in which order -------------------------------------------------------------------------------------------

    def hits(self, query: str) -> Hits:
        """The papers a canonical query finds, best first. Raises QueryError."""
        return self.ranked(self.tree(query))

    def ranked(self, tree: Node) -> Hits:
        """The papers a tree finds, best first; of equals the one that comes first in the index."""
        places = self.places(self.bits(tree))
        scores = self.scores(tree)[places]
        order = np.argsort(-scores, kind="stable")
        return Hits(places[order], scores[order])

    def answer(self, query: str) -> Answer:
        """What a canonical query brings to a selection, computed once. Raises QueryError."""
        return self.once(("query", query), lambda: self.ordered(self.hits(query).places))

    def ordered(self, places: Ints) -> Answer:
        """Places, best first, as a selection takes them: fused with votes, near duplicates of a better paper last."""
        alike = self.once(("near duplicates", None), self._near_duplicates)
        order = near_duplicates.last(self._fused(places).tolist(), alike)
        return Answer(self._packed(places), order, {place: rank for rank, place in enumerate(order)})

    def _near_duplicates(self) -> dict[int, set[int]]:
        """None in a month of papers: they are looked for in a letter's window only."""
        if len(self) > near_duplicates.MOST_PAPERS:
            return {}
        return near_duplicates.alike(self.postings)

    def _fused(self, places: Ints) -> Ints:
        """Places, best first, fused with the votes: 1 / (60 + rank) by words and `VOTE_SHARE` of it by votes, added."""
        if not self.vote_rank:
            return places
        fused = 1.0 / (FUSION + np.arange(len(places)))
        for rank, place in enumerate(places.tolist()):
            if place in self.vote_rank:
                fused[rank] += VOTE_SHARE / (FUSION + self.vote_rank[place])
        return places[np.argsort(-fused, kind="stable")]

    def nearness(self, query: str) -> Floats:
        """Each paper's score for a query, as a share of the best paper's, whether it matches or not."""
        return self.once(("nearness", query), lambda: self._shares(self.tree(query)))

    def _shares(self, tree: Node) -> Floats:
        scores = self.scores(tree)
        if scores.any():
            scores /= scores.max()
        return scores

    def scores(self, tree: Node) -> Floats:
        """BM25F of every paper for what the tree asks for, matched or not: shape (papers,)."""
        total = np.zeros(len(self.papers), np.float32)
        for term in dict.fromkeys(positive_terms(tree)):
            papers, gains = self.gain(term)
            total[papers] += gains
        return total

    def gain(self, term: Term) -> tuple[Ints, Floats]:
        """The places of the papers that hold a term, and how much it adds to each one's score."""
        leaf = self._leaf(term)
        if leaf.gain is None:
            if leaf.positions is None:  # a paper carries a name or not: only the name's rarity counts
                papers = self.places(leaf.bits)
                leaf.gain = papers, np.full(len(papers), self.rarity(len(papers)), np.float32)
            else:
                leaf.gain = self._bm25(leaf.positions)
        return leaf.gain

    def _bm25(self, positions: Ints) -> tuple[Ints, Floats]:
        """The places of the papers at some positions, and each one's BM25 gain."""
        if not len(positions):
            return NOWHERE, np.empty(0, np.float32)
        weights = np.where(self.postings.in_title(positions), TITLE_WEIGHT, 1.0)
        papers, inverse = np.unique(self.postings.doc[positions], return_inverse=True)
        count = np.bincount(inverse, weights=weights, minlength=len(papers))
        lengths = self.postings.lengths
        norm = 1 - B + B * lengths[papers] / max(1.0, float(lengths.mean()))
        gains = self.rarity(len(papers)) * count * (K1 + 1) / (count + K1 * norm)
        return papers.astype(np.int32), gains.astype(np.float32)

    def rarity(self, papers: int) -> float:
        """BM25's idf of a word that stands in so many papers of the index."""
        return math.log1p((len(self.papers) - papers + 0.5) / (papers + 0.5))

    def found(self, stem: str) -> int:
        """How many papers hold a stem."""
        number = self.postings.stems.get(stem)
        if number is None:
            return 0
        return int(self.postings.frequency[number])

    def stems_in(self, place: int) -> Counter[str]:
        """The stems of a paper with their counts."""
        return self.postings.stems_in(place)

    # -- why ------------------------------------------------------------------------------------------------------

    def words_for(self, query: str, place: int) -> tuple[str, ...]:
        """What in the paper at `place` answers a canonical query; found once, for whoever shares the query."""
        return self.once(("words", (query, place)), lambda: self.words(self.tree(query), place))

    def words(self, tree: Node, place: int) -> tuple[str, ...]:
        """What in the paper at `place` answers the tree: its words (folded), names and categories as printed."""
        found: dict[str, None] = {}
        for term in dict.fromkeys(positive_terms(tree)):
            leaf = self._leaf(term)
            if not leaf.bits >> place & 1:
                continue
            if leaf.positions is None:
                held = self._names(term).held(term, place)
            else:
                positions = leaf.positions[self.postings.doc[leaf.positions] == place]
                held = self.postings.words_at(positions, len(term.words))
            found.update(dict.fromkeys(held))
        return tuple(found)[:MOST_WORDS]

    @property
    def _all(self) -> int:
        return (1 << len(self.papers)) - 1

    def _leaf(self, term: Term) -> _Leaf:
        leaf = self._leaves.get(term)
        if leaf is None:
            if term.field in TEXT_FIELDS:
                positions = self.postings.positions(term)
                leaf = _Leaf(self._packed(self.postings.doc[positions]), positions)
            else:
                places = self._names(term).find(term)
                leaf = _Leaf(self._packed(np.array(places, np.int32)))
            self._leaves[term] = leaf
        return leaf

    def _names(self, term: Term) -> Authors | Names:
        """The field that a term of names asks."""
        fields: dict[str, Authors | Names] = {"author": self.authors, "cat": self.categories}
        return fields.get(term.field, self.sources)

    def _packed(self, places: Ints) -> int:
        """Places as bits."""
        if len(places) <= 8:
            bits = 0
            for place in places.tolist():
                bits |= 1 << place
            return bits
        row = np.zeros(len(self.papers), np.bool_)
        row[places] = True
        return int.from_bytes(np.packbits(row, bitorder="little").tobytes(), "little")
