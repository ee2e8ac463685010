"""What this room does when a reader confirms, comes back, asks for their data, or wants to be erased.

It listens to `subscriptions.signals`, which are sent inside the transaction of the act itself.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Max
from django.dispatch import receiver

from digest.models import Delivery, Edition, Feedback, Profile, ProviderEvent, Saved, Skip
from subscriptions import signals
from subscriptions.models import Subscriber


def newest_serial() -> int:
    """The serial of the last released edition; 0 before the first."""
    return Edition.objects.aggregate(newest=Max("serial"))["newest"] or 0


@receiver(signals.confirmed)
def start_with_the_newest(subscriber: Subscriber, **_: Any) -> None:
    """A new reader's first letter brings the newest edition too, so that it is not empty; never one they had."""
    _move_cursor(subscriber, max(subscriber.cursor, newest_serial() - 1))


@receiver(signals.resumed)
def start_afresh(subscriber: Subscriber, now: datetime, **_: Any) -> None:
    """Back from a pause without catching up: what was released meanwhile is let go, the day's own edition is not."""
    before_today = Edition.objects.filter(serial__isnull=False, date__lt=now.date())
    _move_cursor(subscriber, max(subscriber.cursor, before_today.aggregate(newest=Max("serial"))["newest"] or 0))


def _move_cursor(subscriber: Subscriber, serial: int) -> None:
    subscriber.cursor = serial
    subscriber.save(update_fields=["cursor"])


@receiver(signals.exporting)
def add_letters(subscriber: Subscriber, document: dict[str, Any], **_: Any) -> None:
    """Every letter planned for the reader, and every day's reason for none."""
    letters = Delivery.objects.filter(subscriber=subscriber).select_related("edition").order_by("planned_at")
    document["letters"] = [
        {
            "edition": str(row.edition.date),
            "state": row.state,
            "reason": row.reason,
            "settled_at": row.settled_at and row.settled_at.isoformat(),
            "papers": row.papers,
        }
        for row in letters
    ]
    skips = Skip.objects.filter(subscriber=subscriber).order_by("local_date")
    document["days_without_a_letter"] = [{"date": str(row.local_date), "reason": row.reason} for row in skips]
    saved = Saved.objects.filter(subscriber=subscriber).order_by("at")
    document["saved_papers"] = [
        {"paper": identifier, "title": title, "at": at.isoformat()}
        for identifier, title, at in saved.values_list("paper__identifier", "paper__title", "at")
    ]
    feedback = Feedback.objects.filter(subscriber=subscriber).order_by("at")
    document["feedback"] = [
        {"paper": identifier, "title": title, "value": value, "at": at.isoformat()}
        for identifier, title, value, at in feedback.values_list("paper__identifier", "paper__title", "value", "at")
    ]


@receiver(signals.erased)
def scrub(subscriber: Subscriber, **_: Any) -> None:
    """The ledger keeps that a letter went, and forgets to whom and about what."""
    events = ProviderEvent.objects.filter(delivery__subscriber=subscriber)
    events.update(raw={}, detail="", address_hmac="", message_id="")
    Delivery.objects.filter(subscriber=subscriber).update(papers=[], address_hmac="")
    Skip.objects.filter(subscriber=subscriber).delete()
    Saved.objects.filter(subscriber=subscriber).delete()
    Feedback.objects.filter(subscriber=subscriber).delete()
    Profile.objects.filter(subscriber=subscriber).delete()
