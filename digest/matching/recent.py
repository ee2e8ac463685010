"""What interest queries would have brought over the last weeks: counts a day, and which bring none or too many.

It answers a page on which a reader is typing, so in a fraction of a second over a month of papers. Each process
builds the window's index once an edition, before it serves; the index keeps what was found for each query.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from digest.matching.index import PaperIndex
from digest.matching.interest_query import DESCRIPTION, InterestQuery
from digest.matching.load import papers_of
from digest.matching.match import match
from digest.matching.revalidating_cache import StaleWhileRevalidate
from digest.matching.select import Choice, select
from digest.models import Edition
from subscriptions.query import QueryError
from subscriptions.questions import Span, Tally

WINDOW = 30
WEEK = 7
SHOWN = 10
TOO_MANY_A_DAY = 25
NOTHING_SAID = "It brings nothing. Say it in more, or more usual, words."
NOTHING_FOUND = (
    "It brings nothing. Try fewer words, a word's beginning with *, OR between words, or a whole sentence: "
    "it is read as a description of your work."
)
# Strangers ask too, so what is kept for their queries is bounded.
MOST_REMEMBERED = 1_000
# Seconds that the first visitor after a new edition waits for its index; a small one is ready by then.
PATIENCE = 0.1
# One index a process, made anew when an edition comes out or a curator changes one.
_window: StaleWhileRevalidate[PaperIndex] = StaleWhileRevalidate()

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RecentMatches:
    """What would have come up to the newest edition, in the last week and in the whole window.

    `by_day` counts the papers that answer any query and no mute, by edition; `tallies` has one for each query;
    `choices` are the best of the last week.
    """

    week: Span
    month: Span
    by_day: dict[date, int]
    tallies: list[Tally]
    choices: tuple[Choice, ...]


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

    After a new edition or a curator's change it is built anew in a thread; for the seconds this takes in a large
    archive, visitors are answered from the last one.
    """
    released = Edition.objects.filter(state=Edition.State.RELEASED)
    newest = released.order_by("-date").values_list("date", flat=True).first()
    of_window = released.filter(date__gt=newest - timedelta(days=WINDOW)) if newest else released.none()
    rows = list(of_window.order_by("-date").only("pk", "serial", "revision"))
    key = tuple((row.pk, row.serial, row.revision) for row in rows)
    index = _window.get(key, lambda: PaperIndex.build(papers_of(rows)), PATIENCE)
    if index.remembered > MOST_REMEMBERED:
        _window.replace(index, index.afresh())
    return index


def preview(index: PaperIndex, wants: Sequence[InterestQuery]) -> RecentMatches:
    """Match `wants` with an indexed window. A query that cannot be read finds nothing, and its tally says why."""
    dates = sorted({paper.day for paper in index.papers if paper.day})
    since = dates[-1] - timedelta(days=WEEK) if dates else date.min
    dates_of_week = [one for one in dates if one > since]
    earlier: int = index.once(("earlier", since), lambda: _earlier(index, since))
    answers = [_answer(index, want) for want in wants]
    found = muted = 0
    for want, (bits, _) in zip(wants, answers, strict=True):
        if want.muted:
            muted |= bits
        else:
            found |= bits
    tallies = []
    for want, (bits, trouble) in zip(wants, answers, strict=True):
        if want.muted:
            bits &= found
        advice = trouble or _advice(want, bits.bit_count(), len(dates))
        tallies.append(Tally((bits & ~earlier).bit_count(), bits.bit_count(), advice))
    matched = found & ~muted
    return RecentMatches(
        week=_span(WEEK, len(index) - earlier.bit_count(), matched & ~earlier, len(dates_of_week)),
        month=_span(WINDOW, len(index), matched, len(dates)),
        by_day=_by_day(index, matched, dates),
        tallies=tallies,
        choices=select(index, wants, SHOWN, community=False, without=earlier).choices,
    )


def _earlier(index: PaperIndex, since: date) -> int:
    """The bits of the papers announced on `since` or before."""
    return index.bits_of(paper.id for paper in index.papers if paper.day and paper.day <= since)


def _answer(index: PaperIndex, want: InterestQuery) -> tuple[int, str]:
    """The bits of the papers that a query finds, and what is wrong with the query."""
    try:
        return match(index, want).bits, ""
    except QueryError as error:
        return 0, str(error)


def _span(days: int, looked_at: int, matched: int, dates: int) -> Span:
    return Span(days, looked_at, matched.bit_count(), round(matched.bit_count() / max(1, dates), 1))


def _advice(want: InterestQuery, found: int, dates: int) -> str:
    """What to try instead. A description is ranked, so that it may find many."""
    if want.muted:
        return ""
    if want.kind == DESCRIPTION:
        return "" if found else NOTHING_SAID
    if not found:
        return NOTHING_FOUND
    a_day = round(found / dates, 1)
    if a_day > TOO_MANY_A_DAY:
        return f"It brings some {a_day:g} papers a day. Add a word, or put words that belong together in quotes."
    return ""


def _by_day(index: PaperIndex, matched: int, dates: Sequence[date]) -> dict[date, int]:
    counts = dict.fromkeys(dates, 0)
    for place in index.places(matched).tolist():
        announced = index.papers[place].day
        if announced:
            counts[announced] += 1
    return counts
