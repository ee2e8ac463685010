"""Ids and links as they are typed: one a line, or several with commas or spaces between."""

from __future__ import annotations

import re
from collections.abc import Iterator

from subscriptions.bibliography.entries import BadEntry, Reference, identifier

_between = re.compile(r"(?:[\s,]|;(?!2(?:-\w)?(?![\w.])))+")  # `;2-2` ends an old DOI: 10.1002/(SICI)…3.0.CO;2-2
_digit = re.compile(r"\d")
_COMMENT = "%"


def read(text: str, first: int = 1) -> Iterator[Reference | BadEntry]:
    """Every id of a text whose first line has the number `first`; what else a line holds is named once."""
    for number, line in enumerate(text.splitlines(), start=first):
        if not line.lstrip("\ufeff ").startswith(_COMMENT):
            yield from _line(number, line)


def _line(number: int, line: str) -> Iterator[Reference | BadEntry]:
    unread = []
    for part in filter(None, _between.split(line.strip("\ufeff"))):
        name = identifier(part) if _digit.search(part) else ""
        if name:
            yield Reference(name)
        else:
            unread.append(part)
    if unread:
        why = "This is neither an arXiv id nor a DOI nor a link to one."
        yield BadEntry(number, " ".join(unread)[:60], why)
