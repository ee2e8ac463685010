"""Days that went by unread, because the machine was off or the publisher down: asked for when all is well again."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.db.models import Count, Q

from digest.models import Fetch, Outcome, Source
from digest.sources import backfill, calendar, host_limits

WINDOW = timedelta(days=6)  # an edition takes what was announced within a week
TRIES, BETWEEN = 3, timedelta(hours=2)
_AT_MOST = 2  # requests a round: the day's own batches come first
_GOT = (Outcome.OK, Outcome.UNCHANGED, Outcome.TRUNCATED, Outcome.HOLIDAY)


def missed(source: Source, now: datetime) -> list[date]:
    """The due days before the newest one that this source never brought, since it first brought one."""
    newest = calendar.newest_due(source.kind, now)
    got = set(
        Fetch.objects.filter(source=source, outcome__in=_GOT, day__gte=newest - WINDOW).values_list("day", flat=True)
    )
    first = Fetch.objects.filter(source=source, outcome__in=_GOT).order_by("day").values_list("day", flat=True).first()
    if first is None:
        return []
    days = (newest - timedelta(days=n) for n in range(WINDOW.days, 0, -1))
    due = [day for day in days if day > first and day not in got and not calendar.is_blank(source.kind, day)]
    return [day for day in due if _may_try(source, day, now)]


def _may_try(source: Source, day: date, now: datetime) -> bool:
    recent = Count("pk", filter=Q(at__gt=now - BETWEEN))
    tries = Fetch.objects.filter(source=source, day=day, is_backfill=True).aggregate(all=Count("pk"), recent=recent)
    return bool(tries["all"] < TRIES and not tries["recent"])


def pull(now: datetime) -> list[Fetch]:
    """Ask for a few missed days a round, of sources that are well."""
    well = Source.objects.filter(is_enabled=True, is_daily=True, is_sample=False, held_reason="", failures=0)
    fetches: list[Fetch] = []
    for source in well.filter(kind__in=calendar.ONE_DAY).exclude(url="").order_by("slug"):
        if host_limits.waits_until(source.url, now):
            continue
        for day in missed(source, now)[: _AT_MOST - len(fetches)]:
            try:
                fetches.append(backfill.missed_day(source, day, now))
            except backfill.BackfillError:
                break  # its publisher offers no past days
    return fetches
