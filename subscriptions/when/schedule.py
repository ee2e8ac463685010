"""When is a reader's next digest? Local wishes in, UTC moments out; no clock, no rows.

A reader is due once on every local date their frequency names, at their local hour. Where a clock
change swallows that hour, the moment is the nearest one that still falls on that date; where the
hour comes twice, it is the first of the two.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

FREQUENCIES = ("daily", "weekdays", "weekly", "chosen")
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
# Names that tzdata carries for machines, not for people.
_NOT_FOR_READERS = {"Factory", "localtime", "posixrules", "leapseconds", "tzdata.zi"}
DAY = timedelta(days=1)
EVERY_DAY, WORKING_DAYS = 0b1111111, 0b0011111


class ScheduleError(ValueError):
    """A wish that cannot be kept; the message is a plain sentence for the reader, `field` says which wish."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message


class Times(NamedTuple):
    """When letters are wanted. `weekday` (0 is Monday) counts for weekly ones, `days` (as in `week.py`) for chosen."""

    frequency: str
    hour: int
    weekday: int
    zone: str
    days: int = 0


@lru_cache(maxsize=1)
def zone_names() -> frozenset[str]:
    """Every IANA name a reader may choose."""
    return frozenset(name for name in available_timezones() if name not in _NOT_FOR_READERS)


def check(times: Times) -> None:
    """Raises `ScheduleError` with what to write instead, if one of them cannot be kept."""
    frequency, hour, weekday, zone, days = times
    if frequency not in FREQUENCIES:
        raise ScheduleError(
            "frequency", f"We cannot send “{frequency}”. Choose one of these: {', '.join(FREQUENCIES)}."
        )
    if isinstance(hour, bool) or not isinstance(hour, int) or not 0 <= hour <= 23:
        raise ScheduleError("hour", f"“{hour}” is not an hour of the day. Choose a whole number from 0 to 23.")
    if isinstance(weekday, bool) or not isinstance(weekday, int) or not 0 <= weekday <= 6:
        raise ScheduleError("weekday", f"“{weekday}” is not a day of the week. Choose 0 (Monday) to 6 (Sunday).")
    if isinstance(days, bool) or not isinstance(days, int) or not 0 <= days <= EVERY_DAY:
        raise ScheduleError("days", f"“{days}” is no set of days. Add up Monday 1, Tuesday 2, Wednesday 4 … Sunday 64.")
    if frequency == "chosen" and not days:
        raise ScheduleError("days", "No day is chosen. Choose at least one day of the week, such as Tuesday.")
    if zone not in zone_names():
        raise ScheduleError(
            "zone", f"We do not know the time zone “{zone}”. Write it as a region and a city, such as Europe/Berlin."
        )


@lru_cache(maxsize=1024)
def zone_of(name: str) -> tzinfo:
    """The zone called `name`; UTC for a name that tzdata has dropped since it was chosen."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def is_known(zone: str) -> bool:
    """False for a name that tzdata no longer has: its reader is served by UTC until they choose again."""
    return zone in zone_names()


def local_date(zone: str, at: datetime) -> date:
    """The date on the reader's wall at the moment `at` (aware)."""
    return at.astimezone(zone_of(zone)).date()


def next_due(times: Times, after: datetime) -> datetime:
    """The first due moment strictly after `after` (aware), in UTC."""
    start = local_date(times.zone, after) - DAY
    return next(at for at in _moments(times, start, DAY) if at > after)


def last_due(times: Times, until: datetime) -> datetime:
    """The last due moment at or before `until` (aware), in UTC."""
    start = local_date(times.zone, until) + DAY
    return next(at for at in _moments(times, start, -DAY) if at <= until)


def next_due_after_serving(times: Times, now: datetime, served: datetime | None) -> datetime:
    """The first due moment after `now` on a later local date than the one `served` fell on.

    For a reader who changes their wishes: whoever was already served today (in the zone they chose
    now) is not due a second time before tomorrow.
    """
    due = next_due(times, now)
    while served is not None and local_date(times.zone, due) <= local_date(times.zone, served):
        due = next_due(times, due)
    return due


def start_of(zone: str, day: date) -> datetime:
    """The first moment of `day` (or of the next date the zone has), in UTC."""
    where = zone_of(zone)
    return next(at for step in range(3) if (at := _moment(day + step * DAY, 0, where)) is not None)


def _moments(times: Times, start: date, step: timedelta) -> Iterator[datetime]:
    """Due moments from the local date `start` on, forwards or backwards."""
    day, named, where = start, _named(times), zone_of(times.zone)
    while True:
        if named >> day.weekday() & 1:
            at = _moment(day, times.hour, where)
            if at is not None:
                yield at
        day += step


def _named(times: Times) -> int:
    """The days with a letter. A row that names none, which `check` lets nobody write, is served daily, not never."""
    sets = {"daily": EVERY_DAY, "weekdays": WORKING_DAYS, "weekly": 1 << times.weekday}
    return sets.get(times.frequency, times.days) & EVERY_DAY or EVERY_DAY


def _moment(day: date, hour: int, where: tzinfo) -> datetime | None:
    """`hour` o'clock on `day`, or the nearest moment still on that date; None if the zone skipped the date.

    `fold=0` reads a wall time inside a gap with the offset before it, which lands after the gap; that
    may be the next date (Nuuk's clocks jump from 23:00 to 0:00), and then `fold=1` lands before it.
    """
    for fold in (0, 1):
        at = datetime.combine(day, time(hour, fold=fold), tzinfo=where).astimezone(UTC)
        if at.astimezone(where).date() == day:
            return at
    return None
