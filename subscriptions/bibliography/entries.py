"""What a reading list is read into."""

from __future__ import annotations

import re
from dataclasses import dataclass

from subscriptions.dois import doi

_new_arxiv = re.compile(r"(?<!\d)(\d{4}\.\d{4,5})(?:v\d+)?(?!\d)")
_old_arxiv = re.compile(r"(?<![\w-])([a-z-]+(?:\.[a-z]{2})?/\d{7})(?:v\d+)?(?!\d)", re.IGNORECASE)
_subject = re.compile(r"\.[a-z]{2}(?=/)")  # math.GT/0309136 is math/0309136
_arxiv_doi = re.compile(r"10\.48550/arxiv\.(.+)", re.IGNORECASE)


LONGEST_NAME = 290  # of a paper, as it is kept


@dataclass(frozen=True, slots=True)
class Reference:
    """One paper of a reading list. `identifier` is `arxiv:…`, `doi:…`, else `title:…` (folded)."""

    identifier: str
    title: str = ""
    abstract: str = ""
    authors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BadEntry:
    """An entry that could not be taken: its line (from 1; 0 where it has none), what it calls itself, and why."""

    line: int
    name: str
    why: str

    def __str__(self) -> str:
        return f"{f'Line {self.line}, ' if self.line else ''}{self.name}: {self.why}"


@dataclass(frozen=True, slots=True)
class Unparsed:
    """What stands between the entries of a file, for whoever can read it; `line` is where it begins (from 1)."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class ParseResult:
    """What a list held. `origin` is bibtex, ris, or list for everything else."""

    origin: str
    references: tuple[Reference, ...]
    bad: tuple[BadEntry, ...]


def arxiv_id(text: str) -> str:
    """The arXiv id in an id, a link or a sentence, without its version; "" where there is none."""
    found = _new_arxiv.search(text) or _old_arxiv.search(text)
    return _subject.sub("", found[1].lower()) if found else ""


def identifier(text: str) -> str:
    """`arxiv:…` or `doi:…` for a text that holds one; "" else. A DOI of arXiv's own is its arXiv id."""
    name = doi(text)
    own = _arxiv_doi.fullmatch(name)
    if own:
        return f"arxiv:{arxiv_id(own[1]) or own[1]}"
    if name:
        return f"doi:{name}"
    number = arxiv_id(text)
    return f"arxiv:{number}" if number else ""
