"""The day's index, and every distinct query against it. Pure, but for `reading`, which is the ORM's side."""

from digest.matching.index import Hits, PaperIndex
from digest.matching.paper_text import PaperText

__all__ = ["Hits", "PaperIndex", "PaperText"]
