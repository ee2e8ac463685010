"""The same choice as `selection.select`, for very many readers at once: every step is one array operation.

For wants that are queries (topics, filters, authors, categories), with weights and mutes; pins come first as
there. Reasons are kept as bits: bit *j* of a chosen paper says that the reader's *j*-th interest brought it.
A test holds both ways to the same answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from digest.matching.day import FUSION, VOTE_SHARE, Day

UNRANKED = np.iinfo(np.uint16).max
MOST_PAPERS = UNRANKED
MOST_INTERESTS = 32
BLOCK = 50_000


@dataclass(frozen=True, slots=True)
class Table:
    """Every distinct query against a day: its papers best first (-1 after the last), ranks, and bits."""

    order: NDArray[np.signedinteger]
    size: NDArray[np.int32]
    rank: NDArray[np.uint16]
    bits: NDArray[np.uint64]
    votes: NDArray[np.float64]
    pinned: tuple[int, ...]

    @classmethod
    def of(cls, day: Day, queries: Sequence[str]) -> Table:
        """Raises QueryError; the day must hold fewer than `MOST_PAPERS` papers."""
        words = len(day) // 64 + 1
        order = np.full((len(queries), len(day) + 1), -1, np.int16 if len(day) < np.iinfo(np.int16).max else np.int32)
        size = np.zeros(len(queries), np.int32)
        rank = np.full((len(queries), len(day)), UNRANKED, np.uint16)
        bits = np.zeros((len(queries), words), np.uint64)
        for number, query in enumerate(queries):
            answer = day.answer(query)
            places = np.array(answer.places, np.int32)
            size[number] = len(places)
            order[number, : len(places)] = places
            rank[number, places] = np.arange(len(places), dtype=np.uint16)
            bits[number] = np.frombuffer(answer.bits.to_bytes(words * 8, "little"), np.uint64)
        votes = np.zeros(len(day))
        for place, voted in day.liked_rank.items():
            votes[place] = VOTE_SHARE / (FUSION + voted)
        return cls(order, size, rank, bits, votes, tuple(day.pinned))


@dataclass(frozen=True, slots=True)
class Readers:
    """Interests of readers, a reader's together: reader *i* holds `[starts[i], starts[i + 1])`."""

    starts: NDArray[np.int64]
    query: NDArray[np.int32]
    weight: NDArray[np.float32]
    muted: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.starts) - 1


@dataclass(frozen=True, slots=True)
class Best:
    """The chosen papers of each reader, best first (-1 after the last), why, and how many matched in all."""

    papers: NDArray[np.int32]
    reasons: NDArray[np.uint32]
    matched: NDArray[np.int32]


def best(table: Table, readers: Readers, limit: int) -> Best:
    """The best `limit` papers of every reader. A reader's interests beyond `MOST_INTERESTS` are not looked at."""
    if not len(readers.query):  # one interest that belongs to nobody, so that there is something to point at
        nobodys = np.zeros(1, np.int32), np.zeros(1, np.float32), np.zeros(1, np.bool_)
        readers = Readers(readers.starts, *nobodys)
    edges = [*range(0, len(readers), BLOCK), len(readers)]
    parts = [_block(table, readers, low, high, limit) for low, high in pairwise(edges)]
    if not parts:
        empty = np.empty((0, limit), np.int32)
        return Best(empty, empty.astype(np.uint32), np.empty(0, np.int32))
    return Best(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("papers", "reasons", "matched")))


def _block(table: Table, readers: Readers, low: int, high: int, limit: int) -> Best:
    starts = readers.starts[low : high + 1]
    width = int(min(MOST_INTERESTS, max(1, np.diff(starts).max())))
    at = starts[:-1, None] + np.arange(width)
    held = at < starts[1:, None]
    at = np.minimum(at, max(0, len(readers.query) - 1))
    query = readers.query[at]
    muted = held & readers.muted[at]
    weight = np.where(held & ~muted, readers.weight[at].astype(np.float64), 0.0)
    weight[table.size[query] == 0] = 0.0
    closed = _union(table.bits, query, muted)
    matched = np.bitwise_count(_union(table.bits, query, weight > 0) & ~closed).sum(1).astype(np.int32)
    papers, count = _pins(table, closed, limit)
    pins = count.copy()
    _turns(table, query, weight, closed, papers, count, limit)
    order, reasons = _ordered(table, query, weight, papers, pins)
    return Best(np.take_along_axis(papers, order, 1), np.take_along_axis(reasons, order, 1), matched)


def _union(bits: NDArray[np.uint64], query: NDArray[np.int32], chosen: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """The papers of the chosen interests of each reader, together."""
    union = np.zeros((len(query), bits.shape[1]), np.uint64)
    for column in range(query.shape[1]):
        rows = np.flatnonzero(chosen[:, column])
        union[rows] |= bits[query[rows, column]]
    return union


def _pins(table: Table, closed: NDArray[np.uint64], limit: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    papers = np.full((len(closed), limit), -1, np.int32)
    count = np.zeros(len(closed), np.int64)
    everybody = np.arange(len(closed))
    for place in table.pinned:
        _take(everybody[count < limit], np.full(int((count < limit).sum()), place, np.int32), closed, papers, count)
    return papers, count


def _turns(
    table: Table,
    query: NDArray[np.int32],
    weight: NDArray[np.float64],
    closed: NDArray[np.uint64],
    papers: NDArray[np.int32],
    count: NDArray[np.int64],
    limit: int,
) -> None:
    """Turn by turn, each reader's interest with the best claim brings its next paper that is not there yet."""
    small_first = np.argsort(table.size[query], axis=1, kind="stable")
    query = np.take_along_axis(query, small_first, 1)
    weight = np.take_along_axis(weight, small_first, 1)
    turns = np.ones(query.shape)
    claim = np.divide(1.0, weight, out=np.full(weight.shape, np.inf), where=weight > 0)
    pointer = np.zeros(query.shape, np.int32)
    going = np.flatnonzero((count < limit) & np.isfinite(claim).any(1))
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
        going = going[(count[going] < limit) & np.isfinite(claim[going]).any(1)]


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
