"""A reader's own sentences as an interest: which words of them carry the meaning, and which papers answer.

BM25F for the words of the description, each weighed once more by the root of its rarity, then widened by the
words of the best five papers (pseudo-relevance feedback, Lavrenko & Croft, SIGIR 2001). How much each step gives
on judged collections stands in docs/matching.md.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from digest.matching.index import PaperIndex
from digest.matching.postings import Floats, Ints
from digest.matching.stopwords import SAYS_LITTLE
from subscriptions.query import Term, tokenizer

MOST_STEMS = 120
FEEDBACK_PAPERS = 5
FEEDBACK_STEMS = 60
FEEDBACK_SHARE = 0.2
CORE_STEMS = 8
COVERED = 0.3


@dataclass(frozen=True, slots=True)
class Description:
    """A description against a day: papers that answer it, best first, with scores, and the words looked for."""

    places: Ints
    scores: Floats
    stems: dict[str, float]


def stems_of(text: str) -> Counter[str]:
    """The meaningful stems of some sentences with how often they stand there."""
    return Counter(stem for stem in map(tokenizer.stem, tokenizer.tokens(text)) if stem not in SAYS_LITTLE)


def answer(day: PaperIndex, text: str) -> Description:
    """The papers that answer a description. Its length may be anything; only the weightiest stems are looked for."""
    stems = _weighed(day, stems_of(text))
    scores = scored(day, text)
    places = np.flatnonzero(_covered(day, stems)).astype(np.int32)
    order = np.argsort(-scores[places], kind="stable")
    return Description(places[order], scores[places][order], stems)


def scored(day: PaperIndex, text: str) -> Floats:
    """How well each paper of the day answers; one float a paper, higher is better."""
    stems = _weighed(day, stems_of(text))
    first = _sum(day, stems)
    if not stems or not first.any():
        return first
    wider = _wider(day, first, sum(stems.values()))
    return ((1 - FEEDBACK_SHARE) * first + FEEDBACK_SHARE * _sum(day, wider)).astype(np.float32)


def _weighed(day: PaperIndex, counts: Counter[str]) -> dict[str, float]:
    """Each stem's weight: how often it was said, times the root of its rarity. The heaviest `MOST_STEMS`."""
    weights = {stem: count * day.rarity(day.found(stem)) ** 0.5 for stem, count in counts.items() if day.found(stem)}
    return dict(sorted(weights.items(), key=lambda item: -item[1])[:MOST_STEMS])


def _sum(day: PaperIndex, stems: dict[str, float]) -> Floats:
    total = np.zeros(len(day), np.float32)
    for stem, weight in stems.items():
        papers, gains = day.gain(Term((stem,)))
        total[papers] += weight * gains
    return total


def _wider(day: PaperIndex, first: Floats, mass: float) -> dict[str, float]:
    """The stems of the best papers, weighed so that together they weigh as much as the description."""
    best = np.argsort(-first, kind="stable")[:FEEDBACK_PAPERS]
    best = best[first[best] > 0]
    shares = first[best] / first[best].sum()
    found: Counter[str] = Counter()
    for place, share in zip(best.tolist(), shares.tolist(), strict=True):
        vector = {
            stem: (1 + np.log(count)) * day.rarity(day.found(stem)) for stem, count in day.stems_in(place).items()
        }
        length = float(np.sqrt(sum(value * value for value in vector.values()))) or 1.0
        for stem, value in vector.items():
            if stem not in SAYS_LITTLE:
                found[stem] += share * value / length
    kept = dict(found.most_common(FEEDBACK_STEMS))
    return {stem: value * mass / sum(kept.values()) for stem, value in kept.items()}


def _covered(day: PaperIndex, stems: dict[str, float]) -> np.ndarray:
    """Which papers hold enough of what was said: a share of the weight, and two words where two were said."""
    worth = {stem: weight * day.rarity(day.found(stem)) ** 0.5 for stem, weight in stems.items()}
    core = sum(sorted(worth.values(), reverse=True)[: max(CORE_STEMS, len(worth) // 3)])
    held, often = np.zeros(len(day)), np.zeros(len(day), np.int32)
    for stem, value in worth.items():
        papers, _ = day.gain(Term((stem,)))
        held[papers] += value
        often[papers] += 1
    return (held >= COVERED * core) & (often >= min(2, len(stems))) & (often > 0)
