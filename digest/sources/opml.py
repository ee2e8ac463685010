"""OPML 2.0 (opml.org/spec2.opml): the list of feeds that every feed reader takes and gives."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from digest.models import Source
from digest.sources import curating, text
from digest.sources.documents import local
from digest.sources.guard import RefusedError, check_url

MAX_BYTES, MAX_FEEDS = 2 * 1024 * 1024, 2_000
_OURS = "offprintKind"


class OpmlError(ValueError):
    """It is not an OPML file; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One feed of an OPML file."""

    name: str
    url: str
    kind: str


@dataclass(frozen=True, slots=True)
class Imported:
    """How many feeds came, and why the others did not."""

    added: tuple[str, ...]
    left_out: tuple[str, ...]


def read(body: bytes) -> list[Listed]:
    """The feeds of an OPML file, folders flattened. Raises OpmlError."""
    if len(body) > MAX_BYTES or b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise OpmlError("It is too large for a list of feeds, or has a document type. Export it anew.")
    try:
        root = ET.fromstring(body)  # noqa: S314 - no doctype gets here, so no entities either
    except (ET.ParseError, ValueError) as error:
        raise OpmlError(f"It is not well-formed XML ({error}). Export it anew from your feed reader.") from error
    if local(root.tag) != "opml":
        raise OpmlError(f"It is XML, but not OPML: its first element is <{local(root.tag)[:40]}>.")
    found = [_listed(one) for one in root.iter() if local(one.tag) == "outline" and one.get("xmlUrl")]
    return found[:MAX_FEEDS]


def _listed(outline: ET.Element) -> Listed:
    url = text.link(outline.get("xmlUrl"))
    name = text.plain(outline.get("title") or outline.get("text"), 120)
    kind = outline.get(_OURS, "")
    return Listed(name or url, url, kind if kind in Source.Kind.values else Source.Kind.FEED)


def add(body: bytes) -> Imported:
    """Add the feeds that are new; none is fetched here, and one that cannot be added does not stop the others."""
    added, left_out = [], []
    for listed in read(body):
        try:
            check_url(listed.url)
            curating.add(listed.url, listed.kind, listed.name, is_daily=listed.kind != Source.Kind.FEED)
            added.append(listed.name)
        except (RefusedError, curating.SourceError) as error:
            left_out.append(f"{listed.name or 'A feed without a name'}: {error}")
    return Imported(tuple(added), tuple(left_out))


def write(sources: Iterable[Source], title: str) -> bytes:
    """An OPML file of these sources."""
    root = ET.Element("opml", version="2.0")
    ET.SubElement(ET.SubElement(root, "head"), "title").text = title
    body = ET.SubElement(root, "body")
    for source in sources:
        words = {"type": "rss", "text": source.name, "title": source.name, "xmlUrl": source.url, _OURS: source.kind}
        ET.SubElement(body, "outline", words)
    ET.indent(root)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))
