"""The channel's pace in the database, shared by all workers: see `rates` for the arithmetic."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection, transaction

from digest.delivery.channels import holds, rates, traits
from digest.models import Channel, DomainPause
from subscriptions.clock import database_now
from subscriptions.db_retry import retry_on_db_error

# Google asks to slow down one destination for at least ten minutes (support.google.com/mail/answer/81126).
DOMAIN_PAUSE = timedelta(minutes=10)


@retry_on_db_error
def take(name: str, wanted: int) -> int:
    """How many letters may go right now, up to `wanted`; they count as gone."""
    holds.channel(name)
    with transaction.atomic():
        row = _locked(name)
        rate = row.rate if row.rate is not None else traits.ceiling(name)
        if rate is None:
            return wanted
        at = database_now()
        seconds = (at - row.tokens_at).total_seconds() if row.tokens_at else rates.BURST
        tokens = rates.refill(row.tokens, rate, seconds)
        allowed = min(wanted, int(tokens))
        row.tokens, row.tokens_at = tokens - allowed, at
        row.save(update_fields=["tokens", "tokens_at"])
    return allowed


def next_token(name: str) -> float:
    """Seconds until one more letter may go (at most one second, so that a hold is seen)."""
    row = Channel.objects.filter(name=name).first()
    rate = row.rate if row and row.rate is not None else traits.ceiling(name)
    return min(1.0, 1.0 / rate) if rate else 0.0


def give_back(name: str, letters: int) -> None:
    """Letters that were allowed but not there."""
    if letters <= 0:
        return
    with transaction.atomic():
        row = _locked(name)
        if row.rate is not None or traits.ceiling(name) is not None:
            row.tokens += letters
            row.save(update_fields=["tokens"])


def fall(name: str) -> None:
    """The provider asked for less."""
    with transaction.atomic():
        row = _locked(name)
        rate = row.rate if row.rate is not None else traits.ceiling(name)
        row.rate = rates.slower(rate if rate is not None else rates.UNLIMITED / 10)
        row.tokens = 0
        row.save(update_fields=["rate", "tokens"])


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
    DomainPause.objects.update_or_create(domain=domain.lower(), defaults={"until": until, "reason": reason[:300]})


def _locked(name: str) -> Channel:
    rows = Channel.objects.filter(name=name)
    return (rows.select_for_update() if connection.features.has_select_for_update else rows).get()
