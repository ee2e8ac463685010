"""The LSA model: weighed features of papers, and the few directions along which a corpus differs most.

Built nightly over stored papers (latent semantic analysis: Deerwester et al., JASIS 1990; the truncated SVD by
random projection: Halko, Martinsson & Tropp, SIAM Review 2011). Pure numpy, no SciPy at run time.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from digest.matching.paper_text import PaperText
from digest.matching.postings import Floats, Ints
from digest.matching.sparse import SparseRows
from digest.matching.stopwords import STOPWORDS
from subscriptions.query import tokenizer
from subscriptions.query.names import natural
from subscriptions.query.parser import publisher_name

DIRECTIONS = 48
PAPERS_A_DIRECTION = 40
FEWEST_DIRECTIONS = 6
MOST_FEATURES = 40_000
TITLE_COUNTS = 3
# What the features of a kind weigh together, beside the text's 1; kinds go by what stands before the colon.
SHARES = {"": 1.0, "author": 0.3, "cat": 0.2}
DIRECTION_SHARE, EMBEDDING_SHARE = 0.4, 0.9
PASSES = 4
SPARE_DIRECTIONS = 12


@dataclass(frozen=True, slots=True)
class Vectors:
    """Some papers in an LSA model: `sparse` rows of features, `dense` rows of directions (length 1, centred).

    With an encoder, its embeddings stand beside the directions in `dense`.
    """

    sparse: SparseRows
    dense: Floats

    def __len__(self) -> int:
        return len(self.dense)

    def taken(self, places: Sequence[int]) -> Vectors:
        """Some of the papers, in the order asked for."""
        return Vectors(self.sparse.taken(places), self.dense[list(places)])


@dataclass(frozen=True, slots=True)
class LsaModel:
    """Features with their rarity, the corpus's mean paper, and its main directions (features x directions).

    `dense_mean` is the mean row of directions, `embedding_mean` the mean embedding by the encoder of the name
    `encoder`; without one it is empty.
    """

    features: dict[str, int]
    rarity: Floats
    mean: Floats
    basis: Floats
    dense_mean: Floats
    embedding_mean: Floats
    encoder: str

    @classmethod
    def build(cls, papers: Sequence[PaperText], directions: int = DIRECTIONS, encoder: str = "") -> LsaModel:
        """The model of a corpus. Features of one paper only are left out: they relate nothing."""
        counted = [_features(paper) for paper in papers]
        frequency = Counter[str]()
        for counts in counted:
            frequency.update(counts.keys())
        kept = sorted(feature for feature, count in frequency.most_common(MOST_FEATURES) if count > 1)
        rarity = np.array([math.log((len(papers) + 1) / (frequency[one] + 0.5)) for one in kept], np.float32)
        features = {feature: number for number, feature in enumerate(kept)}
        rows = SparseRows.of([_row(counts, features, rarity) for counts in counted], len(kept))
        most = max(FEWEST_DIRECTIONS, len(papers) // PAPERS_A_DIRECTION)
        basis = _directions(rows, min(directions, most))
        dense_mean = rows.times_matrix(basis).sum(0) / max(1, len(papers))
        embeddings = [paper.embedding for paper in papers if paper.embedding is not None]
        if not encoder or not embeddings:
            return cls(features, rarity, rows.mean(), basis, dense_mean, np.empty(0, np.float32), "")
        return cls(features, rarity, rows.mean(), basis, dense_mean, np.mean(embeddings, axis=0), encoder)

    def vectors(self, papers: Sequence[PaperText]) -> Vectors:
        """The vectors of any papers in this model."""
        rows = [_row(_features(paper), self.features, self.rarity) for paper in papers]
        sparse = SparseRows.of(rows, len(self.features))
        dense = unit_rows(sparse.times_matrix(self.basis) - self.dense_mean)
        if not self.encoder:
            return Vectors(sparse, dense)
        # The embeddings are centred; a paper not encoded yet has the mean one.
        embeddings = np.zeros((len(papers), len(self.embedding_mean)), np.float32)
        for place, paper in enumerate(papers):
            if paper.embedding is not None and len(paper.embedding) == len(self.embedding_mean):
                embeddings[place] = paper.embedding - self.embedding_mean
        return Vectors(sparse, np.hstack([DIRECTION_SHARE * dense, EMBEDDING_SHARE * unit_rows(embeddings)]))


def unit_rows(rows: Floats) -> Floats:
    """Each row of a matrix divided by its length."""
    unit: Floats = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)
    return unit


def _features(paper: PaperText) -> Counter[str]:
    """The stems of title (counted thrice) and abstract; authors and categories as features of their own."""
    counts: Counter[str] = Counter()
    for text, times in ((paper.title, TITLE_COUNTS), (paper.abstract, 1)):
        for word in tokenizer.tokens(text):
            stem = tokenizer.stem(word)
            if stem not in STOPWORDS:
                counts[stem] += times
    for name in paper.authors:
        counts["author:" + " ".join(natural(name))] = 1
    for name in paper.categories:
        counts["cat:" + publisher_name(name)] = 1
    return counts


def _row(counts: Counter[str], features: dict[str, int], rarity: Floats) -> tuple[Ints, Floats]:
    """A paper's known features and their weights; each kind has a length of its share."""
    known = [feature for feature in counts if feature in features]
    columns = np.array([features[feature] for feature in known], np.int32)
    count = np.array([counts[feature] for feature in known], np.float64)
    values = (1 + np.log(count)) * rarity[columns]
    kinds = np.array([feature.partition(":")[0] if ":" in feature else "" for feature in known])
    for kind, share in SHARES.items():
        chosen = kinds == kind
        length = float(np.linalg.norm(values[chosen]))
        values[chosen] *= share / (length or 1.0)
    return columns, values.astype(np.float32)


def _directions(rows: SparseRows, many: int) -> Floats:
    """The corpus's main directions, shape (features, many), by a few passes of random projection; always the same."""
    if not len(rows) or not rows.width:
        return np.zeros((rows.width, 1), np.float32)
    transposed = rows.transposed()
    draw = np.random.default_rng(0).standard_normal((rows.width, many + SPARE_DIRECTIONS)).astype(np.float32)
    for _ in range(PASSES):
        draw = np.linalg.qr(transposed.times_matrix(rows.times_matrix(draw)))[0].astype(np.float32)
    small = rows.times_matrix(draw)
    _, _, right = np.linalg.svd(small.T @ small)
    return (draw @ right[:many].T).astype(np.float32)
