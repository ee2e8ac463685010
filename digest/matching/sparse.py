"""Sparse rows in plain numpy: as much of a sparse matrix as profiles need, without SciPy at run time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from digest.matching.postings import Floats, Ints

CHUNK = 2_000_000


@dataclass(frozen=True, slots=True)
class SparseRows:
    """`columns[starts[i] : starts[i + 1]]` and `values[...]` are row i. No row has a column twice."""

    starts: NDArray[np.int64]
    columns: Ints
    values: Floats
    width: int

    def __len__(self) -> int:
        return len(self.starts) - 1

    @classmethod
    def of(cls, rows: Sequence[tuple[Ints, Floats]], width: int) -> SparseRows:
        starts = np.zeros(len(rows) + 1, np.int64)
        np.cumsum([len(columns) for columns, _ in rows], out=starts[1:])
        if not rows:
            return cls(starts, np.empty(0, np.int32), np.empty(0, np.float32), width)
        columns = np.concatenate([columns for columns, _ in rows]).astype(np.int32)
        return cls(starts, columns, np.concatenate([values for _, values in rows]).astype(np.float32), width)

    @property
    def row_of(self) -> Ints:
        """The row of each value."""
        return np.repeat(np.arange(len(self), dtype=np.int32), np.diff(self.starts))

    def times(self, vector: Floats) -> Floats:
        """Rows times a vector of `width`: one float a row."""
        weighed = self.values * vector[self.columns]
        return np.bincount(self.row_of, weighed, minlength=len(self)).astype(np.float32)

    def times_matrix(self, matrix: Floats) -> Floats:
        """Rows times a matrix of (width, k): (rows, k). Done in pieces, so memory stays bounded."""
        out = np.zeros((len(self), matrix.shape[1]), np.float32)
        for low, high in self._pieces(matrix.shape[1]):
            span = slice(self.starts[low], self.starts[high])
            filled = np.flatnonzero(np.diff(self.starts[low : high + 1]))
            if len(filled):
                weighed = self.values[span, None] * matrix[self.columns[span]]
                out[low + filled] = np.add.reduceat(weighed, self.starts[low + filled] - self.starts[low], axis=0)
        return out

    def turned(self) -> SparseRows:
        """The transpose: one row a column."""
        order = np.argsort(self.columns, kind="stable")
        starts = np.zeros(self.width + 1, np.int64)
        np.cumsum(np.bincount(self.columns, minlength=self.width), out=starts[1:])
        return SparseRows(starts, self.row_of[order], self.values[order], len(self))

    def mean(self) -> Floats:
        """The mean row, as a vector of `width`."""
        total = np.bincount(self.columns, self.values, minlength=self.width)
        return (total / max(1, len(self))).astype(np.float32)

    def row(self, number: int) -> tuple[Ints, Floats]:
        span = slice(self.starts[number], self.starts[number + 1])
        return self.columns[span], self.values[span]

    def taken(self, numbers: Sequence[int]) -> SparseRows:
        """Some rows, in the order asked for."""
        return SparseRows.of([self.row(number) for number in numbers], self.width)

    def _pieces(self, depth: int) -> list[tuple[int, int]]:
        """Ranges of rows whose work fits in memory at once."""
        most = max(1, CHUNK // max(1, depth) * 8)
        cuts = np.searchsorted(self.starts, np.arange(0, self.starts[-1] + most, most))
        edges = sorted({0, len(self), *np.clip(cuts, 0, len(self)).tolist()})
        return list(pairwise(edges))
