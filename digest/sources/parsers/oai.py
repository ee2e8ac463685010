"""arXiv's OAI-PMH (`oaipmh.arxiv.org/oai`), for bulk backfill: formats arXiv, arXivRaw and oai_dc.

Records come by their last modification, in pages with a resumption token that names no total.
"""

from __future__ import annotations

from datetime import date
from xml.etree.ElementTree import Element

from digest.papers import identifiers
from digest.papers.entry import LISTED, REPLACE, Batch, CutShortError, Entry, FormatError
from digest.sources import calendar
from digest.sources.parsers.arxiv import WITHDRAWN, moment_of
from digest.sources.parsers.authors import accented, comma_joined, turned
from digest.sources.parsers.leftovers import headless
from digest.sources.parsers.text import ABSTRACT, AUTHORS, NAME, SHORT, TITLE, plain, readable
from digest.sources.parsers.xml_json import children, likeness, local, words, xml


def read(body: bytes, asked: date) -> Batch:
    """One page of ListRecords or GetRecord. Raises FormatError with the server's own words for its errors."""
    document = xml(body, frozenset({"record"}))
    if document.root != "OAI-PMH":
        raise FormatError(f"It is {likeness(body)}, not an answer of OAI-PMH.")
    if "error" in document.head:
        return _error(document.head["error"])
    rows = [_entry(record) for record in document.items]
    entries = tuple(entry for entry in rows if entry)
    deleted = sum(_is_deleted(record) for record in document.items)
    batch = Batch(
        entries, None, len(rows) - len(entries) - deleted, scope="oai", more=document.head.get("resumptionToken", "")
    )
    if not document.whole:
        raise CutShortError("The answer ends in the middle.", batch)
    return batch


def _error(text: str) -> Batch:
    """No records match: that is an empty answer. All else is a fault."""
    if "no record" in text.lower() or "nomatch" in text.lower().replace(" ", ""):
        return Batch(())
    raise FormatError(f"The server says: {plain(text, 300)}")


def _is_deleted(record: Element) -> bool:
    return any(local(child.tag) == "header" and child.get("status") == "deleted" for child in record)


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
    version, created = _version(found), _created(found)
    categories = tuple(words(found, "categories").split()[:30])
    comment = readable(words(found, "comments"), TITLE)
    abstract = headless(readable(words(found, "abstract", "description"), ABSTRACT))
    return Entry(
        source_id=f"{arxiv_id}v{version}",
        title=accented(title),
        url=f"https://arxiv.org/abs/{arxiv_id}",
        pdf_url=f"https://arxiv.org/pdf/{arxiv_id}",
        abstract=accented(abstract),
        authors=_authors(found),
        arxiv_id=arxiv_id,
        version=version,
        doi=identifiers.doi(words(found, "doi")),
        categories=categories,
        primary_category=categories[0] if categories else "",
        kind=LISTED if version == 1 else REPLACE,
        published_on=created,
        announced_on=calendar.after_submission(created) if created else None,
        comment=comment,
        journal_ref=plain(words(found, "journal-ref"), SHORT),
        is_withdrawn=bool(WITHDRAWN.search(comment) or WITHDRAWN.search(abstract[:300])),
    )


def _identifier(found: dict[str, list[Element]]) -> str:
    """oai_dc names the paper by its address among other identifiers."""
    return next((one.text for one in found.get("identifier", ()) if one.text and "arxiv.org/abs/" in one.text), "")


def _version(found: dict[str, list[Element]]) -> int:
    """arXivRaw lists the versions, each with its number."""
    numbers = [one.get("version", "")[1:] for one in found.get("version", ())]
    return max((int(number) for number in numbers if number.isdigit()), default=1)


def _created(found: dict[str, list[Element]]) -> date | None:
    first = next((words(children(one), "date") for one in found.get("version", ())), "")
    moment = moment_of(first or words(found, "created", "date"))
    return moment.date() if moment else None


def _authors(found: dict[str, list[Element]]) -> tuple[str, ...]:
    """arXiv gives family and given names, arXivRaw one string, oai_dc a creator a person."""
    if "creator" in found:
        return tuple(turned(readable(one.text, NAME)) for one in found["creator"][:AUTHORS] if one.text)
    structured = next((list(one) for one in found.get("authors", ()) if len(one)), [])
    if not structured:
        return comma_joined(words(found, "authors"))
    people = (children(person) for person in structured[:AUTHORS])
    names = (f"{words(p, 'forenames')} {words(p, 'keyname')} {words(p, 'suffix')}" for p in people)
    return tuple(accented(readable(name, NAME), unbrace=True) for name in names if name.strip())
