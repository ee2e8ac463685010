"""The feeds that an HTML page names (`<link rel="alternate" type="application/rss+xml" href="…">`).

The page is anybody's text: it is searched with bounded expressions, and what it names is an offer, asked only
through the guard.
"""

from __future__ import annotations

import re
from html import unescape
from itertools import islice
from urllib.parse import urldefrag, urljoin

from digest.sources.parsers.text import link
from digest.sources.parsers.xml_json import likeness

MOST = 5
_READ, _TAGS = 200_000, 300  # bytes of a page and links in it that are searched: feeds are named in its head
_TYPES = frozenset({"application/rss+xml", "application/atom+xml", "application/rdf+xml", "application/feed+json"})
_LINK = re.compile(r"<link\b([^<>]{1,2000})>", re.IGNORECASE)
_ATTRIBUTE = re.compile(
    r"(?<![\w-])(rel|type|href)\s{0,5}=\s{0,5}(?:\"([^\"<>]{0,1000})\"|'([^'<>]{0,1000})'|([^\s\"'<>=]{1,1000}))",
    re.IGNORECASE,
)
_BASE = re.compile(r"<base\b[^<>]{0,200}?href\s{0,5}=\s{0,5}[\"']([^\"'<>]{1,1000})", re.IGNORECASE)


def feeds(body: bytes, url: str) -> list[str]:
    """The addresses of the feeds that the page at `url` names, in its order; none where it is no HTML page."""
    if "HTML page" not in likeness(body):
        return []
    text = _uncommented(body[:_READ].decode("utf-8", "replace"))
    base = _BASE.search(text)
    home = _joined(url, base[1]) if base else url
    named = [_joined(home or url, address) for address in _addresses(text)]
    return list(dict.fromkeys(address for address in named if address and address != url))[:MOST]


def _uncommented(text: str) -> str:
    before, *comments = text.split("<!--")
    return before + "".join(one.partition("-->")[2] for one in comments)


def _addresses(text: str) -> list[str]:
    found: list[str] = []
    for tag in islice(_LINK.finditer(text), _TAGS):
        said = {one[1].lower(): one[2] or one[3] or one[4] or "" for one in _ATTRIBUTE.finditer(tag[1])}
        kind = said.get("type", "").partition(";")[0].strip().lower()
        if "alternate" in said.get("rel", "").lower().split() and kind in _TYPES:
            found.append(unescape(said.get("href", "")))
    return found


def _joined(home: str, address: str) -> str:
    """A whole web address without its fragment, or nothing."""
    try:
        return link(urldefrag(urljoin(home, address.strip())).url) if address.strip() else ""
    except ValueError:
        return ""
