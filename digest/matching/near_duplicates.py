"""Near-copies: papers so alike that a letter needs only one of them while others wait.

Candidates come from min-hashes in bands (Broder, 1997; Leskovec, Rajaraman & Ullman, ch. 3), so that a day is
looked through once and not pair by pair; every candidate is then compared word by word.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np

from digest.matching.postings import Postings

ALIKE = 0.7
FEWEST_STEMS = 12
MOST_PAPERS = 5_000
BANDS, HASHES_A_BAND = 25, 4


def alike(stream: Postings) -> dict[int, set[int]]:
    """Each paper that has near-copies, with them: most of their different words are the same (Jaccard)."""
    found: defaultdict[int, set[int]] = defaultdict(set)
    known: dict[int, frozenset[str]] = {}
    for one, other in dict.fromkeys(_candidates(stream)):
        first, second = (known.setdefault(place, frozenset(stream.stems_in(place))) for place in (one, other))
        shared = len(first & second)
        if shared >= FEWEST_STEMS and shared >= ALIKE * len(first | second):
            found[one].add(other)
            found[other].add(one)
    return dict(found)


def last(order: Sequence[int], copies: dict[int, set[int]]) -> list[int]:
    """The order with every near-copy of an earlier paper moved to the end."""
    if copies.keys().isdisjoint(order):
        return list(order)
    seen: set[int] = set()
    kept: list[int] = []
    moved: list[int] = []
    for place in order:
        (kept if seen.isdisjoint(copies.get(place, ())) else moved).append(place)
        seen.add(place)
    return kept + moved


def _candidates(stream: Postings) -> Iterator[tuple[int, int]]:
    rows = np.flatnonzero(stream.lengths >= FEWEST_STEMS)
    if len(rows) < 2:
        return
    starts = np.searchsorted(stream.doc, rows)
    ends = np.searchsorted(stream.doc, rows, side="right")
    edges = np.stack([starts, ends], axis=1).ravel()
    draw = np.random.default_rng(0)
    stems = stream.stem_of[stream.forms]
    for _ in range(BANDS):
        band = []
        for _ in range(HASHES_A_BAND):
            worth = draw.permutation(len(stream.stems) + 1).astype(np.int32)
            worth[0] = np.iinfo(np.int32).max  # the separator is no word
            spread = np.append(worth[stems], np.iinfo(np.int32).max)
            band.append(np.minimum.reduceat(spread, edges)[::2])
        yield from _together(rows, np.stack(band, axis=1))


def _together(rows: np.ndarray, band: np.ndarray) -> Iterator[tuple[int, int]]:
    """Pairs of papers whose whole band is equal."""
    groups: defaultdict[bytes, list[int]] = defaultdict(list)
    for place, values in zip(rows.tolist(), np.ascontiguousarray(band), strict=True):
        groups[values.tobytes()].append(place)
    for group in groups.values():
        yield from combinations(group, 2)
