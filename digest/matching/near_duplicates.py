"""Near duplicates: papers so alike that a letter needs only one of them while others wait.

Candidate pairs come from min-hashes in bands (Broder, 1997; Leskovec, Rajaraman & Ullman, ch. 3), in time linear in
the number of papers; every candidate pair is then compared stem by stem.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from digest.matching.postings import Ints, Postings

ALIKE = 0.7
FEWEST_STEMS = 12
MOST_PAPERS = 5_000
BANDS, HASHES_A_BAND = 25, 4
LARGEST = np.iinfo(np.int32).max


def alike(postings: Postings) -> dict[int, set[int]]:
    """Each paper that has near duplicates, with them: most of their different stems are the same (Jaccard)."""
    found: defaultdict[int, set[int]] = defaultdict(set)
    stems: dict[int, frozenset[str]] = {}
    for pair in dict.fromkeys(_candidates(postings)):
        for place in pair:
            if place not in stems:
                stems[place] = frozenset(postings.stems_in(place))
        one, other = pair
        shared = len(stems[one] & stems[other])
        if shared >= max(FEWEST_STEMS, ALIKE * len(stems[one] | stems[other])):
            found[one].add(other)
            found[other].add(one)
    return dict(found)


def last(order: Sequence[int], alike: Mapping[int, set[int]]) -> list[int]:
    """The order with every near duplicate of an earlier paper moved to the end."""
    if alike.keys().isdisjoint(order):
        return list(order)
    seen: set[int] = set()
    kept: list[int] = []
    moved: list[int] = []
    for place in order:
        if seen.isdisjoint(alike.get(place, ())):
            kept.append(place)
        else:
            moved.append(place)
        seen.add(place)
    return kept + moved


def _candidates(postings: Postings) -> Iterator[tuple[int, int]]:
    """Pairs of papers with equal min-hashes in some band, a pair once a band."""
    papers = np.flatnonzero(postings.lengths >= FEWEST_STEMS).astype(np.int32)
    if len(papers) < 2:
        return
    starts = np.searchsorted(postings.doc, papers)
    ends = np.searchsorted(postings.doc, papers, side="right")
    edges = np.stack([starts, ends], axis=1).ravel()
    generator = np.random.default_rng(0)
    stem_at = postings.stem_of[postings.forms]
    for _ in range(BANDS):
        band = []
        for _ in range(HASHES_A_BAND):
            hashes = generator.permutation(len(postings.stems) + 1).astype(np.int32)
            hashes[0] = LARGEST  # the separator is no stem
            hashed = np.append(hashes[stem_at], LARGEST)
            band.append(np.minimum.reduceat(hashed, edges)[::2])
        yield from _equal(papers, np.stack(band, axis=1))


def _equal(papers: Ints, band: NDArray[np.int32]) -> Iterator[tuple[int, int]]:
    """Pairs of papers whose rows in the band, of shape (papers, hashes), are equal."""
    groups: defaultdict[bytes, list[int]] = defaultdict(list)
    for place, row in zip(papers.tolist(), band, strict=True):
        groups[row.tobytes()].append(place)
    for group in groups.values():
        yield from combinations(group, 2)
