"""What some wants would have brought over the last weeks: counts a day, which of them brings none or too many.

For the page where a reader is still typing, so it answers in a fraction of a second over a month of papers. The
window's index is built once a process and edition, and everything asked is remembered with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from digest.matching import answers
from digest.matching.day import Day
from digest.matching.reading import papers_of
from digest.matching.wants import Want
from digest.models import Edition
from digest.selection import Choice, select
from subscriptions import query

WINDOW = 30
SHOWN = 10
TOO_MANY_A_DAY = 25
MOST_REMEMBERED = 1_000
_window: dict[tuple[Any, ...], Day] = {}


@dataclass(frozen=True, slots=True)
class Tally:
    """One want over the window: papers it finds in all and a day, and what there is to say about it, if anything."""

    label: str
    found: int
    a_day: float
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Preview:
    """What would have come in the `days` days up to the newest edition, `looked_at` papers in all.

    `by_day` counts the papers that answer any want and no mute, by edition; `choices` are the best of the last week.
    """

    days: int
    looked_at: int
    matched: int
    a_day: float
    by_day: dict[date, int]
    tallies: tuple[Tally, ...]
    choices: tuple[Choice, ...]


def preview(wants: Sequence[Want], days: int = WINDOW) -> Preview:
    """What these wants would have brought in the last `days` days of released editions."""
    return over(window(days), wants, days)


def window(days: int = WINDOW) -> Day:
    """The papers of the released editions of the last days, indexed. Kept until an edition changes."""
    released = Edition.objects.filter(state=Edition.State.RELEASED).order_by("-date")
    newest = released.values_list("date", flat=True).first()
    rows = list(released.filter(date__gt=newest - timedelta(days=days))) if newest else []
    key = (days, *((row.pk, row.serial, row.revision) for row in rows))
    if key not in _window:
        for old in [one for one in _window if one[0] == days]:
            del _window[old]
        _window[key] = Day.build(papers_of(rows))
    if _window[key].remembered > MOST_REMEMBERED:
        _window[key] = _window[key].afresh()
    return _window[key]


def over(day: Day, wants: Sequence[Want], days: int) -> Preview:
    """The pure part: wants against an indexed window of `days` days."""
    dates = sorted({paper.day for paper in day.papers if paper.day})
    found, muted, tallies = 0, 0, []
    for want in wants:
        bits, tally = _tally(day, want, len(dates))
        tallies.append(tally)
        found, muted = (found, muted | bits) if want.muted else (found | bits, muted)
    matched = found & ~muted
    return Preview(
        days=days,
        looked_at=len(day),
        matched=matched.bit_count(),
        a_day=round(matched.bit_count() / max(1, len(dates)), 1),
        by_day=_by_day(day, matched, dates),
        tallies=tuple(tallies),
        choices=select(day, wants, SHOWN, community=False).choices,
    )


def _tally(day: Day, want: Want, dates: int) -> tuple[int, Tally]:
    try:
        bits = answers.answer(day, want).bits
    except query.QueryError as error:
        return 0, Tally(want.label, 0, 0.0, str(error))
    count = bits.bit_count()
    a_day = round(count / max(1, dates), 1)
    return bits, Tally(want.label, count, a_day, "" if want.muted else _advice(count, a_day, dates))


def _advice(count: int, a_day: float, dates: int) -> str:
    if not count:
        return "It brings nothing. Try fewer words, a word's beginning with *, or OR between words."
    if a_day > TOO_MANY_A_DAY and dates:
        return f"It brings some {a_day:g} papers a day. Add a word, or put words that belong together in quotes."
    return ""


def _by_day(day: Day, matched: int, dates: Sequence[date]) -> dict[date, int]:
    counts = dict.fromkeys(dates, 0)
    for place in day.places(matched).tolist():
        announced = day.papers[place].day
        if announced:
            counts[announced] += 1
    return counts
