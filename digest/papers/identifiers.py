"""Finds arXiv ids and DOIs in the addresses and strings that publishers write, and makes addresses comparable."""

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
    return _id_and_version(_ARXIV.fullmatch(text.strip()))


def arxiv_in(text: str) -> tuple[str, int]:
    """The first arXiv id that an address or an OAI name leads to."""
    return _id_and_version(_ARXIV_AT.search(text))


def _id_and_version(found: re.Match[str] | None) -> tuple[str, int]:
    if found is None:
        return "", 1
    return _SUBJECT.sub("", found[1]), int(found[2] or 1)


def doi(text: str) -> str:
    """The DOI in a text or an address, as `subscriptions.dois` reads it; empty where there is none."""
    return dois.doi(text)


def canonical(url: str) -> str:
    """An address without scheme, `www.`, fragment and tracking parameters. Raises ValueError for a bad port."""
    parts = urlsplit(url)
    query = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if not _TRACKING.match(pair[0])]
    host = (parts.hostname or "").removeprefix("www.")
    if parts.port not in {None, 80, 443}:
        host += f":{parts.port}"
    path = parts.path.rstrip("/") or "/"
    return urlunsplit(("", host, path, urlencode(query), "")).removeprefix("//")
