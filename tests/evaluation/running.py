"""Every recipe over every task of a collection, and what ours gains over the best of the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from digest.matching.onnx_encoder import OnnxEncoder, text_of
from digest.matching.paper_text import PaperText
from tests.evaluation import collections, measures, recipes
from tests.evaluation.collections import Collection
from tests.evaluation.measures import Figures
from tests.evaluation.recipes import Scorer

OURS = "offprint"


def run(folder: Path, part: str, encoder: OnnxEncoder | None = None) -> list[dict[str, Any]]:
    """One answer a collection: every recipe's means, and our gain over the best other with its interval.

    With an encoder, likes are matched with it; the other recipes stay as they are.
    """
    liked = [*(read(folder, part) for read in collections.LIKES.values()), *collections.reviews(folder, part)]
    answers = [_measured(_encoded(one, encoder), recipes.BY_LIKES) for one in liked]
    answers += [_measured(read(folder, part), recipes.BY_WORDS) for read in collections.QUESTIONS.values()]
    return answers


def _encoded(collection: Collection, encoder: OnnxEncoder | None) -> Collection:
    if encoder is None:
        return collection
    rows = encoder.encode([text_of(paper) for paper in collection.papers])
    papers = [replace(paper, embedding=row) for paper, row in zip(collection.papers, rows, strict=True)]
    return replace(collection, papers=papers)


def _measured(collection: Collection, by: Mapping[str, Callable[[list[PaperText]], Scorer]]) -> dict[str, Any]:
    found = {name: _figures(collection, make(collection.papers)) for name, make in by.items()}
    return {
        "collection": collection.name,
        "papers": len(collection.papers),
        "tasks": len(collection.tasks),
        "recipes": {name: figures.summary() for name, figures in found.items()},
        "gains": {measure: _gain(found, measure) for measure in ("auc", "ndcg")},
    }


def _figures(collection: Collection, scorer: Scorer) -> Figures:
    rows: Iterable[tuple[float, float, float]] = [
        (measures.auc(scores, task.good), measures.ndcg(scores, task.good), measures.precision(scores, task.good))
        for task in collection.tasks
        for scores in [np.asarray(scorer(task))]
    ]
    return Figures(*(np.array(column) for column in zip(*rows, strict=True)))


def _gain(found: dict[str, Figures], measure: str) -> dict[str, Any]:
    others = {name: getattr(figures, measure) for name, figures in found.items() if name != OURS}
    best = max(others, key=lambda name: float(others[name].mean()))
    return {"over": best, **measures.gain(getattr(found[OURS], measure), others[best])}
