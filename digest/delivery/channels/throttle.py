"""The rate of a channel, shared by all workers in the database: `limiter` keeps the bucket, `rates` its arithmetic."""

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
    """Take up to `wanted` letters from the bucket; returns how many may go now."""
    rate = _rate(holds.channel(name))
    if rate is None:
        return wanted
    return limiter.draw("channel", name, wanted, rate, rates.size(rate), database_now())


def next_token(name: str) -> float:
    """Seconds until one more letter may go (at most one second, so that a hold is seen)."""
    rate = _rate(holds.channel(name))
    if not rate:
        return 0.0
    return min(1.0, 1.0 / rate)


def give_back(name: str, letters: int) -> None:
    """Put back letters that were taken and not needed."""
    rate = _rate(holds.channel(name))
    if letters > 0 and rate is not None:
        limiter.give_back("channel", name, letters, rate, database_now())


def _rate(channel: Channel) -> float | None:
    """Letters a second: what the provider was found to take, else what is configured; None means without limit."""
    if channel.rate is None:
        return traits.ceiling(channel.name)
    return channel.rate


def slow_down(name: str) -> None:
    """Lower the rate, because the provider asked for less."""
    with transaction.atomic():
        row = _locked(name)
        rate = _rate(row)
        if rate is None:
            rate = rates.UNLIMITED / 10
        row.rate = rates.slower(rate)
        row.save(update_fields=["rate"])
        limiter.empty("channel", name, row.rate, rates.size(row.rate), database_now())


def speed_up(name: str) -> None:
    """Raise the rate, because a chunk went through without complaint."""
    if not Channel.objects.filter(name=name, rate__isnull=False).exists():
        return
    with transaction.atomic():
        row = _locked(name)
        if row.rate is None:
            return
        ceiling = traits.ceiling(name)
        row.rate = rates.faster(row.rate, ceiling)
        if row.rate == ceiling:
            row.rate = None
        row.save(update_fields=["rate"])


def pause_domain(domain: str, until: datetime, reason: str) -> None:
    """Send nothing to this domain until then; letters to others go on."""
    limiter.hold("destination", domain.lower(), until, reason)


def _locked(name: str) -> Channel:
    rows = Channel.objects.filter(name=name)
    if connection.features.has_select_for_update:
        rows = rows.select_for_update()
    return rows.get()
