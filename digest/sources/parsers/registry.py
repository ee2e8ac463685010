"""The kinds of source: for each, who reads its answers. A new kind is one module and one line here."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial
from importlib import import_module
from typing import cast

from digest.papers.entry import Batch

Reading = Callable[[bytes, date], Batch]

# Imported only when needed: the child that reads one answer should not load what reads the others.
MODULES = {
    "arxiv": "arxiv",
    "arxiv-api": "arxiv_api",
    "arxiv-list": "arxiv_list",
    "biorxiv": "biorxiv",
    "feed": "feed",
    "huggingface": "huggingface",
    "oai-pmh": "oai",
}


# Whose machines answer in which form; RSS of arXiv read as any feed would lose words (see docs/sources.md).
_PUBLISHERS = {
    "rss.arxiv.org": "arxiv",
    "export.arxiv.org/rss": "arxiv",
    "export.arxiv.org/api": "arxiv-api",
    "arxiv.org/rss": "arxiv",
    "arxiv.org/list": "arxiv-list",
    "oaipmh.arxiv.org": "oai-pmh",
    "export.arxiv.org/oai2": "oai-pmh",
    "huggingface.co/api/daily_papers": "huggingface",
    "api.biorxiv.org/details": "biorxiv",
}


def told_by(url: str) -> str:
    """The kind that an address tells by itself, nobody being asked: a publisher known here, else a feed."""
    place = url.partition("://")[2].lower().removeprefix("www.")
    return next((kind for start, kind in _PUBLISHERS.items() if place.startswith(start)), "feed")


def reading(kind: str, address: str = "") -> Reading:
    """The function that reads this kind's bytes into a Batch (KeyError for a kind there is none of).

    `address` is where the bytes came from: feeds may hold addresses relative to their own.
    """
    read = import_module(f"digest.sources.parsers.{MODULES[kind]}").read
    return cast(Reading, partial(read, address=address) if kind == "feed" else read)
