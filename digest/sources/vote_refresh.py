"""Votes and comments change for two weeks: days of a source that has them are read again on days 1, 3 and 7."""

from __future__ import annotations

import time
from datetime import date, datetime, timedelta

from digest.models import Announcement, Fetch, Outcome, Source
from digest.sources import client
from digest.sources.ingest import ingest
from digest.sources.parsers import registry

AGES = (1, 3, 7)
_AT_MOST = 3  # requests a round
_PATIENCE = timedelta(hours=1)


def due(source: Source, now: datetime) -> list[date]:
    """The days of this source that have reached an age of AGES and were not looked at since."""
    ages = {now.date() - timedelta(days=age): age for age in AGES}
    told = Announcement.objects.filter(source=source, day__in=list(ages)).values_list("day", flat=True).distinct()
    return [day for day in sorted(told) if not _was_read(source, day, ages[day], now)]


def _was_read(source: Source, day: date, age: int, now: datetime) -> bool:
    """True if this day was read at this age (in days), or was tried within the hour."""
    reached = datetime.combine(day + timedelta(days=age), datetime.min.time(), tzinfo=now.tzinfo)
    looks = Fetch.objects.filter(source=source, day=day)
    good = looks.filter(at__gte=reached, outcome__in=[Outcome.OK, Outcome.UNCHANGED])
    return good.exists() or looks.filter(at__gt=now - _PATIENCE).exists()


def pull(now: datetime) -> list[Fetch]:
    """Read what is due again; a few requests a round. Votes are updated, nothing is announced anew."""
    kinds = [kind.slug for kind in registry.KINDS.values() if kind.has_votes]
    sources = Source.objects.filter(kind__in=kinds, url__contains="{day}", is_enabled=True, is_sample=False)
    fetches: list[Fetch] = []
    for source in sources.filter(held_reason=""):
        for day in due(source, now)[: _AT_MOST - len(fetches)]:
            fetches.append(_again(source, day, now))
    return fetches


def _again(source: Source, day: date, now: datetime) -> Fetch:
    started = time.monotonic()
    reply = client.request(source.kind, source.url, day)
    reply.seconds = time.monotonic() - started
    return ingest(source, reply, now, is_backfill=True)
