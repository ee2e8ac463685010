"""The kinds of source: for each, who reads its answers. A new kind is one module and one line here."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from importlib import import_module
from typing import cast

from digest.sources.entry import Batch

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


def reading(kind: str) -> Reading:
    """The function that reads this kind's bytes into a Batch (KeyError for a kind there is none of)."""
    return cast(Reading, import_module(f"digest.sources.{MODULES[kind]}").read)
