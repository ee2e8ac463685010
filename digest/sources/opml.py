"""OPML 2.0 (opml.org/spec2.opml): the list of feeds that every feed reader takes and gives."""

from __future__ import annotations

import codecs
import html
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from xml.etree import ElementTree as ET

from django.conf import settings
from django.db.models import QuerySet

from digest.models import Source
from digest.papers import identifiers
from digest.sources import additions
from digest.sources.parsers import registry, text
from digest.sources.ssrf_guard import RefusedError, check_url

MAX_BYTES, MAX_FEEDS = 2 * 1024 * 1024, 2_000
_OURS = "offprintKind"
_FEEDS = {"rss", "atom", "rdf", "jsonfeed"}
_BYTE_ORDER_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_DECLARED = re.compile(rb"\s*<\?xml\b[^<>]*\bencoding\s*=\s*[\"']([\w.:-]{1,40})[\"']")
_NOT_OF_XML = {"idna", "utf_7", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem"}
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_OUTLINE = re.compile(r"<(?:[\w.-]+:)?outline(?=[\s/>])", re.IGNORECASE)
_VALUE = r"""(?:"[^"]*"|'[^']*')"""
_TAG = re.compile(rf"<(?:[\w.-]+:)?outline((?:\s+[\w:.-]+\s*=\s*{_VALUE})*)\s*/?>", re.IGNORECASE)
_ATTRIBUTE = re.compile(rf"([\w:.-]+)\s*=\s*({_VALUE})")
_CATEGORY = re.compile(r"/(?:rss|atom)/([\w.+-]+)")


class OpmlError(ValueError):
    """It is not an OPML file; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One feed of an OPML file."""

    name: str
    url: str
    kind: str


@dataclass(frozen=True, slots=True)
class Looked:
    """What adding a listed feed would do: nothing stands in its way, or `problem` says what does."""

    listed: Listed
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Imported:
    """How many feeds came, and why the others did not."""

    added: tuple[str, ...]
    left_out: tuple[str, ...]


def read(body: bytes) -> list[Listed]:
    """The feeds of an OPML file that can be read, folders flattened. Raises OpmlError."""
    return [looked.listed for looked in _outlines(body) if not looked.problem]


def _outlines(body: bytes) -> list[Looked]:
    """Every outline that is or should be a feed, each read alone: a broken one spoils no other. Raises OpmlError."""
    if len(body) > MAX_BYTES:
        raise OpmlError(f"It is larger than {MAX_BYTES // 2**20} MB, too large for a list of feeds.")
    written = _COMMENT.sub(_blank, _text(body))
    starts = [found.start() for found in _OUTLINE.finditer(written)]
    found = []
    for start, end in pairwise([*starts, len(written)]):
        looked = _looked(written[start:end], f"line {written.count(chr(10), 0, start) + 1}")
        if looked:
            found.append(looked)
    if len(found) > MAX_FEEDS:
        raise OpmlError(f"It lists {len(found):,} feeds, and at most {MAX_FEEDS:,} are read at once. Part it.")
    return found


def _text(body: bytes) -> str:
    """The file's characters, by its byte order mark, else by its declaration, else UTF-8. Raises OpmlError."""
    encoding = next((name for mark, name in _BYTE_ORDER_MARKS.items() if body.startswith(mark)), "")
    declared = _DECLARED.match(body)
    encoding = encoding or (declared[1].decode() if declared else "utf-8")
    try:
        if encoding.lower().replace("-", "_") in _NOT_OF_XML:
            raise LookupError(f"unknown encoding: {encoding}")
        written = body.decode(encoding, "replace")
    except (LookupError, UnicodeError) as error:
        raise OpmlError(f"It is not well-formed XML ({error}). Export it anew from your feed reader.") from error
    if re.search(r"<!(?:DOCTYPE|ENTITY)\b", written, re.IGNORECASE):
        raise OpmlError("It has a document type, and a list of feeds needs none. Export it anew.")
    root = re.search(r"<(?:[\w.-]+:)?([A-Za-z][\w.-]*)", written)
    if not root:
        raise OpmlError("It is not well-formed XML (it has no elements). Export it anew from your feed reader.")
    if root[1].lower() != "opml":
        raise OpmlError(f"It is XML, but not OPML: its first element is <{root[1][:40]}>.")
    return written


def _blank(comment: re.Match[str]) -> str:
    return "\n" * comment[0].count("\n")


def _looked(written: str, place: str) -> Looked | None:
    """One outline, `written` being its tag and what follows up to the next; None for a folder."""
    tag = _TAG.match(written)
    if not tag:
        shown = text.plain(written, 80)
        return Looked(Listed("", "", registry.told_by("")), f"The outline in {place} cannot be read: {shown}")
    values = {name.lower(): _character_data(value[1:-1]) for name, value in _ATTRIBUTE.findall(tag[1])}
    listed = _listed(values)
    if listed.url:
        pages = "+" in values.get("type", "")  # FreshRSS: pages that it reads by XPath or the like
        return Looked(listed, f"{place.capitalize()} is a page that FreshRSS takes apart, not a feed." if pages else "")
    if values.get("xmlurl") or "htmlurl" in values or values.get("type", "").lower() in _FEEDS:
        given = text.plain(values.get("xmlurl"), 200)
        return Looked(listed, _unusable(place, given))
    return None


def _unusable(place: str, given: str) -> str:
    if given:
        return f"The outline in {place} has {given!r} for its address, which does not start with http:// or https://."
    return f"The outline in {place} has no address of a feed (xmlUrl). Add its page as a source: it may name its feed."


def _character_data(value: str) -> str:
    """An attribute's characters. Entities need their semicolon: `?a=1&copy=2` is an address."""
    return re.sub(r"&#?\w{1,30};", lambda entity: html.unescape(entity[0]), value)


def _listed(values: Mapping[str, str]) -> Listed:
    given = re.sub(r"^feed:(?=https?:)", "", values.get("xmlurl", "").strip(), flags=re.IGNORECASE)
    given = re.sub(r"^feed:(?://)?", "http://", given, flags=re.IGNORECASE)
    url = text.link(f"https:{given}" if given.startswith("//") else given)
    name = text.plain(values.get("title"), 120) or text.plain(values.get("text"), 120)
    kind = values.get(_OURS.lower(), "")
    return Listed(name or url, url, kind if kind in registry.KINDS else registry.told_by(url))


def look(body: bytes) -> list[Looked]:
    """What adding these feeds would do, without adding or asking any: duplicates by name. Raises OpmlError."""
    taken = {
        _twin(url, kind): name for url, kind, name in Source.objects.exclude(url="").values_list("url", "kind", "name")
    }
    looked = []
    for one in _outlines(body):
        listed = one.listed
        looked.append(one if one.problem else Looked(listed, _problem(listed, taken)))
        if listed.url:
            taken.setdefault(_twin(listed.url, listed.kind), f"{listed.name}, in this list before")
    return looked


def _twin(url: str, kind: str) -> str:
    """One word for all addresses of one feed: http and https, with `www.` or a slash; a category of arXiv's feeds."""
    category = _CATEGORY.search(url) if registry.of(kind).category_addresses else None
    if category:
        return f"{kind}:{category[1].lower()}"
    try:
        return identifiers.canonical(url)
    except ValueError:
        return url


def _problem(listed: Listed, taken: Mapping[str, str]) -> str:
    known = taken.get(_twin(listed.url, listed.kind))
    if known:
        return f"This address is a source already: {known}."
    try:
        check_url(listed.url, settings.FETCH_PRIVATE_HOSTS)
    except RefusedError as error:
        return str(error)
    return ""


def add(body: bytes, only: Collection[str] | None = None) -> Imported:
    """Add the feeds that are new (of `only` these addresses); none is fetched here, and none stops the others."""
    added, left_out = [], []
    for looked in look(body):
        listed, problem = looked.listed, looked.problem
        if only is not None and listed.url not in only:
            continue
        if not problem:
            try:
                additions.add(listed.url, listed.kind, listed.name, is_daily=registry.of(listed.kind).is_daily)
            except additions.SourceError as error:
                problem = str(error)
        if problem:
            left_out.append(f"{listed.name or 'A feed without a name'}: {problem}")
        else:
            added.append(listed.name)
    return Imported(tuple(added), tuple(left_out))


def ours(every: bool) -> QuerySet[Source]:
    """The sources to export: those that are on, or every one; no samples and none that has only files."""
    rows = Source.objects.filter(is_sample=False).exclude(url="").order_by("slug")
    return rows if every else rows.filter(is_enabled=True)


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
