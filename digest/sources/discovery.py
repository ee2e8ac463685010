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
    text, *comments = body[:_READ].decode("utf-8", "replace").split("<!--")
    for comment in comments:
        text += comment.partition("-->")[2]
    home, base = url, _BASE.search(text)
    if base:
        home = _joined(url, base[1]) or url
    found: dict[str, None] = {}
    for address in _addresses(text):
        whole = _joined(home, address)
        if whole and whole != url:
            found[whole] = None
    return list(found)[:MOST]


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
        if not address.strip():
            return ""
        return link(urldefrag(urljoin(home, address.strip())).url)
    except ValueError:
        return ""
