"""arXiv's API (`export.arxiv.org/api/query`): Atom whose titles run over lines and whose errors are entries."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from xml.etree.ElementTree import Element

from digest.papers import identifiers
from digest.papers.entry import LISTED, Batch, CutShortError, Entry, FormatError
from digest.sources import calendar
from digest.sources.parsers.arxiv import moment_of
from digest.sources.parsers.authors import accented, is_name
from digest.sources.parsers.entries import entries_of, of_arxiv
from digest.sources.parsers.text import ABSTRACT, AUTHORS, NAME, SHORT, TITLE, number, plain, readable
from digest.sources.parsers.xml_json import Document, children, likeness, words, xml


def read(body: bytes, asked: date, address: str = "") -> Batch:
    """One answer. Raises FormatError with arXiv's own words for its error feed."""
    document = xml(body, frozenset({"entry"}))
    if document.root != "feed":
        raise FormatError(f"It is {likeness(body)}, not an answer of arXiv's API.")
    if "totalResults" not in document.head and "startIndex" not in document.head:
        raise FormatError(f"It is a feed titled “{plain(document.head.get('title'), 200)}”, not one of arXiv's API.")
    batch = _batch(document)
    if not document.whole:
        raise CutShortError("The answer ends in the middle.", batch)
    return batch


def _batch(document: Document) -> Batch:
    rows = [_entry(item) for item in document.items]
    entries, rejected = entries_of(rows, "None of its entries has an arXiv id and a title.")
    total = number(document.head.get("totalResults"))
    expected = _expected(total, document)
    return Batch(entries, None, rejected, scope="api", total=total, expected=expected)


def _expected(total: int | None, document: Document) -> int | None:
    """How many entries an answer holds that is whole: a page of them, or what is left (OpenSearch 1.1)."""
    start, rows = number(document.head.get("startIndex")), number(document.head.get("itemsPerPage"))
    if total is None:
        return None
    if rows is None:
        return min(total, 1)  # some, where there are any
    return max(0, min(rows, total - (start or 0)))


def _entry(item: Element) -> Entry | None:
    found = children(item)
    name, title = words(found, "id"), readable(words(found, "title"), TITLE)
    if "/api/errors" in name:
        raise FormatError(f"arXiv says: {plain(words(found, 'summary'), 300)}")
    arxiv_id, version = identifiers.arxiv_in(name)
    if not arxiv_id or not title:
        return None
    published = announced = None
    moment = moment_of(words(found, "published"))
    if moment:
        published, announced = moment.date(), calendar.announced(moment)
    entry = of_arxiv(
        arxiv_id,
        version,
        title,
        readable(words(found, "summary"), ABSTRACT),
        authors=_authors(found),
        categories=_categories(found),
        kind=LISTED,
        announced_on=announced,
        comment=readable(words(found, "comment"), TITLE),
    )
    journal_ref = plain(words(found, "journal_ref"), SHORT)
    return replace(entry, published_on=published, doi=identifiers.doi(words(found, "doi")), journal_ref=journal_ref)


def _authors(found: dict[str, list[Element]]) -> tuple[str, ...]:
    names = []
    for one in found.get("author", ())[:AUTHORS]:
        name = readable(words(children(one), "name"), NAME)
        if is_name(name):
            names.append(accented(name, unbrace=True))
    return tuple(names)


def _categories(found: dict[str, list[Element]]) -> tuple[str, ...]:
    """The primary one first; ACM and MSC codes (`I.2.6`) are not categories."""
    names = []
    for one in (*found.get("primary_category", ()), *found.get("category", ())):
        name = one.get("term", "")
        if name[:1].islower() and " " not in name:
            names.append(plain(name, 60))
    return tuple(dict.fromkeys(names))
