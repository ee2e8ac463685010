"""What some wants would have brought over the last weeks: counts a day, which of them brings none or too many.

For the page where a reader is still typing, so it answers in a fraction of a second over a month of papers. The
window's index is built once a process and edition, before a process serves, and everything asked is remembered with it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import reduce
from operator import or_

from digest.matching import match
from digest.matching.index import PaperIndex
from digest.matching.interest_query import DESCRIPTION, InterestQuery
from digest.matching.load import papers_of
from digest.matching.revalidating_cache import StaleWhileRevalidate
from digest.matching.select import Choice, select
from digest.models import Edition
from subscriptions import query

WINDOW = 30
WEEK = 7
SHOWN = 10
TOO_MANY_A_DAY = 25
# What strangers ask is forgotten in time: memory must not grow with their number.
MOST_REMEMBERED = 1_000
# Seconds that the first visitor after a new edition waits for its index; a small one is ready by then.
PATIENCE = 0.1
# One index a process, made anew when an edition comes out or a curator changes one.
_window: StaleWhileRevalidate[PaperIndex] = StaleWhileRevalidate()

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tally:
    """One want: papers it finds in the last week and in the whole window, how many a day there, and what to try.

    Of a muted one: the papers that another want brings and this one keeps out.
    """

    label: str
    of_week: int
    found: int
    a_day: float
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """The last `days` days: `matched` of `looked_at` papers answer a want and no mute, `a_day` on a day with papers."""

    days: int
    looked_at: int
    matched: int
    a_day: float


@dataclass(frozen=True, slots=True)
class Preview:
    """What would have come up to the newest edition, in the last week and in the whole window.

    `by_day` counts the papers that answer any want and no mute, by edition; `choices` are the best of the last week.
    """

    week: Span
    month: Span
    by_day: dict[date, int]
    tallies: tuple[Tally, ...]
    choices: tuple[Choice, ...]


def preview(wants: Sequence[InterestQuery]) -> Preview:
    """What these wants would have brought out of the released editions of the last weeks."""
    return over(window(), wants)


def prepare(patience: float = 10.0) -> None:
    """Build the window's index as a web process starts, so that no visitor waits for it.

    A start is not held up longer than `patience` seconds, and not stopped by a database that is away.
    """

    def work() -> None:
        try:
            window()
        except Exception as error:  # whatever it is, the site must come up; the first visitor tries again
            log.warning("the index of previews was not built at the start: %s", error)

    _window.behind(work, patience)


def window() -> PaperIndex:
    """The papers of the released editions of the last 30 days, indexed.

    After a new edition, or a curator's change, it is built anew behind the visitors' backs: for the seconds this takes
    in a large archive, they are shown what the last one brings.
    """
    released = Edition.objects.filter(state=Edition.State.RELEASED)
    newest = released.order_by("-date").values_list("date", flat=True).first()
    of_window = released.filter(date__gt=newest - timedelta(days=WINDOW)) if newest else released.none()
    rows = list(of_window.order_by("-date").only("pk", "serial", "revision"))
    key = tuple((row.pk, row.serial, row.revision) for row in rows)
    day = _window.get(key, lambda: PaperIndex.build(papers_of(rows)), PATIENCE)
    if day.remembered > MOST_REMEMBERED:
        _window.replace(day, day.afresh())
    return day


def over(day: PaperIndex, wants: Sequence[InterestQuery]) -> Preview:
    """The pure part: wants against an indexed window."""
    dates = sorted({paper.day for paper in day.papers if paper.day})
    since = dates[-1] - timedelta(days=WEEK) if dates else date.min
    recent = [one for one in dates if one > since]
    earlier: int = day.once(("earlier", since), lambda: _earlier(day, since))
    answered = [_answered(day, want) for want in wants]
    found = _together(bits for want, (bits, _) in zip(wants, answered, strict=True) if not want.muted)
    muted = _together(bits for want, (bits, _) in zip(wants, answered, strict=True) if want.muted)
    matched = found & ~muted
    return Preview(
        week=_span(WEEK, len(day) - earlier.bit_count(), matched & ~earlier, len(recent)),
        month=_span(WINDOW, len(day), matched, len(dates)),
        by_day=_by_day(day, matched, dates),
        tallies=tuple(
            _tally(want, bits & found if want.muted else bits, trouble, earlier, len(dates))
            for want, (bits, trouble) in zip(wants, answered, strict=True)
        ),
        choices=select(day, wants, SHOWN, community=False, without=earlier).choices,
    )


def _earlier(day: PaperIndex, since: date) -> int:
    """The papers announced on `since` or before."""
    return day.standing(paper.id for paper in day.papers if paper.day and paper.day <= since)


def _span(days: int, looked_at: int, matched: int, dates: int) -> Span:
    return Span(days, looked_at, matched.bit_count(), round(matched.bit_count() / max(1, dates), 1))


def _answered(day: PaperIndex, want: InterestQuery) -> tuple[int, str]:
    """The papers a want finds, and what is wrong with it."""
    try:
        return match.match(day, want).bits, ""
    except query.QueryError as error:
        return 0, str(error)


def _together(answered: Iterable[int]) -> int:
    return reduce(or_, answered, 0)


def _tally(want: InterestQuery, bits: int, trouble: str, earlier: int, dates: int) -> Tally:
    count = bits.bit_count()
    a_day = round(count / max(1, dates), 1)
    advice = trouble or ("" if want.muted else _advice(want, count, a_day))
    return Tally(want.label, (bits & ~earlier).bit_count(), count, a_day, advice)


def _advice(want: InterestQuery, count: int, a_day: float) -> str:
    """A description is ranked: the likeliest papers of many come first, so that many are no trouble."""
    if want.kind == DESCRIPTION:
        return "" if count else "It brings nothing. Say it in more, or more usual, words."
    if not count:
        return (
            "It brings nothing. Try fewer words, a word's beginning with *, OR between words, or a whole sentence: "
            "it is read as a description of your work."
        )
    if a_day > TOO_MANY_A_DAY:
        return f"It brings some {a_day:g} papers a day. Add a word, or put words that belong together in quotes."
    return ""


def _by_day(day: PaperIndex, matched: int, dates: Sequence[date]) -> dict[date, int]:
    counts = dict.fromkeys(dates, 0)
    for place in day.places(matched).tolist():
        announced = day.papers[place].day
        if announced:
            counts[announced] += 1
    return counts
