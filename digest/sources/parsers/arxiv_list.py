"""arXiv's listing page (`arxiv.org/list/cs.CL/new`), for days on which its feeds lag behind.

The page says of which day it is and how many entries each section has, so that a page read wrongly is told
from a quiet day.
"""

from __future__ import annotations

import re
from datetime import date, datetime

from digest.papers import identifiers
from digest.papers.entry import CROSS, NEW, REPLACE, Batch, Entry, FormatError
from digest.sources.parsers.arxiv import WITHDRAWN
from digest.sources.parsers.authors import accented, is_name
from digest.sources.parsers.leftovers import headless
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


def read(body: bytes, asked: date) -> Batch:
    """One listing page. Raises FormatError if it is none, or if it shows fewer entries than it says."""
    text = body.decode("utf-8", "replace")
    day = _day(text)
    if day is None or ("/list/" not in text and "list-title" not in text and "listings for" not in text):
        raise FormatError(f"It is {likeness(body)}, not a listing of arXiv.")
    sections = list(_SECTION.finditer(text))
    entries: list[Entry] = []
    rejected = total = 0
    for n, section in enumerate(sections):
        end = sections[n + 1].start() if n + 1 < len(sections) else len(text)
        rows, listed = _rows(text[section.end() : end]), _SHOWING.search(section[2])
        if listed and len(rows) < int(listed[1]):
            raise FormatError(f"“{section[1]}” says {listed[1]} entries, and {len(rows)} can be read.")
        total += int(listed[2]) if listed else len(rows)
        found = [_entry(row, _KINDS[section[1][:3].lower()], day) for row in rows[:MAX_ENTRIES]]
        entries += [entry for entry in found if entry]
        rejected += found.count(None)
    return Batch(tuple(entries[:MAX_ENTRIES]), day, rejected, scope="listing", total=total)


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


def _rows(section: str) -> list[str]:
    return re.split(r"<dt>", section)[1:]


def _entry(row: str, kind: str, day: date) -> Entry | None:
    """One `<dt>…<dd>` pair. The id is taken from the `<dt>` alone: abstracts mention other papers' ids."""
    head, _, rest = row.partition("<dd")
    found = _ID.search(head)
    arxiv_id, _ = identifiers.arxiv(found[1]) if found else ("", 1)
    parts = _parts(rest)
    title = plain(unmarked(_DESCRIPTOR.sub("", parts.get("list-title", ""))), TITLE)
    if not arxiv_id or not title:
        return None
    body = _PARAGRAPH.search(rest)
    abstract = headless(unmarked(body[1], ABSTRACT)) if body else ""
    comment = plain(unmarked(_DESCRIPTOR.sub("", parts.get("list-comments", ""))), TITLE)
    categories = tuple(dict.fromkeys(_CODE.findall(unmarked(parts.get("list-subjects", "")))))
    return Entry(
        source_id=f"{arxiv_id}v1" if kind != REPLACE else arxiv_id,
        title=accented(title),
        url=f"https://arxiv.org/abs/{arxiv_id}",
        pdf_url=f"https://arxiv.org/pdf/{arxiv_id}",
        abstract=accented(abstract),
        authors=_authors(parts.get("list-authors", "")),
        arxiv_id=arxiv_id,
        version=1 if kind != REPLACE else 2,  # the page does not say which; a later answer will
        categories=categories,
        primary_category=categories[0] if categories else "",
        kind=kind,
        announced_on=day,
        comment=comment,
        is_withdrawn=bool(WITHDRAWN.search(comment) or WITHDRAWN.search(abstract[:300])),
    )


def _parts(text: str) -> dict[str, str]:
    """The row's `<div class='list-…'>` texts by class."""
    starts = list(_PART.finditer(text))
    ends = [one.start() for one in starts[1:]] + [len(text)]
    return {one[1]: text[one.end() : end].partition("</div>")[0] for one, end in zip(starts, ends, strict=True)}


def _authors(text: str) -> tuple[str, ...]:
    linked = re.findall(r"<a\b[^<>]*>([^<]*)</a>", text)
    names = linked or unmarked(_DESCRIPTOR.sub("", text)).split(",")
    cleaned = (accented(plain(unmarked(name), NAME), unbrace=True) for name in names[:AUTHORS])
    return tuple(name for name in cleaned if is_name(name))
