"""What delivery does for subscriptions: says whether mail is held, and deletes what it keeps of an erased reader."""

from __future__ import annotations

from datetime import datetime

from django.dispatch import receiver

from digest.delivery.accounts import restore_guard
from digest.delivery.channels import holds, traits
from digest.models import Channel, FrozenCopy
from subscriptions import signals
from subscriptions.models import Subscriber


def reason_to_hold(now: datetime) -> str:
    """Why no mail may leave: the database was restored from a backup, so even an old confirmation waits. "" if none."""
    channel = traits.current()
    row = Channel.objects.filter(name=channel, held_by=holds.RESTORE).first()
    if row is None:
        return restore_guard.check(channel, now)
    return row.held_reason


@receiver(signals.erased)
def delete_frozen_copies(subscriber: Subscriber, **_: object) -> None:
    """Delete the frozen copies of an erased reader's letters, because they have the address."""
    FrozenCopy.objects.filter(delivery__subscriber=subscriber).delete()
