"""A liked-paper profile, fitted in closed form: the mean of the papers a reader liked, less the mean of all papers.

This is the ridge or discriminant solution in the limit of strong regularisation, which was better than any weaker one
on every tuning set (docs/matching.md). It is computed twice, over features (sparse) and over the LSA directions
(dense); each score is standardised by its mean and deviation over a random sample of papers, the background.
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
MATCH_QUANTILE = 0.97
FEATURES_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Liked:
    """One paper a reader spoke of: `value` above 0 liked, below not; `age` in days since they said so."""

    title: str
    value: float = 1.0
    age: float = 0.0


@dataclass(frozen=True, slots=True)
class LikedProfile:
    """One reader's profile: sparse `weights` of feature `columns`, and `dense` weights of directions.

    `mean` and `deviation` standardise the sparse and the dense score; a sum above `threshold` is a match. `titles`
    with `likes` (dense rows) tell which liked paper a new one resembles.
    """

    columns: Ints
    weights: Floats
    dense: Floats
    mean: tuple[float, float]
    deviation: tuple[float, float]
    threshold: float
    titles: tuple[str, ...]
    likes: Floats


@dataclass(frozen=True, slots=True)
class Background:
    """What all readers' likes are compared with: the mean of all papers, and a random sample of papers.

    `heaviest` are the features by their weight in the `mean` paper, heaviest first. `papers_with` has a row for each
    feature: the sample's papers that hold it. `dense` are the sample's dense rows.
    """

    mean: Floats
    heaviest: Ints
    papers_with: SparseRows
    dense: Floats

    @classmethod
    def of(cls, model: LsaModel, sample: Vectors) -> Background:
        heaviest = np.argsort(-np.abs(model.mean), kind="stable").astype(np.int32)
        return cls(model.mean, heaviest, sample.sparse.transposed(), sample.dense)

    def less(self, columns: Ints, values: Floats) -> tuple[Ints, Floats]:
        """A sparse vector less the mean paper: the `KEPT_FEATURES` weightiest of what is left, by rising feature.

        Features the vector does not hold weigh what they weigh in the mean, so only the heaviest can be among them.
        """
        candidates = self.heaviest[: KEPT_FEATURES + len(columns)]
        held = np.unique(np.concatenate([columns, candidates]))
        left = -self.mean[held]
        np.add.at(left, np.searchsorted(held, columns), values)
        weightiest = np.argsort(-np.abs(left), kind="stable")
        kept = np.sort(weightiest[:KEPT_FEATURES])
        return held[kept].astype(np.int32), left[kept].astype(np.float32)

    def scores(self, columns: Ints, weights: Floats) -> Floats:
        """The product of a sparse vector with each paper of the sample: shape (papers,)."""
        rows = self.papers_with
        starts, sizes = rows.starts[columns], np.diff(rows.starts)[columns]
        at = np.arange(sizes.sum()) + np.repeat(starts - np.cumsum(sizes) + sizes, sizes)
        weighed = rows.values[at] * np.repeat(weights, sizes)
        return np.bincount(rows.columns[at], weighed, minlength=len(self.dense)).astype(np.float32)


def fit(liked: Sequence[Liked], vectors: Vectors, background: Background) -> LikedProfile | None:
    """The profile of papers `liked`, which are the rows of `vectors`. None where nothing was liked."""
    good = [number for number, one in enumerate(liked) if one.value > 0]
    if not good:
        return None
    share = _shares(liked)
    sparse = vectors.sparse
    columns, weights = background.less(sparse.columns, sparse.values * share[sparse.row_of])
    dense = (share @ vectors.dense).astype(np.float32)
    by_features = background.scores(columns, weights)
    by_directions = background.dense @ dense
    mean = float(by_features.mean()), float(by_directions.mean())
    deviation = float(by_features.std()) or 1.0, float(by_directions.std()) or 1.0
    total = _combined(by_features, by_directions, mean, deviation)
    newest = good[:KEPT_LIKES]
    return LikedProfile(
        columns=columns,
        weights=weights,
        dense=dense,
        mean=mean,
        deviation=deviation,
        threshold=float(np.quantile(total, MATCH_QUANTILE)),
        titles=tuple(liked[number].title for number in newest),
        likes=vectors.dense[newest],
    )


def scores(profile: LikedProfile, papers: Vectors) -> Floats:
    """How well each paper fits the profile, in deviations above a random paper: shape (papers,)."""
    by_features = papers.sparse.times(_row(profile, papers.sparse.width))
    return _combined(by_features, papers.dense @ profile.dense, profile.mean, profile.deviation)


def nearest(profile: LikedProfile, papers: Vectors, place: int) -> str:
    """The title of the liked paper that this one resembles most."""
    return profile.titles[int(np.argmax(profile.likes @ papers.dense[place]))]


def without(profile: LikedProfile, title: str) -> LikedProfile | None:
    """The same profile that names this liked paper no more; None where it was the only one."""
    left = [number for number, one in enumerate(profile.titles) if one != title]
    if not left:
        return None
    titles = tuple(profile.titles[number] for number in left)
    return replace(profile, titles=titles, likes=profile.likes[left])


def top_features(profile: LikedProfile, papers: Vectors, place: int, names: Sequence[str]) -> tuple[str, ...]:
    """The features that count most for the paper at `place`, by their names without `author:` and `cat:`."""
    columns, values = papers.sparse.row(place)
    gains = values * _row(profile, papers.sparse.width)[columns]
    found = []
    for best in np.argsort(-gains, kind="stable")[:FEATURES_SHOWN]:
        name = names[columns[best]]
        if gains[best] > 0:
            found.append(name.partition(":")[2] or name)
    return tuple(found)


def _shares(liked: Sequence[Liked]) -> Floats:
    """What each paper counts: likes together 1, dislikes together -`DISLIKE_SHARE`; older ones less."""
    age = np.array([max(0.0, one.age) for one in liked])
    value = np.array([one.value for one in liked])
    worth = np.abs(value) * 0.5 ** (age / HALF_LIFE_DAYS)
    likes = np.where(value > 0, worth, 0.0)
    dislikes = worth - likes
    shares = likes / max(likes.sum(), 1e-9) - DISLIKE_SHARE * dislikes / max(dislikes.sum(), 1e-9)
    return shares.astype(np.float32)


def _row(profile: LikedProfile, width: int) -> Floats:
    """The profile's sparse weights as a vector of `width`."""
    row = np.zeros(width, np.float32)
    row[profile.columns] = profile.weights
    return row


def _combined(sparse: Floats, dense: Floats, mean: tuple[float, float], deviation: tuple[float, float]) -> Floats:
    """Both scores standardised and added: shape (papers,)."""
    by_features = (sparse - mean[0]) / deviation[0]
    by_directions = (dense - mean[1]) / deviation[1]
    total: Floats = (by_directions + SPARSE_SHARE * by_features).astype(np.float32)
    return total
