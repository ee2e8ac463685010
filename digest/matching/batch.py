"""The same choice as `selection.select`, for very many readers at once: every step is one array operation.

For wants that are queries (topics, filters, authors, categories), with weights and mutes, curator's pins, community
picks and the paper from just outside. Reasons are kept as bits: bit *j* of a chosen paper says that the reader's
*j*-th interest brought it. A test holds both ways to the same answer.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digest.matching.index import FUSION, VOTE_SHARE, Answer, PaperIndex

UNRANKED = np.iinfo(np.uint16).max
MOST_PAPERS = UNRANKED
MOST_INTERESTS = 32
BLOCK = 50_000
CORES = os.cpu_count() or 1
CELLS_AT_ONCE = 4_000_000  # readers x papers, where each paper's nearness to each reader is looked at
MOST_COMMUNITY = 3
FEWEST_FOR_EXPLORING = 5


@dataclass(slots=True)
class Table:
    """Distinct queries against a day: the papers of each best first (-1 after the last), their ranks, and bits.

    A query's row is made when it is first asked for. Beside it stand the papers that speak of a topic by its name,
    and, once somebody explores with it, how near each paper comes to it.
    """

    day: PaperIndex
    order: NDArray[np.signedinteger]
    size: NDArray[np.int32]
    rank: NDArray[np.uint16]
    bits: NDArray[np.uint64]
    named: NDArray[np.uint64]
    near: NDArray[np.float32]
    votes: NDArray[np.float64]
    answers: list[Answer] = field(default_factory=list)
    queries: list[str] = field(default_factory=list)
    _known: dict[tuple[str, str], int] = field(default_factory=dict)
    _is_near: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, day: PaperIndex, queries: Sequence[str]) -> Table:
        """One row a distinct query, in their order. Raises QueryError; the day holds at most `MOST_PAPERS` papers."""
        table = cls.empty(day, len(queries))
        for query in queries:
            table.row(query)
        return table

    @classmethod
    def empty(cls, day: PaperIndex, room: int = 256) -> Table:
        votes = np.zeros(len(day))
        for place, voted in day.liked_rank.items():
            votes[place] = VOTE_SHARE / (FUSION + voted)
        room, words = max(1, room), len(day) // 64 + 1
        return cls(
            day=day,
            order=np.full((room, len(day) + 1), -1, np.int16 if len(day) < np.iinfo(np.int16).max else np.int32),
            size=np.zeros(room, np.int32),
            rank=np.full((room, len(day)), UNRANKED, np.uint16),
            bits=np.zeros((room, words), np.uint64),
            named=np.zeros((room, words), np.uint64),
            near=np.zeros((0, len(day)), np.float32),
            votes=votes,
        )

    @property
    def cells(self) -> int:
        """Queries x papers: what the table's memory grows with, some ten bytes each."""
        return len(self.answers) * len(self.day)

    def row(self, query: str, topic: str = "") -> int:
        """The row of a canonical query asked under a topic's name, or under none. Raises QueryError."""
        number = self._known.get((query, topic))
        if number is None:
            answer = self.day.answer(query)
            number = self._known[query, topic] = len(self.answers)
            self._put(number, answer, self.day.called(topic))
            self.answers.append(answer)
            self.queries.append(query)
        return number

    def nearness(self, rows: NDArray[np.int32]) -> NDArray[np.float32]:
        """How near each paper comes to each query (`near`), looked up for these rows first."""
        if len(self.near) < len(self.size):
            self.near = _grown(self.near, len(self.size), 0)
        for row in set(rows.tolist()) - self._is_near:
            self.near[row] = self.day.nearness(self.queries[row])
            self._is_near.add(row)
        return self.near

    def _put(self, number: int, answer: Answer, named: int) -> None:
        if number == len(self.size):
            self._grow(2 * number)
        places = np.array(answer.places, np.int32)
        self.size[number] = len(places)
        self.order[number, : len(places)] = places
        self.rank[number, places] = np.arange(len(places), dtype=np.uint16)
        self.bits[number] = self._row_of(answer.bits)
        if named:
            self.named[number] = self._row_of(named)

    def _grow(self, room: int) -> None:
        self.order = _grown(self.order, room, -1)
        self.size = _grown(self.size, room, 0)
        self.rank = _grown(self.rank, room, UNRANKED)
        self.bits = _grown(self.bits, room, 0)
        self.named = _grown(self.named, room, 0)

    def _row_of(self, bits: int) -> NDArray[np.uint64]:
        return np.frombuffer(bits.to_bytes(self.bits.shape[1] * 8, "little"), np.uint64)


