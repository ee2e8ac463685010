"""How good an order is, and how sure we are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DEPTH = 10
DRAWS = 2000


def auc(scores: NDArray[np.floating], good: NDArray[np.bool_]) -> float:
    """The chance that a good item stands above a bad one; ties count half."""
    _, place, often = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(often) - (often - 1) / 2)[place]
    many = int(good.sum())
    return float((ranks[good].sum() - many * (many + 1) / 2) / (many * (len(good) - many)))


def ndcg(scores: NDArray[np.floating], good: NDArray[np.bool_]) -> float:
    """Normalised discounted gain of the first ten."""
    worth = 1 / np.log2(np.arange(2, DEPTH + 2))
    first = good[np.argsort(-scores, kind="stable")[:DEPTH]]
    return float((first * worth[: len(first)]).sum() / worth[: int(good.sum())].sum())


def precision(scores: NDArray[np.floating], good: NDArray[np.bool_]) -> float:
    """The share of good ones among the first ten."""
    return float(good[np.argsort(-scores, kind="stable")[:DEPTH]].mean())


@dataclass(frozen=True, slots=True)
class Figures:
    """One recipe's figures, one value a task (a user, a question or a review)."""

    auc: NDArray[np.float64]
    ndcg: NDArray[np.float64]
    precision: NDArray[np.float64]

    def summary(self) -> dict[str, float]:
        """Means over the tasks, and the median AUC."""
        means = {name: round(float(getattr(self, name).mean()), 4) for name in ("auc", "ndcg", "precision")}
        return {**means, "median_auc": round(float(np.median(self.auc)), 4)}


def gain(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> dict[str, float]:
    """Our mean gain over theirs, task by task, with its 95 % bootstrap interval."""
    difference = ours - theirs
    drawn = np.random.default_rng(0).integers(0, len(difference), (DRAWS, len(difference)))
    low, high = np.quantile(difference[drawn].mean(axis=1), [0.025, 0.975])
    return {"gain": round(float(difference.mean()), 4), "low": round(float(low), 4), "high": round(float(high), 4)}
