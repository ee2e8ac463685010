"""Compressed sparse rows (CSR) in numpy: what profiles need of a sparse matrix, without SciPy at run time."""

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
        """Rows given as (columns, values)."""
        starts = np.zeros(len(rows) + 1, np.int64)
        np.cumsum([len(columns) for columns, _ in rows], out=starts[1:])
        columns = np.concatenate([np.empty(0, np.int32), *(one for one, _ in rows)])
        values = np.concatenate([np.empty(0, np.float32), *(one for _, one in rows)])
        return cls(starts, columns.astype(np.int32), values.astype(np.float32), width)

    @property
    def row_of(self) -> Ints:
        """The row of each value."""
        return np.repeat(np.arange(len(self), dtype=np.int32), np.diff(self.starts))

    def times(self, vector: Floats) -> Floats:
        """Rows times a vector of `width`: shape (rows,)."""
        weighed = self.values * vector[self.columns]
        return np.bincount(self.row_of, weighed, minlength=len(self)).astype(np.float32)

    def times_matrix(self, matrix: Floats) -> Floats:
        """Rows times a matrix of (width, k): shape (rows, k). Done in pieces, so that memory stays bounded."""
        depth = matrix.shape[1]
        product = np.zeros((len(self), depth), np.float32)
        most = max(1, CHUNK // max(1, depth) * 8)  # values in a piece
        cuts = np.searchsorted(self.starts, np.arange(0, self.starts[-1] + most, most))
        edges = sorted({0, len(self), *np.clip(cuts, 0, len(self)).tolist()})
        for low, high in pairwise(edges):
            starts = self.starts[low : high + 1]
            filled = np.flatnonzero(np.diff(starts))
            if len(filled):
                span = slice(starts[0], starts[-1])
                weighed = self.values[span, None] * matrix[self.columns[span]]
                product[low + filled] = np.add.reduceat(weighed, starts[filled] - starts[0], axis=0)
        return product

    def transposed(self) -> SparseRows:
        """One row for each column."""
        order = np.argsort(self.columns, kind="stable")
        starts = np.zeros(self.width + 1, np.int64)
        np.cumsum(np.bincount(self.columns, minlength=self.width), out=starts[1:])
        return SparseRows(starts, self.row_of[order], self.values[order], len(self))

    def mean(self) -> Floats:
        """The mean row, as a vector of `width`."""
        total = np.bincount(self.columns, self.values, minlength=self.width)
        return (total / max(1, len(self))).astype(np.float32)

    def row(self, number: int) -> tuple[Ints, Floats]:
        """The columns and the values of one row."""
        span = slice(self.starts[number], self.starts[number + 1])
        return self.columns[span], self.values[span]

    def taken(self, numbers: Sequence[int]) -> SparseRows:
        """Some rows, in the order asked for."""
        return SparseRows.of([self.row(number) for number in numbers], self.width)
