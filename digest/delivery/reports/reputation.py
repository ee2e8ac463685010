"""How well an address takes mail. Soft bounces add up and fade; a full mailbox for a week is not the end.

Each soft bounce counts 1 and loses half its weight every fortnight; a delivered letter takes all away.
At `LIMIT` the address is given up as if it did not exist.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from digest.models import Standing

HALF_LIFE = timedelta(days=14)
LIMIT = 5.0


def decayed(bounces: float, since: timedelta) -> float:
    """The weight of old bounces after a while. Pure."""
    return float(bounces * 0.5 ** (max(since, timedelta()) / HALF_LIFE))


def add_bounce(address: str, at: datetime) -> bool:
    """One more soft bounce; True if that was the last straw."""
    if not address:
        return False
    with transaction.atomic():
        Standing.objects.get_or_create(address_hmac=address, defaults={"at": at})
        row = Standing.objects.select_for_update().get(address_hmac=address)  # SQLite's transactions are alone anyway
        row.bounces = decayed(row.bounces, at - row.at) + 1
        row.at = max(row.at, at)
        row.save(update_fields=["bounces", "at"])
    return row.bounces >= LIMIT


def restore(address: str, at: datetime) -> None:
    """A letter arrived: earlier bounces are forgiven."""
    Standing.objects.filter(address_hmac=address, at__lte=at).update(bounces=0, at=at)
