"""Where papers lie beside one another: word vectors, and the few directions along which a corpus differs most.

Built nightly over what is stored (latent semantic analysis: Deerwester et al., JASIS 1990; the truncated SVD by
random projection: Halko, Martinsson & Tropp, SIAM Review 2011). Pure numpy, no SciPy at run time.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

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
AUTHOR_SHARE = 0.3
CATEGORY_SHARE = 0.2
MAIN_SHARE, MEANING_SHARE = 0.4, 0.9
_PASSES = 4
_SPARE = 12


@dataclass(frozen=True, slots=True)
class Vectors:
    """Some papers in a space: `sparse` rows of features, `dense` rows of directions (length 1, centred).

    With an encoder, its rows stand beside the directions in `dense`.
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

    `meaning_middle` is the encoder's mean row, empty without one; `encoder` is its name.
    """

    features: dict[str, int]
    rarity: Floats
    middle: Floats
    basis: Floats
    dense_middle: Floats
    meaning_middle: Floats = field(default_factory=lambda: np.empty(0, np.float32))
    encoder: str = ""

    @classmethod
    def build(cls, papers: Sequence[PaperText], directions: int = DIRECTIONS, encoder: str = "") -> LsaModel:
        """The space of a corpus. Features that stand in one paper only are left out: they relate nothing."""
        counted = [_features(paper) for paper in papers]
        spread = Counter(feature for counts in counted for feature in counts)
        kept = sorted(feature for feature, papers_with in spread.most_common(MOST_FEATURES) if papers_with > 1)
        rarity = np.array([math.log((len(papers) + 1) / (spread[one] + 0.5)) for one in kept], np.float32)
        features = {feature: number for number, feature in enumerate(kept)}
        rows = SparseRows.of([_row(counts, features, rarity) for counts in counted], len(kept))
        basis = _directions(rows, min(directions, max(FEWEST_DIRECTIONS, len(papers) // PAPERS_A_DIRECTION)))
        dense_middle = rows.times_matrix(basis).mean(0) if len(papers) else np.zeros(basis.shape[1], np.float32)
        known = [paper.meaning for paper in papers if paper.meaning is not None] if encoder else []
        meaning_middle = np.mean(known, axis=0) if known else np.empty(0, np.float32)
        name = encoder if known else ""
        return cls(features, rarity, rows.mean(), basis, dense_middle, meaning_middle, name)

    def vectors(self, papers: Sequence[PaperText]) -> Vectors:
        sparse = SparseRows.of(
            [_row(_features(paper), self.features, self.rarity) for paper in papers], len(self.features)
        )
        dense = _unit(sparse.times_matrix(self.basis) - self.dense_middle)
        if not self.encoder:
            return Vectors(sparse, dense)
        return Vectors(sparse, np.hstack([MAIN_SHARE * dense, MEANING_SHARE * self._meanings(papers)]))

    def _meanings(self, papers: Sequence[PaperText]) -> Floats:
        """The encoder's rows, centred; a paper not encoded yet stands in the middle."""
        rows = np.zeros((len(papers), len(self.meaning_middle)), np.float32)
        for place, paper in enumerate(papers):
            if paper.meaning is not None and len(paper.meaning) == len(self.meaning_middle):
                rows[place] = paper.meaning - self.meaning_middle
        return _unit(rows)


def _unit(rows: Floats) -> Floats:
    unit: Floats = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)
    return unit


def _features(paper: PaperText) -> Counter[str]:
    """Stems of title (counted thrice) and abstract; people and categories as features of their own."""
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
    """A paper's features weighed: text to length 1, people and categories to their shares of it."""
    known = [(features[feature], count, feature) for feature, count in counts.items() if feature in features]
    columns = np.array([column for column, _, _ in known], np.int32)
    values = (1 + np.log([count for _, count, _ in known])) * rarity[columns] if known else np.empty(0)
    kinds = np.array([feature.partition(":")[0] if ":" in feature else "" for _, _, feature in known])
    for kind, share in (("", 1.0), ("author", AUTHOR_SHARE), ("cat", CATEGORY_SHARE)):
        chosen = kinds == kind
        values[chosen] *= share / (float(np.linalg.norm(values[chosen])) or 1.0)
    return columns, values.astype(np.float32)


def _directions(rows: SparseRows, many: int) -> Floats:
    """The corpus's main directions, by a few passes of random projection; the same corpus gives the same ones."""
    if not len(rows) or not rows.width:
        return np.zeros((rows.width, 1), np.float32)
    turned = rows.turned()
    draw = np.random.default_rng(0).standard_normal((rows.width, many + _SPARE)).astype(np.float32)
    for _ in range(_PASSES):
        draw = np.linalg.qr(turned.times_matrix(rows.times_matrix(draw)))[0].astype(np.float32)
    small = rows.times_matrix(draw)
    _, _, right = np.linalg.svd(small.T @ small)
    return (draw @ right[:many].T).astype(np.float32)