def _grown(rows: NDArray[Any], room: int, blank: int) -> NDArray[Any]:
    larger = np.full((room, *rows.shape[1:]), blank, rows.dtype)
    larger[: len(rows)] = rows
    return larger


@dataclass(frozen=True, slots=True)
class Readers:
    """Interests of readers, a reader's together: reader *i* holds `[starts[i], starts[i + 1])` of the table's rows.

    Without `community` nobody gets community picks, without `explore` nobody gets a paper from just outside.
    """

    starts: NDArray[np.int64]
    query: NDArray[np.int32]
    weight: NDArray[np.floating]
    muted: NDArray[np.bool_]
    community: NDArray[np.bool_] | None = None
    explore: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return len(self.starts) - 1


@dataclass(frozen=True, slots=True)
class Best:
    """The chosen papers of each reader, best first (-1 after the last), why, and how many matched in all.

    Behind them come `beyond`, the paper from just outside, and `raised`, what the community raised; -1 for none.
    """

    papers: NDArray[np.int32]
    reasons: NDArray[np.uint32]
    matched: NDArray[np.int32]
    beyond: NDArray[np.int32]
    raised: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class _Block:
    """Some readers as arrays of readers x interests; the weight of a mute, and of what found nothing, is 0."""

    query: NDArray[np.int32]
    weight: NDArray[np.float64]
    limit: NDArray[np.int64]
    community: NDArray[np.bool_]
    explore: NDArray[np.bool_]


