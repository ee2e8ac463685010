"""When publishers publish: their blank days, the day they are at, and the day an edition waits for."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from digest.sources.parsers import registry
from digest.sources.parsers.registry import Calendar

EASTERN = ZoneInfo("America/New_York")
_AT_0020 = timedelta(minutes=20)  # arXiv's feeds of the day stand at 00:20 Eastern
_DAY = timedelta(days=1)
_EXTRA_HOLIDAYS = frozenset({date(2026, 12, 29), date(2026, 12, 31)})  # info.arxiv.org/help/availability


def is_blank(kind: str, day: date) -> bool:
    """True if this kind of publisher announces nothing on `day`."""
    return day.weekday() >= 5 or is_holiday(kind, day)


def is_holiday(kind: str, day: date) -> bool:
    """True on a working day that the publisher's calendar lists as free."""
    return registry.of(kind).calendar is Calendar.ARXIV and _is_arxiv_holiday(day)


def _is_arxiv_holiday(day: date) -> bool:
    return day.weekday() < 5 and (day in _us_holidays(day.year) or day in _EXTRA_HOLIDAYS)


def is_thin(kind: str, day: date) -> bool:
    """True if the kind lists arXiv's papers and arXiv was free on `day` or on the working day before."""
    if not registry.of(kind).lists_arxiv:
        return False
    before = day - _DAY
    while before.weekday() >= 5:
        before -= _DAY
    return _is_arxiv_holiday(day) or _is_arxiv_holiday(before)


def _us_holidays(year: int) -> frozenset[date]:
    """The days arXiv keeps free every year (checked against its list for 2026)."""
    fixed = [date(year, 1, 1), date(year, 6, 19), date(year, 7, 4), date(year, 12, 25), date(year + 1, 1, 1)]
    moving = [_nth(year, 1, 0, 3), _nth(year, 9, 0, 1), _nth(year, 11, 3, 4)]
    return frozenset([*map(_observed, fixed), *moving])


def _observed(day: date) -> date:
    """A holiday on a Saturday is kept on the Friday before, one on a Sunday on the Monday after."""
    if day.weekday() == 5:
        return day - _DAY
    if day.weekday() == 6:
        return day + _DAY
    return day


def _nth(year: int, month: int, weekday: int, n: int) -> date:
    """The `n`th such weekday (Monday is 0) of a month."""
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (n - 1))


def day_at(kind: str, now: datetime) -> date:
    """The publisher's newest whole day at `now`: arXiv's own (Eastern) day, others' last closed UTC day."""
    if registry.of(kind).calendar is Calendar.ARXIV:
        return (now.astimezone(EASTERN) - _AT_0020).date()
    return now.astimezone(UTC).date() - _DAY


def newest_due(kind: str, now: datetime) -> date:
    """The last day up to `now` on which this kind of publisher should have announced something."""
    day = day_at(kind, now)
    while is_blank(kind, day):
        day -= _DAY
    return day


def awaited(kind: str, edition_day: date) -> date:
    """The publisher's day that the edition of `edition_day` waits for: of a rolling feed, that day's pull."""
    record = registry.of(kind)
    if record.is_one_day and record.calendar is Calendar.UTC:
        return edition_day - _DAY
    return edition_day


def ready_at(kind: str, day: date) -> datetime:
    """When the publisher's `day` can be asked for (UTC)."""
    if registry.of(kind).calendar is Calendar.ARXIV:
        return (datetime.combine(day, time(0, 0), tzinfo=EASTERN) + _AT_0020).astimezone(UTC)
    return datetime.combine(day + _DAY, time(0, 10), tzinfo=UTC)


def after_submission(day: date) -> date:
    """The feeds' day for what was submitted on the working day `day` before 14:00 Eastern: the next working day."""
    return _next_arxiv_day(day + _DAY)


def _next_arxiv_day(day: date) -> date:
    """The first working day of arXiv's from `day` on."""
    while day.weekday() >= 5 or _is_arxiv_holiday(day):
        day += _DAY
    return day


def announced(submitted: datetime) -> date:
    """The day of arXiv's feeds that announces a submission of that moment (info.arxiv.org/help/availability)."""
    local = submitted.astimezone(EASTERN)
    day = local.date()
    if local.time() >= time(14):
        day += _DAY
    return after_submission(_next_arxiv_day(day))


def next_ready(kind: str, now: datetime) -> datetime:
    """When the next working day's batch can be asked for, after `now`."""
    day = newest_due(kind, now) + _DAY
    while is_blank(kind, day) or ready_at(kind, day) <= now:
        day += _DAY
    return ready_at(kind, day)
