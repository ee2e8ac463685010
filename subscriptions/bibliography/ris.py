"""RIS, as Zotero, EndNote and PubMed's exporters write it: two letters, two spaces, a dash, a value."""

from __future__ import annotations

import re
from collections.abc import Iterator

from subscriptions.bibliography.entries import BadEntry, Reference, Unparsed, identifier
from subscriptions.bibliography.texts import LONGEST_TEXT, plain, squeezed, titled

_line = re.compile(r"^([A-Z][A-Z0-9])\s{0,2}-\s?(.*)$")
_TITLES, _AUTHORS, _IDS = ("TI", "T1", "CT"), ("AU", "A1"), ("DO", "UR", "L1", "L2", "M3", "AN", "N1", "ID")


def read(text: str) -> Iterator[Reference | BadEntry | Unparsed]:
    """Every record of a file, taken or named, and what stands between them."""
    started, fields, last = 0, {}, ""  # type: int, dict[str, list[str]], str
    between: list[str] = []
    lines = text.splitlines()
    for number, line in enumerate(lines, start=1):
        found = _line.match(line.strip("\ufeff"))
        if not found and not last:
            between.append(line)
            continue
        if not found:
            if line.strip() and len(fields[last][-1]) < LONGEST_TEXT:  # what is cut off later need not be joined
                fields[last][-1] += " " + line.strip()
            continue
        if between:
            yield Unparsed(number - len(between), "\n".join(between))
            between = []
        last = found[1]
        if last == "TY":
            yield from _record(started, fields, closed=False)
            started, fields = number, {}
        if last == "ER":
            yield from _record(started or number, fields, closed=True)
            started, fields, last = 0, {}, ""
        else:
            fields.setdefault(last, []).append(found[2].strip())
    yield from _record(started, fields, closed=False)
    if between:
        yield Unparsed(len(lines) + 1 - len(between), "\n".join(between))


def _record(line: int, fields: dict[str, list[str]], closed: bool) -> Iterator[Reference | BadEntry]:
    if not fields:
        return
    title = plain(next((fields[tag][0] for tag in _TITLES if tag in fields), ""))
    name = title[:60] or f"record at line {line}"
    found = next(filter(None, (identifier(value) for tag in _IDS for value in fields.get(tag, ()))), "")
    if not closed or "TY" not in fields:
        yield BadEntry(line, name, "The record has no TY line." if closed else "The record has no ER line at its end.")
    elif not found and not titled(title):
        yield BadEntry(line, name, "It has neither a title nor an arXiv id nor a DOI.")
    else:
        authors = tuple(squeezed(one) for tag in _AUTHORS for one in fields.get(tag, ()))
        abstract = next((fields[tag][0] for tag in ("AB", "N2") if tag in fields), "")
        yield Reference(found or titled(title), title, squeezed(abstract), authors)
