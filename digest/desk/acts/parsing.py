"""Numbers and days as people (and scanners) type them into the desk's forms and addresses."""

from __future__ import annotations

from datetime import date

from django.utils.dateparse import parse_date


def number(text: str) -> int | None:
    """The number that was typed; None for anything else. What no database column holds is no number, nor is "²"."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else None


def day(text: str) -> date | None:
    """The day that was typed as 2026-06-03; None for anything else, the 45th of a month included."""
    try:
        return parse_date(text.strip())
    except ValueError:
        return None
