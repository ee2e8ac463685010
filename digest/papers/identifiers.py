"""The names a paper goes by, found in the addresses and strings that publishers write."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from subscriptions import dois

_NEW_STYLE = r"\d{4}\.\d{4,5}"
_OLD_STYLE = r"[a-z][a-z-]{1,15}(?:\.[A-Z]{2})?/\d{7}"
_SUBJECT = re.compile(r"\.[A-Za-z]{2}(?=/)")  # an old id's subject class is no part of its name: math/0309136
_ARXIV = re.compile(rf"({_NEW_STYLE}|{_OLD_STYLE})(?:v(\d{{1,3}}))?")
_ARXIV_AT = re.compile(
    rf"(?:arxiv\.org/(?:abs|pdf|html)/|oai:arXiv\.org:|arXiv:\s?|10\.48550/arxiv\.|huggingface\.co/papers/)"
    rf"({_NEW_STYLE}|{_OLD_STYLE})(?:v(\d{{1,3}}))?(?![\d.]*\d)",
    re.IGNORECASE,
)
_TRACKING = re.compile(r"^(?:utm_\w+|rss|af|dgcid|fc|ff|rft_dat)$")


def arxiv(text: str) -> tuple[str, int]:
    """The arXiv id without its version, and the version (1 where none is named); `("", 1)` if it is none."""
    found = _ARXIV.fullmatch(text.strip())
    return (_SUBJECT.sub("", found[1]), int(found[2] or 1)) if found else ("", 1)


def arxiv_in(text: str) -> tuple[str, int]:
    """The first arXiv id that an address or an OAI name leads to."""
    found = _ARXIV_AT.search(text)
    return (_SUBJECT.sub("", found[1]), int(found[2] or 1)) if found else ("", 1)


def doi(text: str) -> str:
    """The DOI in a text or an address, as `subscriptions.dois` reads it; empty where there is none."""
    return dois.doi(text)


def canonical(url: str) -> str:
    """An address without fragment and tracking words, so that the same page is the same name."""
    parts = urlsplit(url)
    query = urlencode([(k, v) for k, v in parse_qsl(parts.query, keep_blank_values=True) if not _TRACKING.match(k)])
    host = (parts.hostname or "").removeprefix("www.")
    port = f":{parts.port}" if parts.port not in {None, 80, 443} else ""
    return urlunsplit(("", host + port, parts.path.rstrip("/") or "/", query, "")).removeprefix("//")
