"""Weeks and months of editions: what they are called, where they begin and end, what came in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Count, F, Q

from digest.models import Edition, EditionPaper
from digest.site.dates import short_date
from digest.site.load import PAGE, as_listed, released
from digest.site.paper_rows import Listed


@dataclass(frozen=True, slots=True)
class Period:
    """The days [start, end) under one name (`week` 2026-W23, `month` 2026-06)."""

    kind: str
    name: str
    title: str
    start: date
    end: date


def week_of(day: date) -> Period:
    year, week, weekday = day.isocalendar()
    start = day - timedelta(days=weekday - 1)
    end = start + timedelta(days=7)
    title = f"{start.day} {start:%B} to {short_date(end - timedelta(days=1))}"
    return Period("week", f"{year}-W{week:02d}", title, start, end)


def month_of(day: date) -> Period:
    start = day.replace(day=1)
    end = (start + timedelta(days=32)).replace(day=1)
    return Period("month", f"{start:%Y-%m}", f"{start:%B %Y}", start, end)


def week(name: str) -> Period:
    """`2026-W23`. Raises ValueError for a week no calendar has."""
    return _named(week_of, f"{name}-1")


def month(name: str) -> Period:
    """`2026-06`. Raises ValueError for a month no calendar has."""
    return _named(month_of, f"{name}-01")


def _named(of: Callable[[date], Period], day: str) -> Period:
    """Raises ValueError also where the calendar ends before the period does."""
    try:
        return of(date.fromisoformat(day))
    except OverflowError as error:
        raise ValueError(f"no calendar goes on after {day}") from error


def days(period: Period) -> list[tuple[date, int]]:
    """The days of it that have an edition, oldest first, and how many papers each shows."""
    shown = Count("entries", filter=Q(entries__is_hidden=False))
    inside = released().filter(date__gte=period.start, date__lt=period.end)
    return list(inside.annotate(papers=shown).order_by("date").values_list("date", "papers"))


def best(period: Period, page: int) -> list[Listed]:
    """Its papers: the curator's pins, then those that readers raised most, then newest first."""
    entries = (
        EditionPaper.objects.filter(
            edition__state=Edition.State.RELEASED,
            edition__date__gte=period.start,
            edition__date__lt=period.end,
            is_hidden=False,
            is_late_riser=False,
        )
        .select_related("paper")
        .order_by("-is_pinned", F("paper__upvotes").desc(nulls_last=True), "-edition__date", "position", "id")
    )
    start = (page - 1) * PAGE
    return as_listed(entries[start : start + PAGE])


def neighbours(period: Period) -> tuple[Period | None, Period | None]:
    """The nearest periods of its kind before and after it that have an edition."""
    of = month_of
    if period.kind == "week":
        of = week_of
    dates = released().values_list("date", flat=True)
    before = dates.filter(date__lt=period.start).order_by("-date")[:1]
    after = dates.filter(date__gte=period.end).order_by("date")[:1]
    return next(map(of, before), None), next(map(of, after), None)
