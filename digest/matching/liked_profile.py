"""What a reader's likes say, learned in closed form: the mean of what they liked, less the mean of everything.

That difference is the ridge or discriminant solution in the limit of strong regularisation, which was better than
any weaker one on every tuning set (docs/matching.md); shared random papers stand for "everything". It is taken
twice, over words and over the corpus's main directions, each scaled by its own spread over the shared papers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from digest.matching.lsa import LsaModel, Vectors
from digest.matching.postings import Floats, Ints
from digest.matching.sparse import SparseRows

SPARSE_SHARE = 0.6
KEPT_FEATURES = 300
DISLIKE_SHARE = 0.5
HALF_LIFE_DAYS = 180.0
KEPT_LIKES = 200
REACH = 0.97
WORDS_TOLD = 5


@dataclass(frozen=True, slots=True)
class Liked:
    """One paper a reader spoke of: `value` above 0 liked, below not; `age` in days since they said so."""

    title: str
    value: float = 1.0
    age: float = 0.0


@dataclass(frozen=True, slots=True)
class LikedProfile:
    """One reader's profile. `scale` and `middle` bring the two parts to one measure; above `threshold` is a match.

    `titles` with `likes` (dense rows) tell which liked paper a new one resembles.
    """

    columns: Ints
    weights: Floats
    dense: Floats
    middle: tuple[float, float]
    scale: tuple[float, float]
    threshold: float
    titles: tuple[str, ...]
    likes: Floats


@dataclass(frozen=True, slots=True)
class Background:
    """What likes are held against, made ready once for all readers: shared random papers and the mean of everything.

    `holding` has a row for each feature: the shared papers that hold it. `heaviest` are the features by their weight
    in the mean paper, heaviest first.
    """

    middle: Floats
    heaviest: Ints
    holding: SparseRows
    dense: Floats

    @classmethod
    def of(cls, space: LsaModel, papers: Vectors) -> Background:
        heaviest = np.argsort(-np.abs(space.middle), kind="stable").astype(np.int32)
        return cls(space.middle, heaviest, papers.sparse.turned(), papers.dense)

    def less(self, columns: Ints, values: Floats) -> tuple[Ints, Floats]:
        """A sparse vector less the mean paper: the `KEPT_FEATURES` weightiest of what is left, by rising feature.

        Features the vector does not hold weigh what they weigh in the mean, so only the heaviest can be among them.
        """
        held = np.unique(np.concatenate([columns, self.heaviest[: KEPT_FEATURES + len(columns)]]))
        left = -self.middle[held]
        np.add.at(left, np.searchsorted(held, columns), values)
        kept = np.sort(np.argsort(-np.abs(left), kind="stable")[:KEPT_FEATURES])
        return held[kept].astype(np.int32), left[kept].astype(np.float32)

    def scores(self, columns: Ints, weights: Floats) -> Floats:
        """A sparse vector against every shared paper."""
        starts, sizes = self.holding.starts[columns], np.diff(self.holding.starts)[columns]
        at = np.arange(sizes.sum()) + np.repeat(starts - np.cumsum(sizes) + sizes, sizes)
        weighed = self.holding.values[at] * np.repeat(weights, sizes)
        return np.bincount(self.holding.columns[at], weighed, minlength=len(self.dense)).astype(np.float32)


def fit(liked: Sequence[Liked], vectors: Vectors, background: Background) -> LikedProfile | None:
    """The profile of papers `liked`, which are the rows of `vectors`. None where nothing was liked."""
    if not any(one.value > 0 for one in liked):
        return None
    pull = _pull(liked)
    columns, weights = background.less(vectors.sparse.columns, vectors.sparse.values * pull[vectors.sparse.row_of])
    dense = (pull @ vectors.dense).astype(np.float32)
    raw = background.scores(columns, weights), background.dense @ dense
    middle = tuple(float(part.mean()) for part in raw)
    scale = tuple(float(part.std()) or 1.0 for part in raw)
    together = _together(raw, (middle[0], middle[1]), (scale[0], scale[1]))
    good = [number for number, one in enumerate(liked) if one.value > 0][:KEPT_LIKES]
    return LikedProfile(
        columns=columns,
        weights=weights,
        dense=dense,
        middle=(middle[0], middle[1]),
        scale=(scale[0], scale[1]),
        threshold=float(np.quantile(together, REACH)) if len(together) else 0.0,
        titles=tuple(liked[number].title for number in good),
        likes=vectors.dense[good],
    )


def scores(taste: LikedProfile, papers: Vectors) -> Floats:
    """How much each paper is to the reader's taste, in spreads over a random paper."""
    raw = papers.sparse.times(_spread(taste.columns, taste.weights, papers.sparse.width)), papers.dense @ taste.dense
    return _together(raw, taste.middle, taste.scale)


def nearest(taste: LikedProfile, papers: Vectors, place: int) -> str:
    """The title of the liked paper that this one resembles most."""
    return taste.titles[int(np.argmax(taste.likes @ papers.dense[place]))]


def without(taste: LikedProfile, title: str) -> LikedProfile | None:
    """The same taste that names this liked paper no more; None where it was the only one."""
    left = [place for place, one in enumerate(taste.titles) if one != title]
    if not left:
        return None
    return replace(taste, titles=tuple(taste.titles[place] for place in left), likes=taste.likes[left])


def top_features(taste: LikedProfile, papers: Vectors, place: int, names: Sequence[str]) -> tuple[str, ...]:
    """The features (by their names) that spoke most for this paper."""
    columns, values = papers.sparse.row(place)
    gains = values * _spread(taste.columns, taste.weights, papers.sparse.width)[columns]
    best = np.argsort(-gains, kind="stable")[:WORDS_TOLD]
    return tuple(names[columns[one]].partition(":")[2] or names[columns[one]] for one in best if gains[one] > 0)


def _pull(liked: Sequence[Liked]) -> Floats:
    """What each paper weighs: likes together 1, dislikes together -`DISLIKE_SHARE`; older ones less."""
    worth = np.array([abs(one.value) * 0.5 ** (max(0.0, one.age) / HALF_LIFE_DAYS) for one in liked])
    good = np.array([one.value > 0 for one in liked])
    pull = np.where(good, worth / max(worth[good].sum(), 1e-9), 0.0)
    if (~good).any():
        pull -= np.where(good, 0.0, DISLIKE_SHARE * worth / max(worth[~good].sum(), 1e-9))
    return pull.astype(np.float32)


def _spread(columns: Ints, weights: Floats, width: int) -> Floats:
    row = np.zeros(width, np.float32)
    row[columns] = weights
    return row


def _together(raw: tuple[Floats, Floats], middle: tuple[float, float], scale: tuple[float, float]) -> Floats:
    sparse, dense = ((part - mean) / spread for part, mean, spread in zip(raw, middle, scale, strict=True))
    total: Floats = (dense + SPARSE_SHARE * sparse).astype(np.float32)
    return total
