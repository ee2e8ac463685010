"""arXiv's listing page (`arxiv.org/list/cs.CL/new`), for days on which its feeds lag behind.

The page says of which day it is and how many entries each section has, so that a page read wrongly is told
from a quiet day.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime

from digest.papers import identifiers
from digest.papers.entry import CROSS, NEW, REPLACE, Batch, Entry, FormatError
from digest.sources.parsers.authors import accented, is_name
from digest.sources.parsers.entries import of_arxiv
from digest.sources.parsers.text import ABSTRACT, AUTHORS, NAME, TITLE, plain, unmarked
from digest.sources.parsers.xml_json import MAX_ENTRIES, likeness

_DAY = re.compile(r"listings for\s+\w+,?\s+(\d{1,2})\s+(\w+)\s+(\d{4})", re.IGNORECASE)
_SECTION = re.compile(
    r"<h3>\s*(New submissions|Cross submissions|Cross-lists|Replacement submissions|Replacements)\b([^<]*)"
)
_SHOWING = re.compile(r"showing\s+(?:first\s+)?(\d{1,6})\s+of\s+(\d{1,6})")
_ID = re.compile(r"""<a\s[^<>]*href\s*=\s*["']/abs/([\w./-]{5,30})["']""")
_PART = re.compile(r"<div class='?\"?(list-title|list-authors|list-comments|list-subjects|list-journal-ref)\b[^<>]*>")
_DESCRIPTOR = re.compile(r"<span class=['\"]descriptor['\"]>[^<]*</span>")
_CODE = re.compile(r"\(([a-z-]+(?:\.[A-Za-z-]{2,})?)\)")
_PARAGRAPH = re.compile(r"<p\b[^<>]*>([^<]*(?:<(?!/p>)[^<]*)*)")
_KINDS = {"new": NEW, "cro": CROSS, "rep": REPLACE}


def read(body: bytes, asked: date, address: str = "") -> Batch:
    """One listing page. Raises FormatError if it is none, or if it shows fewer entries than it says."""
    text = body.decode("utf-8", "replace")
    day = _day(text)
    if day is None or ("/list/" not in text and "list-title" not in text and "listings for" not in text):
        raise FormatError(f"It is {likeness(body)}, not a listing of arXiv.")
    sections = list(_SECTION.finditer(text))
    entries: list[Entry] = []
    rejected = total = 0
    ends = [section.start() for section in sections[1:]] + [len(text)]
    for section, end in zip(sections, ends, strict=True):
        rows = text[section.end() : end].split("<dt>")[1:]
        shown, listed = _shown(section[2], len(rows))
        if len(rows) < shown:
            raise FormatError(f"“{section[1]}” says {shown} entries, and {len(rows)} can be read.")
        total += listed
        kind = _KINDS[section[1][:3].lower()]
        for row in rows[:MAX_ENTRIES]:
            entry = _entry(row, kind, day)
            if entry:
                entries.append(entry)
            else:
                rejected += 1
    return Batch(tuple(entries[:MAX_ENTRIES]), day, rejected, scope="listing", total=total)


def _shown(heading: str, rows: int) -> tuple[int, int]:
    """How many entries a section says it shows, and of how many; `rows` where it says nothing."""
    found = _SHOWING.search(heading)
    if not found:
        return rows, rows
    return int(found[1]), int(found[2])


def _day(text: str) -> date | None:
    found = _DAY.search(text)
    if not found:
        return None
    for form in ("%d %B %Y", "%d %b %Y"):
        try:
            return datetime.strptime(" ".join(found.groups()), form).date()
        except ValueError:
            continue
    return None


def _entry(row: str, kind: str, day: date) -> Entry | None:
    """One `<dt>…<dd>` pair. The id is taken from the `<dt>` alone: abstracts mention other papers' ids."""
    head, _, rest = row.partition("<dd")
    found = _ID.search(head)
    if not found:
        return None
    arxiv_id, _ = identifiers.arxiv(found[1])
    parts = _parts(rest)
    title = _described(parts, "list-title")
    if not arxiv_id or not title:
        return None
    abstract, body = "", _PARAGRAPH.search(rest)
    if body:
        abstract = unmarked(body[1], ABSTRACT)
    entry = of_arxiv(
        arxiv_id,
        1,
        title,
        abstract,
        authors=_authors(parts.get("list-authors", "")),
        categories=tuple(dict.fromkeys(_CODE.findall(unmarked(parts.get("list-subjects", ""))))),
        kind=kind,
        announced_on=day,
        comment=_described(parts, "list-comments"),
    )
    if kind == REPLACE:  # the page does not say which version; a later answer will
        return replace(entry, source_id=arxiv_id, version=2)
    return entry


def _described(parts: dict[str, str], name: str) -> str:
    return plain(unmarked(_DESCRIPTOR.sub("", parts.get(name, ""))), TITLE)


def _parts(text: str) -> dict[str, str]:
    """The row's `<div class='list-…'>` texts by class."""
    starts = list(_PART.finditer(text))
    ends = [one.start() for one in starts[1:]] + [len(text)]
    parts = {}
    for one, end in zip(starts, ends, strict=True):
        parts[one[1]] = text[one.end() : end].partition("</div>")[0]
    return parts


def _authors(text: str) -> tuple[str, ...]:
    linked = re.findall(r"<a\b[^<>]*>([^<]*)</a>", text)
    names = linked or unmarked(_DESCRIPTOR.sub("", text)).split(",")
    cleaned = [accented(plain(unmarked(name), NAME), unbrace=True) for name in names[:AUTHORS]]
    return tuple(filter(is_name, cleaned))
