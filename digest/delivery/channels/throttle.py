"""The channel's pace in the database, shared by all workers: `limits` keeps the bucket, `rates` its rate."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection, transaction

from digest.delivery.channels import holds, rates, traits
from digest.models import Channel
from subscriptions.clock import database_now
from subscriptions.db_retry import retry_on_db_error
from subscriptions.limits import limiter

# Google asks to slow down one destination for at least ten minutes (support.google.com/mail/answer/81126).
DOMAIN_PAUSE = timedelta(minutes=10)


@retry_on_db_error
def take(name: str, wanted: int) -> int:
    """How many letters may go right now, up to `wanted`; they count as gone."""
    rate = _rate(holds.channel(name))
    if rate is None:
        return wanted
    return limiter.draw("channel", name, wanted, rate, rates.size(rate), database_now())


def next_token(name: str) -> float:
    """Seconds until one more letter may go (at most one second, so that a hold is seen)."""
    rate = _rate(holds.channel(name))
    return min(1.0, 1.0 / rate) if rate else 0.0


def give_back(name: str, letters: int) -> None:
    """Letters that were allowed but not there."""
    rate = _rate(holds.channel(name))
    if letters > 0 and rate is not None:
        limiter.give_back("channel", name, letters, rate, database_now())


def _rate(channel: Channel) -> float | None:
    """Letters a second: what the provider was found to take, else what is configured; None: without limit."""
    return channel.rate if channel.rate is not None else traits.ceiling(channel.name)


def fall(name: str) -> None:
    """The provider asked for less."""
    with transaction.atomic():
        row = _locked(name)
        rate = row.rate if row.rate is not None else traits.ceiling(name)
        row.rate = rates.slower(rate if rate is not None else rates.UNLIMITED / 10)
        row.save(update_fields=["rate"])
        limiter.empty("channel", name, row.rate, rates.size(row.rate), database_now())


def rise(name: str) -> None:
    """A chunk went through without complaint."""
    if not Channel.objects.filter(name=name, rate__isnull=False).exists():
        return
    with transaction.atomic():
        row = _locked(name)
        if row.rate is not None:
            ceiling = traits.ceiling(name)
            faster = rates.faster(row.rate, ceiling)
            row.rate = None if faster is None or faster == ceiling else faster
            row.save(update_fields=["rate"])


def pause_domain(domain: str, until: datetime, reason: str) -> None:
    """Write nothing to this destination for a while; the others go on."""
    limiter.hold("destination", domain.lower(), until, reason)


def _locked(name: str) -> Channel:
    rows = Channel.objects.filter(name=name)
    return (rows.select_for_update() if connection.features.has_select_for_update else rows).get()
