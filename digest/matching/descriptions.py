"""A description, which is a reader's own sentences, as an interest: its weightiest stems and the papers that answer.

BM25F for the stems of the description, each weighed once more by the root of its rarity, then widened by the stems
of the best five papers (pseudo-relevance feedback, Lavrenko & Croft, SIGIR 2001). docs/matching.md has what each
step gains on judged collections.
"""

from __future__ import annotations

import math
from collections import Counter
from heapq import nlargest

import numpy as np
from numpy.typing import NDArray

from digest.matching.index import Hits, PaperIndex
from digest.matching.postings import Floats
from digest.matching.stopwords import STOPWORDS
from subscriptions.query import Term, tokenizer

MOST_STEMS = 120
FEEDBACK_PAPERS = 5
FEEDBACK_STEMS = 60
FEEDBACK_SHARE = 0.2
CORE_STEMS = 8
COVERED = 0.3


def stems_of(text: str) -> Counter[str]:
    """The stems of a text with their counts, stopwords left out."""
    stems = map(tokenizer.stem, tokenizer.tokens(text))
    return Counter(stem for stem in stems if stem not in STOPWORDS)


def answer(index: PaperIndex, text: str) -> Hits:
    """The papers that answer a description, best first; of a long one only the weightiest stems are looked for."""
    scores = scored(index, text)
    places = np.flatnonzero(_covered(index, _weights(index, text))).astype(np.int32)
    order = np.argsort(-scores[places], kind="stable")
    return Hits(places[order], scores[places][order])


def scored(index: PaperIndex, text: str) -> Floats:
    """How well each paper of the index answers a description: shape (papers,), higher is better."""
    stems = _weights(index, text)
    first = _sum(index, stems)
    if not first.any():
        return first
    wider = _sum(index, _feedback(index, first, sum(stems.values())))
    return ((1 - FEEDBACK_SHARE) * first + FEEDBACK_SHARE * wider).astype(np.float32)


def _weights(index: PaperIndex, text: str) -> dict[str, float]:
    """The weight of each stem that some paper holds: its count times the root of its rarity; at most `MOST_STEMS`."""
    weights: dict[str, float] = {}
    for stem, count in stems_of(text).items():
        papers = index.found(stem)
        if papers:
            weights[stem] = count * index.rarity(papers) ** 0.5
    kept = nlargest(MOST_STEMS, weights, key=weights.__getitem__)
    return {stem: weights[stem] for stem in kept}


def _sum(index: PaperIndex, stems: dict[str, float]) -> Floats:
    """The weighed BM25F scores of the stems: shape (papers,)."""
    total = np.zeros(len(index), np.float32)
    for stem, weight in stems.items():
        papers, gains = index.gain(Term((stem,)))
        total[papers] += weight * gains
    return total


def _feedback(index: PaperIndex, scores: Floats, total: float) -> dict[str, float]:
    """The weightiest stems of the best papers, with weights that add up to `total`."""
    best = np.argsort(-scores, kind="stable")[:FEEDBACK_PAPERS]
    best = best[scores[best] > 0]
    shares = scores[best] / scores[best].sum()
    weights: dict[str, float] = {}
    for place, share in zip(best.tolist(), shares.tolist(), strict=True):
        vector: dict[str, float] = {}
        for stem, count in index.stems_in(place).items():
            vector[stem] = (1 + math.log(count)) * index.rarity(index.found(stem))
        length = math.hypot(*vector.values()) or 1.0
        for stem, value in vector.items():
            if stem not in STOPWORDS:
                weights[stem] = weights.get(stem, 0.0) + share * value / length
    kept = nlargest(FEEDBACK_STEMS, weights, key=weights.__getitem__)
    scale = total / sum(weights[stem] for stem in kept)
    return {stem: weights[stem] * scale for stem in kept}


def _covered(index: PaperIndex, stems: dict[str, float]) -> NDArray[np.bool_]:
    """Which papers hold enough of a description: a share of the weight, and two stems where it has two."""
    worth: dict[str, float] = {}
    for stem, weight in stems.items():
        worth[stem] = weight * index.rarity(index.found(stem)) ** 0.5
    heaviest = sorted(worth.values(), reverse=True)
    core = sum(heaviest[: max(CORE_STEMS, len(heaviest) // 3)])
    held = np.zeros(len(index))
    count = np.zeros(len(index), np.int32)
    for stem, value in worth.items():
        papers, _ = index.gain(Term((stem,)))
        held[papers] += value
        count[papers] += 1
    return (held >= COVERED * core) & (count >= max(1, min(2, len(stems))))
