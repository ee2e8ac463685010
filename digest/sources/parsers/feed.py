"""Any RSS, Atom or RDF feed through feedparser, and JSON Feed: journals, PubMed searches, blogs.

feedparser gets bytes only (a string it would take for a path or an address to open) and is only ever
called in the killable child: some of its expressions take minutes on a few hostile kilobytes.
"""

from __future__ import annotations

import io
import re
from calendar import timegm
from dataclasses import dataclass
from datetime import UTC, date, datetime
from textwrap import shorten
from time import struct_time
from typing import Any
from urllib.parse import urljoin

import feedparser

from digest.papers import graphemes, identifiers
from digest.papers.entry import NEW, Batch, CutShortError, Entry, FormatError
from digest.sources.parsers import authors, leftovers
from digest.sources.parsers.arxiv import moment_of
from digest.sources.parsers.entries import WITHDRAWN
from digest.sources.parsers.text import ABSTRACT, SHORT, TITLE, link, plain, readable, untagged
from digest.sources.parsers.xml_json import MAX_ENTRIES, json_document, likeness

_END = re.compile(rb"</(?:rss|feed|rdf:RDF|RDF)\s*>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Channel:
    """What an entry is read with: the address that its relative links lead on from, and how it names its authors."""

    base: str
    has_authors_in_two_ways: bool = False


def read(body: bytes, asked: date, address: str = "") -> Batch:
    """One feed of any make; `address` is where it came from. Raises FormatError if it is none."""
    start = body[:200].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith((b"{", b"[")):
        return _json_feed(body, address)
    parsed = feedparser.parse(io.BytesIO(body), sanitize_html=False, resolve_relative_uris=False)
    if not parsed.get("version"):
        raise FormatError(f"It is {likeness(body)}, not a feed.")
    in_two_ways = b"creator>" in body and b"<author" in body
    channel = _Channel(_base(parsed.feed.get("link"), _self(parsed) or address), in_two_ways)
    batch = _batch(parsed, channel, str(parsed.bozo_exception) if parsed.bozo else "")
    if parsed.bozo and not _END.search(body[-2_000:].replace(b"\0", b"")):
        raise CutShortError("The feed ends in the middle.", batch)
    return batch


def _batch(parsed: Any, channel: _Channel, fault: str) -> Batch:
    items = parsed.entries
    rows = [_entry(item, channel) for item in items[:MAX_ENTRIES]]
    entries = tuple(entry for entry in rows if entry)
    if items and not entries:
        raise FormatError("None of its entries has a title or a text, and an address.")
    problems = [f"It is not well-formed ({plain(fault, 120)})."] if fault and "encoding" not in fault else []
    if len(items) > MAX_ENTRIES:
        problems.append(f"Only the first {MAX_ENTRIES:,} of {len(items):,} entries were read.")
    return Batch(
        entries,
        None,
        rejected=len(rows) - len(entries),
        problems=tuple(problems),
        scope=untagged(parsed.feed.get("title"), 120),
        well_formed=not problems,
    )


def _entry(item: Any, channel: _Channel) -> Entry | None:
    title = authors.accented(untagged(item.get("title"), TITLE))
    guid = plain(item.get("id"), SHORT)
    url = _joined(channel.base, item.get("link")) or link(guid)
    doi = _doi(item, guid, url)
    url = url or (f"https://doi.org/{doi}" if doi else "")
    said, people = _uncited(_abstract(item, title))
    title, abstract = _titled(title, authors.accented(said))
    if not title or not url:
        return None
    arxiv_id, version = identifiers.arxiv_in(f"{url} {guid}") if "10.48550" not in doi else identifiers.arxiv_in(doi)
    published = _day(item)
    return Entry(
        source_id=guid or url,
        title=title,
        url=url,
        abstract=abstract,
        authors=_authors(item, channel) or authors.from_feed([people] if people else []),
        arxiv_id=arxiv_id,
        version=version,
        doi="" if "10.48550/arxiv" in doi else doi,
        categories=_tags(item),
        primary_category=next(iter(_tags(item)), ""),
        kind=NEW,
        published_on=published,
        announced_on=published,
        journal_ref=untagged(item.get("prism_publicationname"), SHORT),
        is_withdrawn=bool(WITHDRAWN.search(abstract[:300])) or title.upper().startswith(("RETRACTED", "WITHDRAWN")),
    )


_SENTENCE = re.compile(r".{1,119}?(?:[.!?…](?=\s|$)|[。！？])")


def _titled(title: str, text: str) -> tuple[str, str]:
    """Title and text of an entry. Without a title (RSS 2.0 and JSON Feed allow it) the first words stand for it."""
    has_words = any(map(str.isalnum, title))
    if has_words or not text:
        return title if has_words else "", text
    sentence = _SENTENCE.match(text)
    shown = sentence[0] if sentence else shorten(text, 120, placeholder="…")
    return shown if len(shown) > 1 else graphemes.whole(text, 119) + "…", "" if shown == text else text


def _self(parsed: Any) -> str:
    """The feed's own address as it says it (RFC 4287, 4.2.7.2: rel="self")."""
    named = (one.get("href") for one in parsed.feed.get("links") or [] if one.get("rel") == "self")
    return next((address for address in map(link, named) if address), "")


def _base(home: Any, own: str) -> str:
    """What relative addresses lead on from: the feed's home page, else its own address.

    feedparser has followed `xml:base` before.
    """
    return _joined(own, home) or link(own)


def _joined(base: str, address: Any) -> str:
    """A whole address of one that may be relative to `base`; without a base one that lacks its scheme only."""
    if not isinstance(address, str) or not address.strip():
        return ""
    whole = link(address)
    if whole or not (base or address.strip().startswith("//")):
        return whole
    try:
        return link(urljoin(base or "https://", address.strip()))
    except ValueError:
        return ""


def _doi(item: Any, guid: str, url: str) -> str:
    places = (item.get("prism_doi"), item.get("dc_identifier"), guid, url, item.get("prism_url"))
    return next((doi for place in places if isinstance(place, str) and (doi := identifiers.doi(place[:600]))), "")


def _abstract(item: Any, title: str) -> str:
    """The longest text the entry has: summaries are often cut, and contents often mere citations."""
    texts = [item.get("summary"), *(one.get("value") for one in item.get("content") or [])]
    return max((leftovers.abstract(text, title) for text in texts[:4]), key=len, default="")


def _authors(item: Any, channel: _Channel) -> tuple[str, ...]:
    names = [str(one["name"]) for one in item.get("authors") or [] if one.get("name")]
    return authors.from_feed(names, channel.has_authors_in_two_ways)


# How some publishers write their descriptions: a citation first, the authors in it, then the abstract if any.
_PENSOFT = re.compile(r"^.{1,200}? DOI: \S+ Authors: (.{1,5000}?) Abstract: ")
_ELSEVIER = re.compile(r"^Publication date: .{1,200}? Author\(s\): ?(.{0,5000})$")
_PUBMED = re.compile(r"^.{1,600}? ABSTRACT ")


def _uncited(text: str) -> tuple[str, str]:
    """A description without the citation in front of it, and the authors that it named."""
    for citation in (_PENSOFT, _ELSEVIER):
        found = citation.match(text)
        if found:
            return text[found.end() :], found[1]
    found = _PUBMED.match(text) if "doi: " in text[:600] else None
    return (text[found.end() :] if found else text), ""


def _tags(item: Any) -> tuple[str, ...]:
    named = (untagged(one.get("term"), 100) for one in (item.get("tags") or [])[:20])
    return tuple(dict.fromkeys(name for name in named if name))


def _day(item: Any) -> date | None:
    """The day it was published; feeds that only say when they were updated get that."""
    for name in ("published_parsed", "updated_parsed", "created_parsed"):
        moment = item.get(name)
        if isinstance(moment, struct_time):
            try:
                return datetime.fromtimestamp(timegm(moment), UTC).date()
            except (ValueError, OverflowError, OSError):
                continue
    return None


def _json_feed(body: bytes, address: str) -> Batch:
    """JSON Feed 1.0 and 1.1 (jsonfeed.org/version/1.1)."""
    answer = json_document(body)
    if not isinstance(answer, dict) or not isinstance(answer.get("items"), list):
        raise FormatError("It is JSON, but not a JSON Feed: it has no list of items.")
    items = answer["items"]
    base = _base(answer.get("home_page_url"), link(answer.get("feed_url")) or address)
    rows = [_json_entry(item, base) for item in items[:MAX_ENTRIES]]
    entries = tuple(entry for entry in rows if entry)
    if items and not entries:
        raise FormatError("None of its items has a title or a text, and an address.")
    return Batch(entries, None, rejected=len(rows) - len(entries), scope=plain(answer.get("title"), 120))


def _json_entry(item: Any, base: str) -> Entry | None:
    if not isinstance(item, dict):
        return None
    guid = plain(str(item.get("id") or ""), SHORT)
    url = _joined(base, item.get("url")) or _joined(base, item.get("external_url")) or link(guid)
    named = untagged(item.get("title"), TITLE)
    title, abstract = _titled(named, _json_abstract(item, named))
    if not url or not title:
        return None
    arxiv_id, version = identifiers.arxiv_in(f"{url} {guid}")
    moment = moment_of(plain(item.get("date_published"), 60))
    return Entry(
        source_id=guid or url,
        title=title,
        url=url,
        abstract=abstract,
        authors=_json_authors(item),
        arxiv_id=arxiv_id,
        version=version,
        doi=identifiers.doi(f"{guid} {url}"),
        categories=_json_tags(item),
        published_on=moment.date() if moment else None,
        announced_on=moment.date() if moment else None,
    )


def _json_abstract(item: dict[str, Any], title: str) -> str:
    """The item's plain text, else its summary, else the words of its HTML."""
    words = readable(item.get("content_text") or item.get("summary"), ABSTRACT)
    return leftovers.headless(words) or leftovers.abstract(item.get("content_html"), title)


def _json_authors(item: dict[str, Any]) -> tuple[str, ...]:
    """`authors` of version 1.1, else the one `author` of version 1.0."""
    people = item.get("authors") or [item.get("author")]
    if not isinstance(people, list):
        return ()
    return authors.from_feed([str(one["name"]) for one in people if isinstance(one, dict) and one.get("name")])


def _json_tags(item: dict[str, Any]) -> tuple[str, ...]:
    tags = item.get("tags")
    if not isinstance(tags, list):
        return ()
    named = (readable(tag, 100) for tag in tags[:20])
    return tuple(name for name in named if name)
