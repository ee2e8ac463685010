"""How often an address was refused for good without a reason (or as disabled): many such days end its letters.

Only answers of kind `REFUSED` count: policies, quotas and failures that pass say nothing of the address. Each day
counts 1 and loses half its weight every fortnight; a delivered letter takes all away. At `LIMIT` the address is
given up as if it did not exist.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from digest.models import BounceScore

HALF_LIFE = timedelta(days=14)
APART = timedelta(hours=20)  # several reports about one letter, or a day's letters, count once
LIMIT = 5.0  # with the fading: six days in a row


def decayed(bounces: float, since: timedelta) -> float:
    """The weight of old refusals after a while. Pure."""
    return float(bounces * 0.5 ** (max(since, timedelta()) / HALF_LIFE))


def add_bounce(address: str, at: datetime) -> bool:
    """One more day with a refusal; True if that was the last straw."""
    if not address:
        return False
    with transaction.atomic():
        BounceScore.objects.get_or_create(address_hmac=address, defaults={"at": at})
        row = BounceScore.objects.select_for_update().get(
            address_hmac=address
        )  # SQLite's transactions are alone anyway
        if row.bounces and at - row.at < APART:
            return False
        row.bounces = decayed(row.bounces, at - row.at) + 1
        row.at = max(row.at, at)
        row.save(update_fields=["bounces", "at"])
    return row.bounces >= LIMIT


def restore(address: str, at: datetime) -> None:
    """A letter arrived: earlier refusals are forgiven."""
    BounceScore.objects.filter(address_hmac=address, at__lte=at).update(bounces=0, at=at)