def best(table: Table, readers: Readers, limit: int | NDArray[np.int64]) -> Best:
    """The best `limit` papers of every reader. A reader's interests beyond `MOST_INTERESTS` are not looked at."""
    limits = np.broadcast_to(np.asarray(limit, np.int64), len(readers))
    width = int(limits.max()) if len(readers) else int(np.max(limit, initial=0))
    if not len(readers.query):  # one interest that belongs to nobody, so that there is something to point at
        nobodys = np.zeros(1, np.int32), np.zeros(1, np.float32), np.zeros(1, np.bool_)
        readers = Readers(readers.starts, *nobodys, readers.community, readers.explore)
    size = BLOCK if readers.explore is None else min(BLOCK, max(1, CELLS_AT_ONCE // max(1, len(table.day))))
    edges = [*range(0, len(readers), size), len(readers)]
    spans = [slice(low, high) for low, high in pairwise(edges)]
    parts = _blocks(lambda span: _block(table, readers, span, limits[span], width), spans, readers.explore is None)
    if not parts:
        none = np.empty((0, width), np.int32)
        return Best(none, none.astype(np.uint32), none[:, 0], none[:, 0], np.empty((0, MOST_COMMUNITY), np.int32))
    names = ("papers", "reasons", "matched", "beyond", "raised")
    return Best(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def _blocks(one: Callable[[slice], Best], spans: Sequence[slice], apart: bool) -> list[Best]:
    """Every span's best; on all cores where they are `apart`: exploring writes what it learns into the table."""
    if not apart or len(spans) < 2:
        return [one(span) for span in spans]
    with ThreadPoolExecutor(CORES) as cores:  # array operations let other threads run beside them
        return list(cores.map(one, spans))


def _block(table: Table, readers: Readers, span: slice, limit: NDArray[np.int64], width: int) -> Best:
    block, closed = _opened(table, readers, span, limit)
    found = _union(table.bits, block.query, block.weight > 0)
    matched = np.bitwise_count(found & ~closed).sum(1).astype(np.int32)
    beyond = _beyond(table, block, found | closed)
    papers, count = _pins(table, closed, limit, width)
    pins = count.copy()
    beyond[(count >= limit) | _is_closed(closed, beyond)] = -1
    _turns(table, block, closed, papers, count, limit - (beyond >= 0))
    raised = _raised(table, block, closed, limit - count, beyond)
    order, reasons = _ordered(table, block.query, block.weight, papers, pins)
    return Best(np.take_along_axis(papers, order, 1), np.take_along_axis(reasons, order, 1), matched, beyond, raised)


def _opened(table: Table, readers: Readers, span: slice, limit: NDArray[np.int64]) -> tuple[_Block, NDArray[np.uint64]]:
    """The interests of a span of readers, and the papers their mutes close to each."""
    starts = readers.starts[span.start : span.stop + 1]
    width = int(min(MOST_INTERESTS, max(1, np.diff(starts).max())))
    at = starts[:-1, None] + np.arange(width)
    held = at < starts[1:, None]
    at = np.minimum(at, max(0, len(readers.query) - 1))
    query = readers.query[at]
    muted = held & readers.muted[at]
    weight = np.where(held & ~muted, readers.weight[at].astype(np.float64), 0.0)
    weight[table.size[query] == 0] = 0.0
    nobody = np.zeros(len(query), np.bool_)
    community = nobody if readers.community is None else readers.community[span]
    explore = nobody if readers.explore is None else readers.explore[span] & (limit >= FEWEST_FOR_EXPLORING)
    return _Block(query, weight, limit, community, explore), _union(table.bits, query, muted)


def _beyond(table: Table, block: _Block, shut: NDArray[np.uint64]) -> NDArray[np.int32]:
    """Of each reader who explores, the paper nearest to their interests of those that answer none; -1 for none."""
    beyond = np.full(len(block.query), -1, np.int32)
    rows = np.flatnonzero(block.explore)
    if not len(rows) or not len(table.day):
        return beyond
    query, weight, shut = block.query[rows], block.weight[rows].astype(np.float32), shut[rows]
    near = np.zeros((len(rows), len(table.day)), np.float32)
    known = table.nearness(query[weight > 0])
    for column in range(query.shape[1]):
        on = np.flatnonzero(weight[:, column] > 0)
        near[on] += weight[on, column, None] * known[query[on, column]]
        shut[on] |= table.named[query[on, column]]
    near[np.unpackbits(shut.view(np.uint8), axis=1, count=len(table.day), bitorder="little").view(np.bool_)] = 0
    best = near.argmax(1)
    beyond[rows] = np.where(near[np.arange(len(rows)), best] > 0, best, -1)
    return beyond


def _is_closed(closed: NDArray[np.uint64], place: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Whether each reader's place is closed to them; a place of -1 is not."""
    at = np.maximum(place, 0)
    bits = closed[np.arange(len(at)), at >> 6] >> (at & 63).astype(np.uint64)
    is_closed: NDArray[np.bool_] = (bits & np.uint64(1)).astype(np.bool_) & (place >= 0)
    return is_closed


def _raised(
    table: Table, block: _Block, closed: NDArray[np.uint64], left: NDArray[np.int64], beyond: NDArray[np.int32]
) -> NDArray[np.int32]:
    """What the community raised most, for the places that are left, three at most."""
    picks = np.full((len(left), MOST_COMMUNITY), -1, np.int32)
    count = np.zeros(len(left), np.int64)
    rows = np.flatnonzero(beyond >= 0)
    closed[rows, beyond[rows] >> 6] |= np.uint64(1) << (beyond[rows] & 63).astype(np.uint64)
    room = np.where(block.community, np.minimum(MOST_COMMUNITY, left - (beyond >= 0)), 0)
    for place in table.day.liked_rank:
        rows = np.flatnonzero(count < room)
        if not len(rows):
            break
        _take(rows, np.full(len(rows), place, np.int32), closed, picks, count)
    return picks


def _union(bits: NDArray[np.uint64], query: NDArray[np.int32], chosen: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """The papers of the chosen interests of each reader, together."""
    union = np.zeros((len(query), bits.shape[1]), np.uint64)
    for column in range(query.shape[1]):
        rows = np.flatnonzero(chosen[:, column])
        union[rows] |= bits[query[rows, column]]
    return union


def _pins(
    table: Table, closed: NDArray[np.uint64], limit: NDArray[np.int64], width: int
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    papers = np.full((len(closed), width), -1, np.int32)
    count = np.zeros(len(closed), np.int64)
    for place in table.day.pinned:
        rows = np.flatnonzero(count < limit)
        _take(rows, np.full(len(rows), place, np.int32), closed, papers, count)
    return papers, count


def _turns(
    table: Table,
    block: _Block,
    closed: NDArray[np.uint64],
    papers: NDArray[np.int32],
    count: NDArray[np.int64],
    room: NDArray[np.int64],
) -> None:
    """Turn by turn, each reader's interest with the best claim brings its next paper that is not there yet."""
    small_first = np.argsort(table.size[block.query], axis=1, kind="stable")
    query = np.take_along_axis(block.query, small_first, 1)
    weight = np.take_along_axis(block.weight, small_first, 1)
    turns = np.ones(query.shape)
    claim = np.divide(1.0, weight, out=np.full(weight.shape, np.inf), where=weight > 0)
    pointer = np.zeros(query.shape, np.int32)
    going = np.flatnonzero((count < room) & np.isfinite(claim).any(1))
    while len(going):
        column = claim[going].argmin(1)
        ahead = pointer[going, column]
        place = table.order[query[going, column], ahead].astype(np.int32)
        pointer[going, column] = ahead + 1
        done = place < 0
        claim[going[done], column[done]] = np.inf
        took = _take(going[~done], place[~done], closed, papers, count)
        rows, columns = going[~done][took], column[~done][took]
        turns[rows, columns] += 1
        claim[rows, columns] = turns[rows, columns] / weight[rows, columns]
        going = going[(count[going] < room[going]) & np.isfinite(claim[going]).any(1)]


def _take(
    rows: NDArray[np.int64],
    place: NDArray[np.int32],
    closed: NDArray[np.uint64],
    papers: NDArray[np.int32],
    count: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """Give each of `rows` its paper unless it is closed to them; which were given."""
    word, bit = place >> 6, np.uint64(1) << (place & 63).astype(np.uint64)
    free: NDArray[np.bool_] = (closed[rows, word] & bit) == 0
    rows, place = rows[free], place[free]
    papers[rows, count[rows]] = place
    count[rows] += 1
    closed[rows, word[free]] |= bit[free]
    return free


def _ordered(
    table: Table,
    query: NDArray[np.int32],
    weight: NDArray[np.float64],
    papers: NDArray[np.int32],
    pins: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
    """Pins, then the others by fused score; and which interests hold each paper."""
    scores = np.zeros(papers.shape)
    reasons = np.zeros(papers.shape, np.uint32)
    for column in range(query.shape[1]):
        rank = table.rank[query[:, column, None], papers]
        counts = (rank != UNRANKED) & (weight[:, column, None] > 0)
        scores += np.where(counts, weight[:, column, None] / (FUSION + rank.astype(np.int32)), 0.0)
        reasons |= np.where(counts, np.uint32(1 << column), np.uint32(0))
    scores += table.votes[papers]
    place = np.arange(papers.shape[1])
    scores = np.where(place < pins[:, None], 1e6 - place, scores)
    scores[papers < 0] = -np.inf
    reasons[papers < 0] = 0
    return np.argsort(-scores, axis=1, kind="stable"), reasons
