"""arXiv's OAI-PMH (`oaipmh.arxiv.org/oai`), for bulk backfill: formats arXiv, arXivRaw and oai_dc.

Records come by their last modification, in pages with a resumption token that names no total.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from xml.etree.ElementTree import Element

from digest.papers import identifiers
from digest.papers.entry import LISTED, REPLACE, Batch, CutShortError, Entry, FormatError
from digest.sources import calendar
from digest.sources.parsers.arxiv import moment_of
from digest.sources.parsers.authors import accented, comma_joined, turned
from digest.sources.parsers.entries import of_arxiv
from digest.sources.parsers.text import ABSTRACT, AUTHORS, NAME, SHORT, TITLE, plain, readable
from digest.sources.parsers.xml_json import children, likeness, local, words, xml


def read(body: bytes, asked: date, address: str = "") -> Batch:
    """One page of ListRecords or GetRecord. Raises FormatError with the server's own words for its errors."""
    document = xml(body, frozenset({"record"}))
    if document.root != "OAI-PMH":
        raise FormatError(f"It is {likeness(body)}, not an answer of OAI-PMH.")
    if "error" in document.head:
        return _error(document.head["error"])
    rows = [_entry(record) for record in document.items]
    entries = tuple(filter(None, rows))
    deleted = sum(map(_is_deleted, document.items))
    more = document.head.get("resumptionToken", "")
    batch = Batch(entries, None, len(rows) - len(entries) - deleted, scope="oai", more=more)
    if not document.whole:
        raise CutShortError("The answer ends in the middle.", batch)
    return batch


def _error(text: str) -> Batch:
    """No records match: that is an empty answer. All else is a fault."""
    if "no record" in text.lower() or "nomatch" in text.lower().replace(" ", ""):
        return Batch(())
    raise FormatError(f"The server says: {plain(text, 300)}")


def _is_deleted(record: Element) -> bool:
    for child in record:
        if local(child.tag) == "header":
            return child.get("status") == "deleted"
    return False


def _entry(record: Element) -> Entry | None:
    metadata = next((child for child in record if local(child.tag) == "metadata"), None)
    if metadata is None or not len(metadata):
        return None
    found = children(metadata[0])
    name = words(found, "id") or _identifier(found)
    arxiv_id, _ = identifiers.arxiv(name)
    if not arxiv_id:
        arxiv_id, _ = identifiers.arxiv_in(name)
    title = readable(words(found, "title"), TITLE)
    if not arxiv_id or not title:
        return None
    version = _version(found)
    created = _created(found)
    entry = of_arxiv(
        arxiv_id,
        version,
        title,
        readable(words(found, "abstract", "description"), ABSTRACT),
        authors=_authors(found),
        categories=tuple(words(found, "categories").split()[:30]),
        kind=LISTED if version == 1 else REPLACE,
        announced_on=calendar.after_submission(created) if created else None,
        comment=readable(words(found, "comments"), TITLE),
    )
    journal_ref = plain(words(found, "journal-ref"), SHORT)
    return replace(entry, published_on=created, doi=identifiers.doi(words(found, "doi")), journal_ref=journal_ref)


def _identifier(found: dict[str, list[Element]]) -> str:
    """oai_dc names the paper by its address among other identifiers."""
    for one in found.get("identifier", ()):
        if one.text and "arxiv.org/abs/" in one.text:
            return one.text
    return ""


def _version(found: dict[str, list[Element]]) -> int:
    """arXivRaw lists the versions, each with its number."""
    newest = 1
    for one in found.get("version", ()):
        number = one.get("version", "")[1:]
        if number.isdigit():
            newest = max(newest, int(number))
    return newest


def _created(found: dict[str, list[Element]]) -> date | None:
    first = next((words(children(one), "date") for one in found.get("version", ())), "")
    moment = moment_of(first or words(found, "created", "date"))
    if moment is None:
        return None
    return moment.date()


def _authors(found: dict[str, list[Element]]) -> tuple[str, ...]:
    """arXiv gives family and given names, arXivRaw one string, oai_dc a creator a person."""
    if "creator" in found:
        return tuple(turned(readable(one.text, NAME)) for one in found["creator"][:AUTHORS] if one.text)
    structured = next((list(one) for one in found.get("authors", ()) if len(one)), [])
    if not structured:
        return comma_joined(words(found, "authors"))
    names = []
    for person in structured[:AUTHORS]:
        parts = children(person)
        name = " ".join(words(parts, part) for part in ("forenames", "keyname", "suffix"))
        if name.strip():
            names.append(accented(readable(name, NAME), unbrace=True))
    return tuple(names)
