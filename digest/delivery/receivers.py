"""What the delivery room answers when subscriptions ask: is anything held, and what of an erased reader is left."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.dispatch import receiver

from digest.delivery.accounts import restore_guard
from digest.delivery.channels import holds, traits
from digest.models import Channel, FrozenCopy
from subscriptions import signals
from subscriptions.models import Subscriber


@receiver(signals.holding)
def restored(now: datetime, **_: Any) -> str:
    """A database put back from a backup mails nobody, not even an old confirmation."""
    channel = traits.current()
    row = Channel.objects.filter(name=channel, held_by=holds.RESTORE).first()
    return row.held_reason if row else restore_guard.check(channel, now)


@receiver(signals.erased)
def forget_sealed(subscriber: Subscriber, **_: Any) -> None:
    """The letter kept for a repeat has the reader's address: an erased reader's is not repeated."""
    FrozenCopy.objects.filter(delivery__subscriber=subscriber).delete()
