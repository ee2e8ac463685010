"""Asks for the days that were missed while this machine or a publisher was down, once the source is well again."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.db.models import Count, Q

from digest.models import Fetch, Outcome, Source
from digest.sources import backfill, calendar, host_limits
from digest.sources.parsers import registry

WINDOW = timedelta(days=6)  # an edition takes what was announced within a week
TRIES, BETWEEN = 3, timedelta(hours=2)
_AT_MOST = 2  # requests a round: the day's own batches come first
_GOT = (Outcome.OK, Outcome.UNCHANGED, Outcome.HOLIDAY)
_CAME = (*_GOT, Outcome.TRUNCATED)  # something of it, at least


def missed(source: Source, now: datetime) -> list[date]:
    """The days before the newest due one that this source never brought whole, since it first brought one."""
    newest = calendar.newest_due(source.kind, now)
    came = Fetch.objects.filter(source=source, outcome__in=_CAME)
    first = came.order_by("day").values_list("day", flat=True).first()
    if first is None:
        return []
    last = newest
    if registry.of(source.kind).is_one_day:
        last -= timedelta(days=1)
    lately = came.filter(day__gte=newest - WINDOW, day__lte=last)
    got = set(lately.filter(outcome__in=_GOT).values_list("day", flat=True))
    wanted = set(lately.values_list("day", flat=True)) | set(_due(source, newest, first))
    return [day for day in sorted(wanted - got) if _may_try(source, day, now)]


def _due(source: Source, newest: date, first: date) -> list[date]:
    """The days on which it should have brought something. What shows a window has none: it shows them again."""
    if not registry.of(source.kind).is_one_day:
        return []
    days = []
    for n in range(1, WINDOW.days + 1):
        day = newest - timedelta(days=n)
        if day > first and not calendar.is_blank(source.kind, day):
            days.append(day)
    return days


def _may_try(source: Source, day: date, now: datetime) -> bool:
    recent = Count("pk", filter=Q(at__gt=now - BETWEEN))
    tries = Fetch.objects.filter(source=source, day=day, is_backfill=True).aggregate(all=Count("pk"), recent=recent)
    return bool(tries["all"] < TRIES and not tries["recent"])


def pull(now: datetime) -> list[Fetch]:
    """Ask for a few missed days a round, of sources that are well."""
    well = Source.objects.filter(is_enabled=True, is_daily=True, is_sample=False, held_reason="", failures=0)
    fetches: list[Fetch] = []
    kinds = [kind.slug for kind in registry.KINDS.values() if kind.is_one_day or kind.submitted_within]
    for source in well.filter(kind__in=kinds).exclude(url="").order_by("slug"):
        if host_limits.waits_until(source.url, now):
            continue
        for day in missed(source, now)[: _AT_MOST - len(fetches)]:
            try:
                fetches.append(backfill.missed_day(source, day, now))
            except backfill.BackfillError:
                break  # its publisher offers no past days
    return fetches
