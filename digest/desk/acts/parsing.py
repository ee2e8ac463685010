"""Numbers and days as people (and scanners) type them into the desk's forms and addresses."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from django.utils.dateparse import parse_date


def number(text: str) -> int | None:
    """The number that was typed; None for anything else. What no database column holds is no number, nor is "²"."""
    text = text.strip()
    if text.isascii() and text.isdigit() and len(text) < 18:
        return int(text)
    return None


def numbers(texts: Iterable[str]) -> list[int]:
    """The numbers among what was typed or sent, in their order."""
    found = []
    for text in texts:
        value = number(text)
        if value is not None:
            found.append(value)
    return found


def day(text: str) -> date | None:
    """The day that was typed as 2026-06-03; None for anything else, the 45th of a month included."""
    try:
        return parse_date(text.strip())
    except ValueError:
        return None
