"""Receivers of the signals of subscriptions: whether sending is held, and erasing a reader."""

from __future__ import annotations

from datetime import datetime

from django.dispatch import receiver

from digest.delivery.accounts import restore_guard
from digest.delivery.channels import holds, traits
from digest.models import Channel, Sealed
from subscriptions import signals
from subscriptions.models import Subscriber


@receiver(signals.holding)
def restored(now: datetime, **_: object) -> str:
    """Why nothing is sent from a database restored from a backup, not even a confirmation; empty if it may be."""
    channel = traits.current()
    row = Channel.objects.filter(name=channel, held_by=holds.RESTORE).first()
    if row is None:
        return restore_guard.check(channel, now)
    return row.held_reason


@receiver(signals.erased)
def delete_frozen_copies(subscriber: Subscriber, **_: object) -> None:
    """Delete the frozen copies of an erased reader's letters, because they have the address."""
    Sealed.objects.filter(delivery__subscriber=subscriber).delete()
