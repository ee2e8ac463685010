"""Numbers and spans of time as the desk writes them."""

from __future__ import annotations

from datetime import timedelta

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def number(value: int) -> str:
    """In groups of three: 1 234 567."""
    return f"{value:,}".replace(",", "\u202f")


def counted(value: int, noun: str) -> str:
    return f"{number(value)} {noun}" if value == 1 else f"{number(value)} {noun}s"


def roughly(span: timedelta) -> str:
    """About how long, to the minute below two hours and to the hour above."""
    if span < MINUTE:
        return "less than a minute"
    if span < 2 * HOUR:
        return f"about {counted(round(span / MINUTE), 'minute')}"
    return f"about {counted(round(span / HOUR), 'hour')}"
