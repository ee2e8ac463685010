"""OPML 2.0 (opml.org/spec2.opml): the list of feeds that every feed reader takes and gives."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from django.conf import settings
from django.db.models import QuerySet

from digest.models import Source
from digest.sources import additions
from digest.sources.parsers import registry, text
from digest.sources.parsers.xml_json import local
from digest.sources.ssrf_guard import RefusedError, check_url

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
    """The feeds of an OPML file, folders flattened. Raises OpmlError."""
    if len(body) > MAX_BYTES:
        raise OpmlError(f"It is larger than {MAX_BYTES // 2**20} MB, too large for a list of feeds.")
    try:
        root = ET.fromstring(body, ET.XMLParser(target=_NoDoctype()))  # noqa: S314 - so there are no entities either
    except (ET.ParseError, ValueError, LookupError) as error:
        if isinstance(error, OpmlError):
            raise
        raise OpmlError(f"It is not well-formed XML ({error}). Export it anew from your feed reader.") from error
    if local(root.tag) != "opml":
        raise OpmlError(f"It is XML, but not OPML: its first element is <{local(root.tag)[:40]}>.")
    found = [_listed(one) for one in root.iter() if local(one.tag) == "outline" and one.get("xmlUrl")]
    return found[:MAX_FEEDS]


class _NoDoctype(ET.TreeBuilder):
    """Stops at a document type before anything in it is read. The parser tells of it whatever the encoding."""

    def doctype(self, *_: str | None) -> None:
        raise OpmlError("It has a document type, and a list of feeds needs none. Export it anew.")


def _listed(outline: ET.Element) -> Listed:
    url = text.link(outline.get("xmlUrl"))
    name = text.plain(outline.get("title") or outline.get("text"), 120)
    kind = outline.get(_OURS, "")
    return Listed(name or url, url, kind if kind in registry.KINDS else registry.told_by(url))


def look(body: bytes) -> list[Looked]:
    """What adding these feeds would do, without adding or asking any: duplicates by name. Raises OpmlError."""
    taken = dict(Source.objects.exclude(url="").values_list("url", "name"))
    looked = []
    for listed in read(body):
        looked.append(Looked(listed, _problem(listed, taken)))
        taken.setdefault(listed.url, f"{listed.name}, in this list before")
    return looked


def _problem(listed: Listed, taken: Mapping[str, str]) -> str:
    if listed.url in taken:
        return f"This address is a source already: {taken[listed.url]}."
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
