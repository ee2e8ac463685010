"""What every source is read into: one `Entry` a paper, one `Batch` an answer. Plain values, no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import Enum

NEW, CROSS, REPLACE, REPLACE_CROSS, LISTED = "new", "cross", "replace", "replace-cross", "listed"


@dataclass(frozen=True, slots=True)
class Entry:
    """One paper as one source announced it. Texts are plain text (no markup), in NFC, on one line."""

    source_id: str
    title: str
    url: str
    abstract: str = ""
    authors: tuple[str, ...] = ()
    arxiv_id: str = ""
    version: int = 1
    doi: str = ""
    categories: tuple[str, ...] = ()
    primary_category: str = ""
    kind: str = NEW
    published_on: date | None = None
    announced_on: date | None = None
    pdf_url: str = ""
    code_url: str = ""
    project_url: str = ""
    thumbnail_url: str = ""
    comment: str = ""
    journal_ref: str = ""
    announced_by: str = ""
    upvotes: int | None = None
    comments: int | None = None
    is_withdrawn: bool = False


class Authority(Enum):
    """Whose words a source gives: of one version of a paper, which title, abstract and authors are kept."""

    AUTHOR = "the archive where authors submit: its words replace all others"
    PUBLISHER = "a publisher: its abstract replaces a shorter one of a paper that has no arXiv id"
    LIST = "a list of others' papers: its words replace none"


@dataclass(frozen=True, slots=True)
class Batch:
    """One answer of a source, read. `day` is the publisher's day it speaks for, where the answer says so.

    `rejected` counts entries that were dropped alone; `problems` are sentences for the fetch's warnings.
    """

    entries: tuple[Entry, ...]
    day: date | None = None
    rejected: int = 0
    problems: tuple[str, ...] = ()
    scope: str = ""  # what the answer says it covers: arXiv's categories, a journal's name
    total: int | None = None  # how many the publisher says there are, where it says so
    expected: int | None = None  # how many of them this one page holds by its own words
    more: str = ""  # what to ask with for the rest (OAI-PMH's resumption token)
    well_formed: bool = True  # False: the reader had to guess at what the publisher meant


class FormatError(ValueError):
    """The bytes are not what this kind of source answers; the message says what they look like."""


class CutShortError(FormatError):
    """The answer ends in the middle. `batch` holds the entries that are whole."""

    def __init__(self, message: str, batch: Batch) -> None:
        super().__init__(message)
        self.batch = batch
