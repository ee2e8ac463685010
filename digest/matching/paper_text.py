"""What matching reads of a paper: plain values without a database."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class PaperText:
    """One paper as matching sees it. `sources` are slugs; `pinned` is the curator's; `day` its edition's date.

    `embedding` is the encoder's row, where there is an encoder.
    """

    id: int
    title: str
    abstract: str = ""
    authors: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    identifier: str = ""
    day: date | None = None
    upvotes: int = 0
    comments: int = 0
    pinned: bool = False
    embedding: NDArray[np.float32] | None = field(default=None, compare=False, repr=False)
