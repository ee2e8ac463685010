"""Ways to order papers: ours, and the usual ones it is measured against. The usual ones need scikit-learn.

Each recipe is given the collection once and answers a task with one score a candidate.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from digest.matching import descriptions, liked_profile
from digest.matching.index import PaperIndex
from digest.matching.lsa import LsaModel
from digest.matching.paper_text import PaperText
from digest.matching.postings import Floats
from subscriptions.query import Term, tokenizer
from tests.evaluation.collections import Task

Scorer: TypeAlias = Callable[[Task], NDArray[np.floating]]
SHARED = 1000
_SANITY = r"(?u)\b[a-zA-Z_][a-zA-Z0-9_]+\b"


def ours_by_likes(papers: list[PaperText]) -> Scorer:
    """Offprint's profile of liked papers (`taste.fit`), with the encoder's rows where the papers have them."""
    space = LsaModel.build(papers, encoder="" if any(paper.embedding is None for paper in papers) else "given")
    everything = space.vectors(papers)
    drawn = np.random.default_rng(1).choice(len(papers), min(SHARED, len(papers)), replace=False)
    background = liked_profile.Background.of(space, everything.taken(drawn.tolist()))

    def scored(task: Task) -> Floats:
        assert task.profile is not None
        liked = [liked_profile.Liked(papers[place].title) for place in task.profile]
        profile = liked_profile.fit(liked, everything.taken(task.profile.tolist()), background)
        assert profile is not None
        return liked_profile.scores(profile, everything)[task.candidates]

    return scored


def ours_by_words(papers: list[PaperText]) -> Scorer:
    """Offprint's reading of a description (`describe.scored`)."""
    day = PaperIndex.build(papers)
    return lambda task: descriptions.scored(day, task.text)[task.candidates]


def bm25(papers: list[PaperText]) -> Scorer:
    """BM25 over title and abstract as one text (k1 1.2, b 0.75), every word of the question once per mention.

    For liked papers their titles are the question.
    """
    day = PaperIndex.build(PaperText(paper.id, "", f"{paper.title} . {paper.abstract}") for paper in papers)
    lengths = np.maximum(day.postings.lengths, 1)

    def scored(task: Task) -> Floats:
        total = np.zeros(len(papers), np.float32)
        for word in tokenizer.tokens(_question(papers, task)):
            positions = day.postings.positions(Term((word,)))
            often = np.bincount(day.postings.doc[positions], minlength=len(papers))
            rarity = day.rarity(int((often > 0).sum()))
            total += rarity * often * 2.2 / (often + 1.2 * (0.25 + 0.75 * lengths / lengths.mean()))
        return total[task.candidates]

    return scored


def cosine(papers: list[PaperText]) -> Scorer:
    """Plain tf-idf cosine to the question, or to the mean of the liked papers."""
    reader = _vectorizer(stop_words="english")
    rows = reader.fit_transform(_texts(papers))

    def scored(task: Task) -> NDArray[np.floating]:
        asked = reader.transform([task.text]) if task.profile is None else rows[task.profile].mean(0)
        return np.asarray(rows[task.candidates] @ (asked.T.toarray() if task.profile is None else asked.T)).ravel()

    return scored


def sanity(papers: list[PaperText]) -> Scorer:
    """arxiv-sanity-lite's recipe: tf-idf of title, abstract and authors, 1-2-grams, 20,000 features; a linear SVM
    with every other paper as a negative (its `compute.py` and `serve.py`)."""
    from sklearn.svm import LinearSVC

    reader = _vectorizer(
        strip_accents="unicode",
        stop_words="english",
        token_pattern=_SANITY,
        ngram_range=(1, 2),
        max_features=20_000,
        sublinear_tf=True,
        max_df=0.1,
        min_df=5,
    )
    rows = reader.fit_transform(
        [f"{text} {' '.join(paper.authors)}" for text, paper in zip(_texts(papers), papers, strict=True)]
    )

    def scored(task: Task) -> NDArray[np.floating]:
        labels = np.zeros(len(papers))
        labels[task.profile] = 1.0
        machine = LinearSVC(class_weight="balanced", max_iter=10_000, tol=1e-6, C=0.01)
        machine.fit(rows, labels)
        decided: NDArray[np.floating] = machine.decision_function(rows[task.candidates])
        return decided

    return scored


def zotero(papers: list[PaperText]) -> Scorer:
    """zotero-arxiv-daily's recipe on tf-idf instead of its encoder: mean similarity, newer likes weighing more
    (1 / (1 + log10(rank + 1)))."""
    rows = _vectorizer(stop_words="english").fit_transform(_texts(papers))

    def scored(task: Task) -> NDArray[np.floating]:
        assert task.profile is not None
        weights = 1 / (1 + np.log10(np.arange(len(task.profile)) + 1))
        alike = (rows[task.candidates] @ rows[task.profile[::-1]].T).toarray()
        return np.asarray(alike @ (weights / weights.sum()))

    return scored


BY_LIKES = {"offprint": ours_by_likes, "tf-idf cosine": cosine, "arxiv-sanity": sanity, "zotero": zotero, "bm25": bm25}
BY_WORDS = {"offprint": ours_by_words, "tf-idf cosine": cosine, "bm25": bm25}


def _question(papers: list[PaperText], task: Task) -> str:
    return task.text if task.profile is None else " ".join(papers[int(place)].title for place in task.profile)


def _texts(papers: list[PaperText]) -> list[str]:
    return [f"{paper.title} {paper.abstract}" for paper in papers]


def _vectorizer(**options: Any) -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(**options)
