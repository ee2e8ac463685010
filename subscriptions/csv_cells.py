"""Cells of a CSV file of readers: several wishes in one, and none that a spreadsheet takes for a formula."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

# What a reader's wishes may be marked as, each a column of its own; a topic stands there as `topic:slug`.
MARKS = ("mutes", "more", "less")
TOPIC = "topic:"
_formula = re.compile("'*[=+\\-@\t\r\n＝＋－＠]")
_part = re.compile(r"(?:[^|]|\|\|)+")


def safe(value: Any) -> str:
    """A cell no spreadsheet takes for a formula (OWASP: CSV injection); `plain` takes the apostrophe off again."""
    text = "" if value is None else str(value)
    return f"'{text}" if _formula.match(text) else text


def plain(text: str) -> str:
    """What `safe` was given, without the space around it."""
    text = text.strip()
    return text[1:] if text.startswith("'") and _formula.match(text) else text


def joined(parts: Iterable[str]) -> str:
    """Several in one cell, parted by |; a | that belongs to one of them is doubled."""
    return " | ".join(part.replace("|", "||") for part in parts)


def parts(text: str) -> list[str]:
    """What `joined` was given."""
    found = (part.replace("||", "|").strip() for part in _part.findall(text))
    return [part for part in found if part]
