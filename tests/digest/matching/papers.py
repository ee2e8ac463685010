"""Builders of plain papers for the pure rooms."""

from __future__ import annotations

import itertools
from typing import Any

from digest.matching import PaperIndex, PaperText

_numbers = itertools.count(1)


def paper(title: str = "A study", abstract: str = "It works.", **fields: Any) -> PaperText:
    number = next(_numbers)
    return PaperText(**{"id": number, "identifier": f"arxiv:{number}"} | fields, title=title, abstract=abstract)


def day(*papers: PaperText | str) -> PaperIndex:
    """A day of these papers; a text stands for a paper with that title and no abstract."""
    return PaperIndex.build(paper(one, "") if isinstance(one, str) else one for one in papers)
