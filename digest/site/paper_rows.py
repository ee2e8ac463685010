"""A paper as the site's pages and feeds show it: plain values, prepared once, so that templates only place them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from urllib.parse import quote

from digest.letters import safe_urls
from digest.letters import text as letter_text
from digest.letters.citations import Reference
from digest.models import Announcement, EditionPaper, Paper
from digest.sources.parsers import registry

AUTHORS_SHOWN = 3
OPENING_LENGTH = 240


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


def listed(paper: Paper, sources: tuple[str, ...] = (), place: EditionPaper | None = None) -> Listed:
    """The paper with the names of who announced it, and its place in an edition, if it is shown in one."""
    first, rest = opening(abstract(paper))
    pinned = late = False
    note = ""
    if place:
        pinned, late, note = place.is_pinned, place.is_late_riser, place.note
    return Listed(
        id=paper.pk,
        title=title(paper),
        opening=first,
        rest=rest,
        authors=short_authors(paper),
        published_on=paper.published_on,
        sources=sources,
        categories=tuple(paper.categories),
        upvotes=paper.upvotes,
        comments=paper.comments,
        links=links(paper),
        is_withdrawn=paper.is_withdrawn,
        is_pinned=pinned,
        is_late_riser=late,
        note=note,
    )


def short_authors(paper: Paper) -> str:
    """`Ada Example, Ben Sample, Cy Third and 4 more`: the first three, and how many follow."""
    more = len(paper.authors) - AUTHORS_SHOWN
    shown = ", ".join(authors(paper, AUTHORS_SHOWN))
    if more > 0:
        return f"{shown} and {more} more"
    return shown


def title(paper: Paper) -> str:
    """The title on one line, its TeX as Unicode."""
    return letter_text.plain(paper.title, letter_text.TITLE_CHARS) or "(untitled)"


def abstract(paper: Paper) -> str:
    return letter_text.plain(paper.abstract, letter_text.ABSTRACT_CHARS)


def authors(paper: Paper, most: int | None = None) -> list[str]:
    """Their names (the first `most` of them) on one line each."""
    return letter_text.plain_list(paper.authors[:most], letter_text.NAME_CHARS)


def opening(text: str) -> tuple[str, str]:
    """An abstract cut in two: the sentences that fit in `OPENING_LENGTH` (else the words), and what follows."""
    first = letter_text.opening(text, OPENING_LENGTH)
    if not text.startswith(first):  # cut inside a sentence: its ellipsis is not the author's
        first = first.removesuffix("…")
    return first, text[len(first) :].lstrip()


def reference(paper: Paper) -> Reference:
    """What a citation says of it."""
    return Reference(
        title=paper.title,
        authors=paper.authors,
        url=paper.url,
        published_on=paper.published_on,
        doi=paper.doi,
        arxiv_id=paper.arxiv_id,
        primary_category=paper.primary_category,
        abstract=paper.abstract,
        journal=paper.journal_ref,
    )


def links(paper: Paper) -> tuple[Link, ...]:
    """Where to read it: the publisher's page first. An address that is not of the web is left out."""
    publisher = "Publisher's page"
    if paper.arxiv_id:
        publisher = "arXiv"
    candidates = [
        (publisher, paper.url),
        ("PDF", paper.pdf_url),
        ("Code", paper.code_url),
        ("Project", paper.project_url),
    ]
    found = []
    for label, address in candidates:
        if href := safe_urls.safe(address):
            found.append(Link(label, href))
    return tuple(found)


def every_link(paper: Paper, announcements: Iterable[Announcement]) -> tuple[Link, ...]:
    """`links`, and those that only the paper's own page has room for: DOI, the community's discussion."""
    more = []
    if paper.doi:
        more.append(Link("DOI", "https://doi.org/" + quote(paper.doi, safe="/:;()")))
    pages = [registry.of(one.source.kind).discussion for one in announcements]
    page = next(filter(None, pages), "")
    if paper.arxiv_id and page:
        more.append(Link("Discussion", page.format(arxiv_id=quote(paper.arxiv_id, safe="/"))))
    return links(paper) + tuple(more)
