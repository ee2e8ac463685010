"""arXiv's API (`export.arxiv.org/api/query`): Atom whose titles run over lines and whose errors are entries."""

from __future__ import annotations

from datetime import date
from xml.etree.ElementTree import Element

from digest.papers import identifiers
from digest.papers.entry import LISTED, Batch, CutShortError, Entry, FormatError
from digest.sources import calendar
from digest.sources.parsers.arxiv import WITHDRAWN, moment_of
from digest.sources.parsers.authors import accented, is_name
from digest.sources.parsers.leftovers import headless
from digest.sources.parsers.text import ABSTRACT, AUTHORS, NAME, SHORT, TITLE, number, plain, readable
from digest.sources.parsers.xml_json import Document, children, likeness, words, xml


def read(body: bytes, asked: date) -> Batch:
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
    read_items = [_entry(item) for item in document.items]
    entries = tuple(entry for entry in read_items if entry)
    if document.items and not entries:
        raise FormatError("None of its entries has an arXiv id and a title.")
    total = number(document.head.get("totalResults"))
    expected = _expected(total, document)
    return Batch(entries, None, len(read_items) - len(entries), scope="api", total=total, expected=expected)


def _expected(total: int | None, document: Document) -> int | None:
    """How many entries an answer holds that is whole: a page of them, or what is left (OpenSearch 1.1)."""
    start, rows = number(document.head.get("startIndex")), number(document.head.get("itemsPerPage"))
    if total is None or rows is None:
        return total and min(total, 1)  # some, where there are any
    return max(0, min(rows, total - (start or 0)))


def _entry(item: Element) -> Entry | None:
    found = children(item)
    name, title = words(found, "id"), readable(words(found, "title"), TITLE)
    if "/api/errors" in name:
        raise FormatError(f"arXiv says: {plain(words(found, 'summary'), 300)}")
    arxiv_id, version = identifiers.arxiv_in(name)
    if not arxiv_id or not title:
        return None
    comment = readable(words(found, "comment"), TITLE)
    abstract = headless(readable(words(found, "summary"), ABSTRACT))
    categories = _categories(found)
    published = moment_of(words(found, "published"))
    return Entry(
        source_id=f"{arxiv_id}v{version}",
        title=accented(title),
        url=f"https://arxiv.org/abs/{arxiv_id}",
        pdf_url=f"https://arxiv.org/pdf/{arxiv_id}",
        abstract=accented(abstract),
        authors=_authors(found),
        arxiv_id=arxiv_id,
        version=version,
        doi=identifiers.doi(words(found, "doi")),
        categories=categories,
        primary_category=categories[0] if categories else "",
        kind=LISTED,
        published_on=published.date() if published else None,
        announced_on=calendar.announced(published) if published else None,
        comment=comment,
        journal_ref=plain(words(found, "journal_ref"), SHORT),
        is_withdrawn=bool(WITHDRAWN.search(comment) or WITHDRAWN.search(abstract[:300])),
    )


def _authors(found: dict[str, list[Element]]) -> tuple[str, ...]:
    names = (readable(words(children(one), "name"), NAME) for one in found.get("author", ())[:AUTHORS])
    return tuple(accented(name, unbrace=True) for name in names if is_name(name))


def _categories(found: dict[str, list[Element]]) -> tuple[str, ...]:
    """The primary one first; ACM and MSC codes (`I.2.6`) are not categories."""
    named = [one.get("term", "") for name in ("primary_category", "category") for one in found.get(name, ())]
    return tuple(dict.fromkeys(plain(name, 60) for name in named if name[:1].islower() and " " not in name))
