"""A set of days of the week, kept as one number: Monday 1, Tuesday 2, Wednesday 4 and so on to Sunday 64."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from subscriptions.when.schedule import EVERY_DAY, WEEKDAYS, ScheduleError

SHORTEST = 2  # letters that tell every day from the others


def of(numbers: Iterable[int]) -> int:
    """The set of these days (0 is Monday)."""
    return sum(1 << number for number in set(numbers))


def numbers(days: int) -> list[int]:
    """The days of the set, from Monday (0) on."""
    return [number for number in range(7) if days >> number & 1]


def names(days: int) -> list[str]:
    return [WEEKDAYS[number] for number in numbers(days)]


def said(days: int) -> str:
    """In a sentence: Tuesday and Friday."""
    if days == EVERY_DAY:
        return "Every day"
    *first, last = names(days) or [""]
    return f"{', '.join(first)} and {last}" if first else last


def short(days: int) -> str:
    """As a file or a command has it: tue fri."""
    return " ".join(name[:3].lower() for name in names(days))


def read(text: str) -> int:
    """The set that is written as `tue fri`, `Tue,Fri` or `Tuesday Friday`; raises `ScheduleError`."""
    return of(_number(word) for word in re.split(r"[\s,;|]+", text) if word)


def wished(text: str) -> dict[str, Any]:
    """The wishes of one who writes these days and need not say besides that they are chosen; raises `ScheduleError`."""
    return {"frequency": "chosen", "days": read(text)}


def _number(word: str) -> int:
    wanted = word.casefold()
    for number, name in enumerate(WEEKDAYS):
        if len(wanted) >= SHORTEST and name.casefold().startswith(wanted):
            return number
    raise ScheduleError("days", f"“{word}” is not a day of the week. Write days like this: tue,fri.")


@lru_cache(maxsize=EVERY_DAY + 1)
def gap(days: int) -> int:
    """The most days from one day of the set to the next: 1 for every day, 7 for one day alone."""
    found = numbers(days)
    later = found[1:] + found[:1]
    return max(((two - one - 1) % 7 + 1 for one, two in zip(found, later, strict=True)), default=1)
