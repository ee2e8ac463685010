"""Hugging Face's votes and comments move for two weeks: its days are read again on days 1, 3 and 7."""

from __future__ import annotations

import time
from datetime import date, datetime, timedelta

from digest.models import Announcement, Fetch, Outcome, Source
from digest.sources import client
from digest.sources.ingest import ingest

AGES = (1, 3, 7)
_AT_MOST = 3  # requests a round
_PATIENCE = timedelta(hours=1)


def due(source: Source, now: datetime) -> list[date]:
    """The days of this source that have reached an age of AGES and were not looked at since."""
    ages = {now.date() - timedelta(days=age): age for age in AGES}
    told = Announcement.objects.filter(source=source, day__in=list(ages)).values_list("day", flat=True).distinct()
    return [day for day in sorted(told) if not _looked(source, day, ages[day], now)]


def _looked(source: Source, day: date, age: int, now: datetime) -> bool:
    """True if this day was read at this age, or was tried within the hour."""
    reached = datetime.combine(day + timedelta(days=age), datetime.min.time(), tzinfo=now.tzinfo)
    looks = Fetch.objects.filter(source=source, day=day)
    good = looks.filter(at__gte=reached, outcome__in=[Outcome.OK, Outcome.UNCHANGED])
    return good.exists() or looks.filter(at__gt=now - _PATIENCE).exists()


def pull(now: datetime) -> list[Fetch]:
    """Read what is due again; a few requests a round. Votes are updated, nothing is announced anew."""
    sources = Source.objects.filter(kind=Source.Kind.HUGGINGFACE, is_enabled=True, is_sample=False, held_reason="")
    wanted = [(source, day) for source in sources if "{day}" in source.url for day in due(source, now)]
    return [_again(source, day, now) for source, day in wanted[:_AT_MOST]]


def _again(source: Source, day: date, now: datetime) -> Fetch:
    started = time.monotonic()
    reply = client.request(source.kind, source.url, day)
    reply.seconds = time.monotonic() - started
    return ingest(source, reply, now, is_backfill=True)
