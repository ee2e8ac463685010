"""What parsers of several kinds do alike: entries of arXiv's papers, and the count of what could not be read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import date

from digest.papers.entry import Entry, FormatError
from digest.sources.parsers.authors import accented
from digest.sources.parsers.leftovers import headless

# At the head of a sentence and said of the paper itself: an abstract may speak of withdrawn drugs.
WITHDRAWN = re.compile(
    r"(?:^|[.;:(]\s*)(?:(?:this|the)\s)?(?:paper|article|submission|manuscript|work|preprint|version)\s"
    r"(?:(?:has|have|had)\sbeen\s|is\s|was\s|is\sbeing\s)?(?:\w+\s)?withdrawn\b"
    r"|^\W*withdrawn\b(?:\sby\b|\W*$|[.,;:])",
    re.IGNORECASE,
)


def entries_of(rows: Sequence[Entry | None], fault: str) -> tuple[tuple[Entry, ...], int]:
    """The entries, and how many rows gave none. Raises FormatError with `fault` if there are rows and no entry."""
    entries = tuple(row for row in rows if row)
    if rows and not entries:
        raise FormatError(fault)
    return entries, len(rows) - len(entries)


def most_common_day(entries: Sequence[Entry]) -> date | None:
    """The day on which most entries were announced; of several such days the first named."""
    if not entries:
        return None
    days = Counter(entry.announced_on for entry in entries)
    return days.most_common(1)[0][0]


def of_arxiv(
    arxiv_id: str,
    version: int,
    title: str,
    abstract: str,
    *,
    authors: tuple[str, ...],
    categories: tuple[str, ...],
    kind: str,
    announced_on: date | None,
    comment: str = "",
) -> Entry:
    """An entry of a paper of arXiv's; the first category is the primary one."""
    abstract = headless(abstract)
    is_withdrawn = WITHDRAWN.search(abstract[:300]) or WITHDRAWN.search(comment)
    return Entry(
        source_id=f"{arxiv_id}v{version}",
        title=accented(title),
        url=f"https://arxiv.org/abs/{arxiv_id}",
        pdf_url=f"https://arxiv.org/pdf/{arxiv_id}",
        abstract=accented(abstract),
        authors=authors,
        arxiv_id=arxiv_id,
        version=version,
        categories=categories,
        primary_category="".join(categories[:1]),
        kind=kind,
        announced_on=announced_on,
        comment=comment,
        is_withdrawn=bool(is_withdrawn),
    )
