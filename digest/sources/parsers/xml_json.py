"""Bytes as documents: XML without doctypes, JSON, and what an answer looks like when it is neither.

feedparser is for feeds of any make. The publishers read here by name write typed XML; the standard
library's parser keeps their text exact, where feedparser takes RSS for HTML and drops `<think>`.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree as ET

from digest.papers.entry import FormatError

MAX_ENTRIES = 5_000
_MAX_DEPTH = 60
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_TITLE = re.compile(rb"<title[^<>]*>\s*([^<]{1,120})", re.IGNORECASE)


@dataclass(slots=True)
class Document:
    """An XML answer: its root without the entries, the entries, and whether it came to its end."""

    root: str
    head: dict[str, str]
    items: list[ET.Element] = field(default_factory=list)
    whole: bool = True
    more: int = 0  # entries beyond MAX_ENTRIES
    broken: int = 0  # bytes that were not what the encoding allows


def likeness(body: bytes) -> str:
    """What the bytes look like, for a sentence: `an HTML page titled "Validate User"`."""
    start = body[:2_000].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not start:
        return "an empty answer"
    if start.startswith((b"<!doctype html", b"<html")) or b"<html" in start:
        title = _TITLE.search(body[:20_000])
        name = " ".join(title[1].decode("utf-8", "replace").split()) if title else ""
        return f"an HTML page titled “{name}”" if name else "an HTML page"
    if start.startswith((b"{", b"[")):
        return "JSON"
    if start.startswith(b"\x1f\x8b"):
        return "gzip-compressed bytes"
    if start.startswith(b"%pdf"):
        return "a PDF"
    return "XML" if start.startswith(b"<") else "text that is neither XML nor JSON"


def xml(body: bytes, items: frozenset[str]) -> Document:
    """Read XML, collecting the elements whose local name is in `items`.

    Raises FormatError for a doctype (no publisher read this way uses one), for too deep a nesting and for
    what is not XML at all. An answer that breaks off comes back with `whole` False and the entries before.
    """
    text, broken = _decoded(body)
    walk = _Walk(items)
    walk.document.broken = broken
    parser: ET.XMLPullParser[ET.Element] = ET.XMLPullParser(("start", "end"))
    try:
        parser.feed(text)
        parser.close()
        walk.on(parser.read_events())
    except ET.ParseError as error:
        walk.until_broken(parser)
        if not walk.document.root:
            raise FormatError(f"It is {likeness(body)}, not a feed ({error}).") from error
        walk.document.whole = False
    return walk.document


def _decoded(body: bytes) -> tuple[str, int]:
    """Text without its XML declaration and illegal characters, and how many of those there were."""
    if body[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        raise FormatError("It is UTF-16; this publisher answers in UTF-8.")
    if b"<!DOCTYPE" in body[:4_000] or b"<!doctype" in body[:4_000] or b"<!ENTITY" in body:
        raise FormatError(f"It is {likeness(body)} with a document type; this publisher writes none.")
    text = body.decode("utf-8-sig", "replace")
    broken = text.count("\ufffd")
    text, dropped = _ILLEGAL.subn("\ufffd", text)
    return re.sub(r"^\s*<\?xml[^>]{0,200}\?>", "", text), broken + dropped


class _Walk:
    """Takes the parser's events and keeps whole entries; all else is forgotten as it goes, to bound memory."""

    def __init__(self, items: frozenset[str]) -> None:
        self.items, self.document = items, Document("", {})
        self.depth, self.inside = 0, 0

    def on(self, events: Iterator[Any]) -> None:
        for event, element in events:
            name = local(element.tag)
            if event == "start":
                self._open(name)
            else:
                self._close(name, element)

    def until_broken(self, parser: ET.XMLPullParser) -> None:
        """What came before the break; the parser hands its error over once more at the end."""
        with contextlib.suppress(ET.ParseError):
            self.on(parser.read_events())

    def _open(self, name: str) -> None:
        self.depth += 1
        self.document.root = self.document.root or name
        if self.depth > _MAX_DEPTH:
            raise FormatError(f"Its elements are nested more than {_MAX_DEPTH} deep.")
        if name in self.items and not self.inside:
            self.inside = self.depth

    def _close(self, name: str, element: ET.Element) -> None:
        if self.inside == self.depth:
            self.inside = 0
            if len(self.document.items) < MAX_ENTRIES:
                self.document.items.append(element)
            else:
                self.document.more += 1
                element.clear()
        elif not self.inside:
            self.document.head.setdefault(name, (element.text or "").strip())
        self.depth -= 1


def local(tag: str) -> str:
    """An element's name without its namespace."""
    return tag.rpartition("}")[2]


def children(element: ET.Element) -> dict[str, list[ET.Element]]:
    """An entry's children by local name, in order."""
    found: dict[str, list[ET.Element]] = {}
    for child in element:
        found.setdefault(local(child.tag), []).append(child)
    return found


def words(found: dict[str, list[ET.Element]], *names: str) -> str:
    """The text of the first child with one of the names, markup inside it flattened."""
    for name in names:
        for child in found.get(name, ()):
            text = "".join(child.itertext())
            if text.strip():
                return text
    return ""


def json_document(body: bytes) -> Any:
    """Any JSON value. Raises FormatError with what the bytes look like instead, or where they break off."""
    try:
        return json.loads(body.decode("utf-8-sig", "replace"), parse_constant=lambda _: None)
    except RecursionError as error:
        raise FormatError("Its JSON is nested too deep.") from error
    except ValueError as error:
        shown = likeness(body)
        raise FormatError(
            f"Its JSON cannot be read ({error})." if shown == "JSON" else f"It is {shown}, not JSON."
        ) from error


_BETWEEN = re.compile(r"[\s,]*")


def json_items(body: bytes) -> list[Any]:
    """The whole items of a JSON list that breaks off; the list is the first one in the bytes."""
    text, decoder = body.decode("utf-8-sig", "replace"), json.JSONDecoder()
    items: list[Any] = []
    place = text.find("[") + 1
    while 0 < place < len(text) and len(items) < MAX_ENTRIES:
        gap = _BETWEEN.match(text, place)
        try:
            item, place = decoder.raw_decode(text, gap.end() if gap else place)
        except (ValueError, RecursionError):
            break
        items.append(item)
    return items
