"""arXiv's daily feeds: rss.arxiv.org's Atom and RSS (2024+), and the RDF of the years before.

One day's announcements; `published` is that day's midnight in US Eastern, whatever was submitted when.
The first category is the primary one. Bad categories come back as a well-formed feed with an error title.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from xml.etree.ElementTree import Element
from zoneinfo import ZoneInfo

from digest.papers import identifiers
from digest.papers.entry import CROSS, NEW, REPLACE, REPLACE_CROSS, Batch, CutShortError, Entry, FormatError
from digest.sources.parsers.authors import comma_joined
from digest.sources.parsers.entries import entries_of, most_common_day, of_arxiv
from digest.sources.parsers.text import ABSTRACT, SHORT, TITLE, plain, readable, unmarked
from digest.sources.parsers.xml_json import MAX_ENTRIES, Document, children, likeness, words, xml

EASTERN = ZoneInfo("America/New_York")
ITEMS = frozenset({"entry", "item"})
KINDS = {NEW, CROSS, REPLACE, REPLACE_CROSS}
_BODY = re.compile(r"^arXiv:(\S+?)v(\d+)\s+Announce Type:\s*(\S+)\s*\n?Abstract:\s*")
_OLD_TITLE = re.compile(r"\.?\s*\(arXiv:(\S+?)v(\d+)\s*\[([\w.-]+)\]\s*(UPDATED|CROSS LISTED)?\)\s*$")
_OLD_KINDS = {"UPDATED": REPLACE, "CROSS LISTED": CROSS, None: NEW, "": NEW}
_TITLE = re.compile(r"^(.*?) updates on (?:the )?arXiv", re.IGNORECASE)


def read(body: bytes, asked: date, address: str = "") -> Batch:
    """One answer of rss.arxiv.org. Raises FormatError for arXiv's error feed and for anything else."""
    document = xml(body, ITEMS)
    if document.root not in {"feed", "rss", "RDF"}:
        raise FormatError(f"It is {likeness(body)}, not a feed of arXiv.")
    title = plain(document.head.get("title"), 300)
    if title.lower().startswith("feed error"):
        raise FormatError(f"arXiv says: {title}")
    if "arxiv" not in title.lower() and not any(b in body for b in (b"oai:arXiv.org", b"arxiv.org/abs")):
        raise FormatError(f"It is a feed titled “{title}”, not one of arXiv.")
    batch = _batch(document, title, asked)
    if not document.whole:
        raise CutShortError("The feed ends in the middle.", batch)
    return batch


def _batch(document: Document, title: str, asked: date) -> Batch:
    announced = _channel_day(document.head)
    rows = [_entry(item, announced or asked) for item in document.items]
    entries, rejected = entries_of(rows, "None of its entries has an arXiv id and a title.")
    problems = []
    if document.more:
        problems.append(f"Only the first {MAX_ENTRIES:,} entries were read; {document.more:,} more were left.")
    if document.broken:
        problems.append(f"{document.broken:,} characters were not UTF-8 or not allowed in XML.")
    found = _TITLE.match(title)
    scope = found[1] if found else ""
    return Batch(entries, most_common_day(entries) or announced, rejected, tuple(problems), scope)


def _entry(item: Element, day: date) -> Entry | None:
    found = children(item)
    title, version, old_kind, old_category = _titled(words(found, "title"))
    arxiv_id, marked = identifiers.arxiv_in(words(found, "id", "guid") or _address(item, found))
    if not arxiv_id or not title:
        return None
    body = words(found, "summary", "description")
    prefix = _BODY.match(body)
    kind, version = old_kind, max(marked, version)
    if prefix:
        kind, version = prefix[3], max(version, int(prefix[2]))
        abstract = readable(body[prefix.end() :], ABSTRACT)
    else:
        abstract = unmarked(body, ABSTRACT)
    kind = plain(words(found, "announce_type"), 20) or kind
    if kind not in KINDS:
        kind = NEW
    entry = of_arxiv(
        arxiv_id,
        version,
        title,
        abstract,
        authors=comma_joined(_creator(found)),
        categories=_categories(found) or tuple(filter(None, [old_category])),
        kind=kind,
        announced_on=_eastern_day(words(found, "published", "pubDate")) or day,
    )
    doi = identifiers.doi(words(found, "DOI", "doi"))
    journal_ref = plain(words(found, "journal_reference", "journal_ref"), SHORT)
    return replace(entry, doi=doi, journal_ref=journal_ref)


def _titled(text: str) -> tuple[str, int, str, str]:
    """Title, version, kind and category: the feeds before 2024 wrote all of it into the title."""
    title = readable(text, TITLE)
    old = _OLD_TITLE.search(title)
    if not old:
        return title, 1, NEW, ""
    return title[: old.start()], int(old[2]), _OLD_KINDS[old[4]], old[3]


def _creator(found: dict[str, list[Element]]) -> str:
    text = words(found, "creator")
    if "<a " in text:
        return unmarked(text, 200_000)
    return text


def _address(item: Element, found: dict[str, list[Element]]) -> str:
    """The address of an item without an id: its first link, else what its RDF is about."""
    for link in found.get("link", ())[:1]:
        address = link.get("href") or link.text
        if address:
            return address
    for key, value in item.attrib.items():
        if key.endswith("}about"):
            return value
    return ""


def _categories(found: dict[str, list[Element]]) -> tuple[str, ...]:
    names = [plain(one.get("term") or one.text, 60) for one in found.get("category", ())]
    return tuple(dict.fromkeys(filter(None, names)))


def _channel_day(head: dict[str, str]) -> date | None:
    for name in ("pubDate", "updated", "date", "lastBuildDate"):
        day = _eastern_day(head.get(name, ""))
        if day:
            return day
    return None


def _eastern_day(text: str) -> date | None:
    """The publisher's day (US Eastern) of an RFC 822 or ISO moment, or nothing."""
    moment = moment_of(text)
    if moment is None:
        return None
    return moment.astimezone(EASTERN).date()


def moment_of(text: str) -> datetime | None:
    """An aware moment from an RFC 822 or ISO 8601 text, or nothing; a text without zone is UTC."""
    text = text.strip()[:60]
    try:
        parse = datetime.fromisoformat if text[:4].isdigit() else parsedate_to_datetime
        moment = parse(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return moment
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
