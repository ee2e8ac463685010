"""arXiv's daily feeds: rss.arxiv.org's Atom and RSS (2024+), and the RDF of the years before.

One day's announcements; `published` is that day's midnight in US Eastern, whatever was submitted when.
The first category is the primary one. Bad categories come back as a well-formed feed with an error title.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from xml.etree.ElementTree import Element
from zoneinfo import ZoneInfo

from digest.papers import identifiers
from digest.papers.entry import CROSS, NEW, REPLACE, REPLACE_CROSS, Batch, CutShortError, Entry, FormatError
from digest.sources.parsers.authors import accented, comma_joined
from digest.sources.parsers.leftovers import headless
from digest.sources.parsers.text import ABSTRACT, SHORT, TITLE, plain, readable, unmarked
from digest.sources.parsers.xml_json import MAX_ENTRIES, Document, children, likeness, words, xml

EASTERN = ZoneInfo("America/New_York")
ITEMS = frozenset({"entry", "item"})
KINDS = {NEW, CROSS, REPLACE, REPLACE_CROSS}
_BODY = re.compile(r"^arXiv:(\S+?)v(\d+)\s+Announce Type:\s*(\S+)\s*\n?Abstract:\s*")
_OLD_TITLE = re.compile(r"\.?\s*\(arXiv:(\S+?)v(\d+)\s*\[([\w.-]+)\]\s*(UPDATED|CROSS LISTED)?\)\s*$")
_OLD_KINDS = {"UPDATED": REPLACE, "CROSS LISTED": CROSS, None: NEW, "": NEW}
_TITLE = re.compile(r"^(.*?) updates on (?:the )?arXiv", re.IGNORECASE)
# At the head of a sentence and said of the paper itself: an abstract may speak of withdrawn drugs.
WITHDRAWN = re.compile(
    r"(?:^|[.;:(]\s*)(?:(?:this|the)\s)?(?:paper|article|submission|manuscript|work|preprint|version)\s"
    r"(?:(?:has|have|had)\sbeen\s|is\s|was\s|is\sbeing\s)?(?:\w+\s)?withdrawn\b"
    r"|^\W*withdrawn\b(?:\sby\b|\W*$|[.,;:])",
    re.IGNORECASE,
)


def read(body: bytes, asked: date) -> Batch:
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
    read_items = [_entry(item, announced or asked) for item in document.items]
    entries = tuple(entry for entry in read_items if entry)
    if document.items and not entries:
        raise FormatError("None of its entries has an arXiv id and a title.")
    days = Counter(entry.announced_on for entry in entries)
    found = _TITLE.match(title)
    return Batch(
        entries,
        days.most_common(1)[0][0] if days else announced,
        rejected=len(read_items) - len(entries),
        problems=_problems(document),
        scope=found[1] if found else "",
    )


def _problems(document: Document) -> tuple[str, ...]:
    problems = []
    if document.more:
        problems.append(f"Only the first {MAX_ENTRIES:,} entries were read; {document.more:,} more were left.")
    if document.broken:
        problems.append(f"{document.broken:,} characters were not UTF-8 or not allowed in XML.")
    return tuple(problems)


def _entry(item: Element, day: date) -> Entry | None:
    found = children(item)
    title, version, old_kind, old_category = _titled(words(found, "title"))
    arxiv_id, marked = identifiers.arxiv_in(words(found, "id", "guid") or _address(found) or _about(item))
    if not arxiv_id or not title:
        return None
    body = words(found, "summary", "description")
    prefix = _BODY.match(body)
    abstract = headless(readable(body[prefix.end() :], ABSTRACT) if prefix else unmarked(body, ABSTRACT))
    kind = plain(words(found, "announce_type"), 20) or (prefix[3] if prefix else old_kind)
    categories = _categories(found) or ((old_category,) if old_category else ())
    version = max(marked, version, int(prefix[2]) if prefix else 1)
    return Entry(
        source_id=f"{arxiv_id}v{version}",
        title=accented(title),
        url=f"https://arxiv.org/abs/{arxiv_id}",
        pdf_url=f"https://arxiv.org/pdf/{arxiv_id}",
        abstract=accented(abstract),
        authors=comma_joined(_creator(found)),
        arxiv_id=arxiv_id,
        version=version,
        doi=identifiers.doi(words(found, "DOI", "doi")),
        categories=categories,
        primary_category=categories[0] if categories else "",
        kind=kind if kind in KINDS else NEW,
        announced_on=_eastern_day(words(found, "published", "pubDate")) or day,
        journal_ref=plain(words(found, "journal_reference", "journal_ref"), SHORT),
        is_withdrawn=bool(WITHDRAWN.search(abstract[:300])),
    )


def _titled(text: str) -> tuple[str, int, str, str]:
    """Title, version, kind and category: the feeds before 2024 wrote all of it into the title."""
    title = readable(text, TITLE)
    old = _OLD_TITLE.search(title)
    return (title[: old.start()], int(old[2]), _OLD_KINDS[old[4]], old[3]) if old else (title, 1, NEW, "")


def _creator(found: dict[str, list[Element]]) -> str:
    text = words(found, "creator")
    return unmarked(text, 200_000) if "<a " in text else text


def _address(found: dict[str, list[Element]]) -> str:
    return next((link.get("href") or link.text or "" for link in found.get("link", ())), "")


def _about(item: Element) -> str:
    return next((value for key, value in item.attrib.items() if key.endswith("}about")), "")


def _categories(found: dict[str, list[Element]]) -> tuple[str, ...]:
    named = (plain(one.get("term") or one.text, 60) for one in found.get("category", ()))
    return tuple(dict.fromkeys(name for name in named if name))


def _channel_day(head: dict[str, str]) -> date | None:
    return next(
        (day for name in ("pubDate", "updated", "date", "lastBuildDate") if (day := _eastern_day(head.get(name, "")))),
        None,
    )


def _eastern_day(text: str) -> date | None:
    """The publisher's day (US Eastern) of an RFC 822 or ISO moment, or nothing."""
    moment = moment_of(text)
    return moment.astimezone(EASTERN).date() if moment else None


def moment_of(text: str) -> datetime | None:
    """An aware moment from an RFC 822 or ISO 8601 text, or nothing; a text without zone is UTC."""
    text = text.strip()[:60]
    try:
        moment = datetime.fromisoformat(text) if text[:4].isdigit() else parsedate_to_datetime(text)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
