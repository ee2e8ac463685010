"""A paper as the site's pages and feeds show it: plain values, prepared once, so that templates only place them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from urllib.parse import quote, urlsplit

from digest.models import Announcement, EditionPaper, Paper, Source

AUTHORS_SHOWN = 3
OPENING_LENGTH = 240
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9$(])")


@dataclass(frozen=True, slots=True)
class Link:
    """An address outside this site, and what it leads to. Only http and https ever get here."""

    label: str
    href: str


@dataclass(frozen=True, slots=True)
class Listed:
    """One paper in a list. Texts are plain text: templates escape them."""

    id: int
    title: str
    opening: str
    rest: str
    authors: str
    author_count: int
    published_on: date | None
    sources: tuple[str, ...]
    categories: tuple[str, ...]
    upvotes: int | None
    comments: int | None
    links: tuple[Link, ...]
    is_withdrawn: bool = False
    is_pinned: bool = False
    is_late_riser: bool = False
    note: str = ""


def listed(paper: Paper, place: EditionPaper | None = None) -> Listed:
    """The paper with its place in an edition, if it is shown in one. Reads `announcements` (prefetch them)."""
    first, rest = opening(paper.abstract)
    return Listed(
        id=paper.pk,
        title=paper.title,
        opening=first,
        rest=rest,
        authors=short_authors(paper.authors),
        author_count=len(paper.authors),
        published_on=paper.published_on,
        sources=source_names(paper.announcements.all()),
        categories=tuple(paper.categories),
        upvotes=paper.upvotes,
        comments=paper.comments,
        links=links(paper),
        is_withdrawn=paper.is_withdrawn,
        is_pinned=bool(place and place.is_pinned),
        is_late_riser=bool(place and place.is_late_riser),
        note=place.note if place else "",
    )


def short_authors(names: Sequence[str]) -> str:
    """`Ada Example, Ben Sample, Cy Third and 4 more`: the first three, and how many follow."""
    more = len(names) - AUTHORS_SHOWN
    shown = ", ".join(names[:AUTHORS_SHOWN])
    return f"{shown} and {more} more" if more > 0 else shown


def opening(abstract: str) -> tuple[str, str]:
    """The abstract cut in two: the sentences that fit in `OPENING_LENGTH` (else the words), and what follows."""
    if len(abstract) <= OPENING_LENGTH:
        return abstract, ""
    ends = [end.start() for end in _SENTENCE_END.finditer(abstract, 0, OPENING_LENGTH + 2)]
    cut = ends[-1] if ends and ends[-1] > OPENING_LENGTH // 4 else abstract.rfind(" ", 0, OPENING_LENGTH)
    if cut <= 0:
        cut = OPENING_LENGTH
    return abstract[:cut].rstrip(), abstract[cut:].lstrip()


def source_names(announcements: Iterable[Announcement]) -> tuple[str, ...]:
    """Who announced it, each once, earliest first."""
    return tuple(dict.fromkeys(one.source.name for one in announcements))


def links(paper: Paper) -> tuple[Link, ...]:
    """Where to read it: the publisher's page first. An address that is not of the web is left out."""
    candidates = [
        ("arXiv" if paper.arxiv_id else "Publisher's page", paper.url),
        ("PDF", paper.pdf_url),
        ("Code", paper.code_url),
        ("Project", paper.project_url),
    ]
    return tuple(Link(label, href) for label, href in candidates if is_web_address(href))


def every_link(paper: Paper, announcements: Iterable[Announcement]) -> tuple[Link, ...]:
    """`links`, and those that only the paper's own page has room for: DOI, the community's discussion."""
    more = [Link("DOI", "https://doi.org/" + quote(paper.doi, safe="/:;()"))] if paper.doi else []
    if paper.arxiv_id and any(one.source.kind == Source.Kind.HUGGINGFACE for one in announcements):
        more.append(Link("Discussion", "https://huggingface.co/papers/" + quote(paper.arxiv_id, safe="/")))
    return links(paper) + tuple(more)


def is_web_address(address: str) -> bool:
    """True for http and https addresses with a host; anything else from a feed is never made a link."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and address.isprintable()
