"""A day's papers, indexed once: a term is an int whose bit *i* is paper *i*, so AND, OR and NOT are `&`, `|`, `& ~`.

Every distinct term is resolved once, every distinct query answered once, however many readers hold it.
Words are ranked by BM25 with a title counting more than an abstract (Robertson & Zaragoza, BM25F, 2009).
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
    """The papers a query found, best first: places in the day, and their scores (higher is better)."""

    places: Ints
    scores: Floats

    def __len__(self) -> int:
        return len(self.places)


@dataclass(frozen=True, slots=True)
class Answer:
    """A query's papers as a selection takes them: bits, places best first (votes breaking near ties), their ranks."""

    bits: int
    places: list[int]
    rank: dict[int, int]


@dataclass(slots=True)
class _Leaf:
    bits: int
    places: Ints | None = None
    gain: tuple[Ints, Floats] | None = None


@dataclass(slots=True)
class PaperIndex:
    """The index over some papers (a day, or a window of days). Not changed once built; remembers what was asked.

    `liked` are the places of papers with votes, most first; `pinned` those of the curator's pins.
    """

    papers: Sequence[PaperText]
    stream: Postings
    authors: Authors
    categories: Names
    sources: Names
    liked: Ints
    liked_rank: dict[int, int]
    pinned: list[int]
    _leaves: dict[Term, _Leaf] = field(default_factory=dict)
    _trees: dict[str, Node] = field(default_factory=dict)
    _memory: dict[tuple[str, object], Any] = field(default_factory=dict)

    @classmethod
    def build(cls, papers: Iterable[PaperText]) -> PaperIndex:
        held = list(papers)
        liked = _liked(held)
        return cls(
            papers=held,
            stream=Postings.of(held),
            authors=Authors(held),
            categories=Names(((place, name) for place, paper in enumerate(held) for name in paper.categories), "."),
            sources=Names(((place, name) for place, paper in enumerate(held) for name in paper.sources), "-"),
            liked=np.array(liked, np.int32),
            liked_rank={place: rank for rank, place in enumerate(liked)},
            pinned=[place for place, paper in enumerate(held) if paper.pinned],
        )

    def __len__(self) -> int:
        return len(self.papers)

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
            return found & self._all if found < 0 else found
        if isinstance(tree, Or):
            found = 0
            for part in tree.parts:
                found |= self.bits(part)
            return found
        return self._all & ~self.bits(tree.part)

    def tree(self, query: str) -> Node:
        """A canonical query, read once per day. Raises QueryError."""
        known = self._trees.get(query)
        if known is None:
            known = self._trees[query] = parse(query, LONGEST_CANONICAL)
        return known

    def hits(self, query: str) -> Hits:
        """The papers a canonical query finds, best first. Raises QueryError."""
        return self.ranked(self.tree(query))

    def answer(self, query: str) -> Answer:
        """What a canonical query brings to a selection, found once per day and query. Raises QueryError."""
        return self.once(("query", query), lambda: self.ordered(self.hits(query).places))

    def ordered(self, places: Ints) -> Answer:
        """Papers best first as a selection takes them: fused with their votes, near-copies of a better one last."""
        alike = self.once(("copies", None), self._copies)
        order = near_duplicates.last(self._raised(places).tolist(), alike)
        return Answer(self._packed(places), order, {place: rank for rank, place in enumerate(order)})

    def _copies(self) -> dict[int, set[int]]:
        """Near-copies are looked for in a letter's window, not in a month of papers."""
        return near_duplicates.alike(self.stream) if len(self) <= near_duplicates.MOST_PAPERS else {}

    def nearness(self, query: str) -> Floats:
        """How near each paper comes to a query it may not answer: its share of the best possible score."""
        return self.once(("nearness", query), lambda: self._share(self.tree(query)))

    def _share(self, tree: Node) -> Floats:
        scores = self.scores(tree)
        best = float(scores.max()) if len(scores) else 0.0
        return scores / best if best else scores

    def once(self, key: tuple[str, object], make: Callable[[], T]) -> T:
        """What `make` gives, made once per day and key."""
        if key not in self._memory:
            self._memory[key] = make()
        known: T = self._memory[key]
        return known

    @property
    def remembered(self) -> int:
        """How many answers are kept: grows with every new question, so who serves the public watches it."""
        return len(self._leaves) + len(self._trees) + len(self._memory)

    def afresh(self) -> PaperIndex:
        """The same index, with nothing remembered."""
        return replace(self, _leaves={}, _trees={}, _memory={})

    def found(self, stem: str) -> int:
        """How many papers hold a stem."""
        number = self.stream.stems.get(stem)
        return int(self.stream.spread[number]) if number else 0

    def stems_in(self, place: int) -> Counter[str]:
        """The stems of a paper with how often each stands there."""
        return self.stream.stems_in(place)

    def words_for(self, query: str, place: int) -> tuple[str, ...]:
        """What in the paper at `place` answers a canonical query; found once, for whoever shares the query."""
        return self.once(("words", (query, place)), lambda: self.words(self.tree(query), place))

    def _raised(self, places: Ints) -> Ints:
        """The places best first, fused with their votes: ranks by words and by votes, added as 1 / (60 + rank)."""
        if not len(self.liked_rank):
            return places
        fused = 1.0 / (FUSION + np.arange(len(places)))
        votes = [self.liked_rank.get(place) for place in places.tolist()]
        fused += [0.0 if rank is None else VOTE_SHARE / (FUSION + rank) for rank in votes]
        return places[np.argsort(-fused, kind="stable")]

    def ranked(self, tree: Node) -> Hits:
        """The papers a tree finds, best first; equals in the day's order."""
        places = self.places(self.bits(tree))
        scores = self.scores(tree)[places]
        order = np.argsort(-scores, kind="stable")
        return Hits(places[order], scores[order])

    def places(self, bits: int) -> Ints:
        """The set bits as numbers, rising."""
        return np.flatnonzero(self.mask(bits)).astype(np.int32)

    def mask(self, bits: int) -> NDArray[np.bool_]:
        """One boolean a paper: whether its bit is set."""
        row = np.frombuffer(bits.to_bytes(len(self.papers) // 8 + 1, "little"), np.uint8)
        return np.unpackbits(row, count=len(self.papers), bitorder="little").view(np.bool_)

    def bits_of(self, papers: Iterable[int]) -> int:
        """The bits of papers given by their ids; those that are not of this day are passed over."""
        at = self.once(("ids", None), lambda: {paper.id: place for place, paper in enumerate(self.papers)})
        return self._packed(np.array(sorted(at[one] for one in papers if one in at), np.int32))

    def called(self, topic: str) -> int:
        """The bits of papers that speak of a topic by its very name; none for a name without words."""
        name = tuple(tokenizer.tokens(topic))
        return self.bits(Term(name)) if name else 0

    def scores(self, tree: Node) -> Floats:
        """BM25F of every paper for what the tree asks for, matched or not; one float a paper."""
        total = np.zeros(len(self.papers), np.float32)
        for term in dict.fromkeys(positive_terms(tree)):
            papers, gains = self.gain(term)
            total[papers] += gains
        return total

    def words(self, tree: Node, place: int) -> tuple[str, ...]:
        """What in the paper at `place` answers the tree: its words (folded), names and categories as printed."""
        found: dict[str, None] = {}
        for term in dict.fromkeys(positive_terms(tree)):
            if self._leaf(term).bits >> place & 1:
                found.update(dict.fromkeys(self._held(term, place)))
        return tuple(found)[:MOST_WORDS]

    @property
    def _all(self) -> int:
        return (1 << len(self.papers)) - 1

    def _leaf(self, term: Term) -> _Leaf:
        leaf = self._leaves.get(term)
        if leaf is None:
            leaf = self._leaves[term] = self._resolved(term)
        return leaf

    def _resolved(self, term: Term) -> _Leaf:
        if term.field not in TEXT_FIELDS:
            return _Leaf(self._packed(np.array(self._facts(term).find(term), np.int32)))
        places = self.stream.places(term)
        return _Leaf(self._packed(self.stream.doc[places]), places)

    def _packed(self, papers: Ints) -> int:
        if len(papers) <= 8:
            bits = 0
            for paper in papers.tolist():
                bits |= 1 << paper
            return bits
        row = np.zeros(len(self.papers), np.bool_)
        row[papers] = True
        return int.from_bytes(np.packbits(row, bitorder="little").tobytes(), "little")

    def _facts(self, term: Term) -> Authors | Names:
        if term.field == "author":
            return self.authors
        return self.categories if term.field == "cat" else self.sources

    def _held(self, term: Term, place: int) -> list[str]:
        places = self._leaf(term).places
        if places is None:
            return self._facts(term).held(term, place)
        return self.stream.words_at(places[self.stream.doc[places] == place], len(term.words))

    def gain(self, term: Term) -> tuple[Ints, Floats]:
        """The papers that hold a term, and how much it adds to each one's score."""
        leaf = self._leaf(term)
        if leaf.gain is None:
            leaf.gain = self._flat(leaf.bits) if leaf.places is None else self._weighed(leaf.places)
        return leaf.gain

    def _flat(self, bits: int) -> tuple[Ints, Floats]:
        """Names either stand there or not: their rarity counts, nothing else."""
        papers = self.places(bits)
        return papers, np.full(len(papers), self.rarity(len(papers)), np.float32)

    def _weighed(self, places: Ints) -> tuple[Ints, Floats]:
        weights = np.where(self.stream.in_title(places), TITLE_WEIGHT, 1.0)
        if not len(places):
            return NOWHERE, np.empty(0, np.float32)
        papers, inverse = np.unique(self.stream.doc[places], return_inverse=True)
        often = np.bincount(inverse, weights=weights, minlength=len(papers))
        lengths = self.stream.lengths
        norm = 1 - B + B * lengths[papers] / max(1.0, float(lengths.mean()))
        gains = self.rarity(len(papers)) * often * (K1 + 1) / (often + K1 * norm)
        return papers.astype(np.int32), gains.astype(np.float32)

    def rarity(self, papers: int) -> float:
        """BM25's idf: what a word is worth that stands in so many papers of the day."""
        return math.log1p((len(self.papers) - papers + 0.5) / (papers + 0.5))


def _liked(papers: Sequence[PaperText]) -> list[int]:
    voted = [place for place, paper in enumerate(papers) if paper.upvotes > 0]
    voted.sort(key=lambda place: (-papers[place].upvotes, -papers[place].comments, place))
    return voted
