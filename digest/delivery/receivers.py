"""What delivery does for subscriptions: says whether mail is held, and deletes what it keeps of an erased reader."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.dispatch import receiver

from digest.delivery.accounts import restore_guard
from digest.delivery.channels import holds, traits
from digest.models import Channel, Sealed
from subscriptions import signals
from subscriptions.models import Subscriber


def reason_to_hold(now: datetime) -> str:
    """Why no mail may leave: the database was restored from a backup, so even an old confirmation waits. "" if none."""
    channel = traits.current()
    row = Channel.objects.filter(name=channel, held_by=holds.RESTORE).first()
    return row.held_reason if row else restore_guard.check(channel, now)


@receiver(signals.erased)
def forget_sealed(subscriber: Subscriber, **_: Any) -> None:
    """The letter kept for a repeat has the reader's address: an erased reader's is not repeated."""
    Sealed.objects.filter(delivery__subscriber=subscriber).delete()
