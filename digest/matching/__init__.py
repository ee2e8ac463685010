"""The day's index, and every distinct query against it. Pure, but for `reading`, which is the ORM's side."""

from digest.matching.index import Day, Hits
from digest.matching.paper_text import PaperText

__all__ = ["Day", "Hits", "PaperText"]
