"""Days in words, the same for every reader, whatever the machine's language."""

from __future__ import annotations

from datetime import date


def long_date(day: date) -> str:
    """`Wednesday, 3 June 2026`."""
    return f"{day:%A}, {short_date(day)}"


def short_date(day: date) -> str:
    """`3 June 2026`."""
    return f"{day.day} {day:%B %Y}"
