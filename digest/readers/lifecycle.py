"""What digest does when a reader confirms, comes back, asks for their data, or wants to be erased.

It listens to `subscriptions.signals`, which are sent inside the transaction of the act itself.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Max, QuerySet
from django.dispatch import receiver

from digest.models import Delivery, Edition, Feedback, Profile, ProviderEvent, Saved, Skip
from subscriptions import signals
from subscriptions.models import Subscriber


@receiver(signals.confirmed)
def start_with_newest(subscriber: Subscriber, **_: Any) -> None:
    """A new reader's first letter brings the newest edition too, so that it is not empty; never one they had."""
    newest = Edition.objects.aggregate(newest=Max("serial"))["newest"]
    _move_cursor(subscriber, (newest or 0) - 1)


@receiver(signals.resumed)
def skip_pause(subscriber: Subscriber, now: datetime, **_: Any) -> None:
    """A reader who wants no catch-up after a pause gets today's edition, and none released before today."""
    before_today = Edition.objects.filter(serial__isnull=False, date__lt=now.date())
    newest = before_today.aggregate(newest=Max("serial"))["newest"]
    _move_cursor(subscriber, newest or 0)


def _move_cursor(subscriber: Subscriber, serial: int) -> None:
    """The cursor moves only forward."""
    subscriber.cursor = max(subscriber.cursor, serial)
    subscriber.save(update_fields=["cursor"])


@receiver(signals.exporting)
def add_letters(subscriber: Subscriber, document: dict[str, Any], **_: Any) -> None:
    """Every letter planned for the reader, every day's reason for none, their saved papers and their feedback."""
    letters = []
    for row in Delivery.objects.filter(subscriber=subscriber).select_related("edition").order_by("planned_at"):
        letter: dict[str, Any] = {"edition": str(row.edition.date), "state": row.state, "reason": row.reason}
        letter["settled_at"] = row.settled_at and row.settled_at.isoformat()
        letter["papers"] = row.papers
        letters.append(letter)
    document["letters"] = letters
    skips = Skip.objects.filter(subscriber=subscriber).order_by("local_date")
    document["days_without_a_letter"] = [{"date": str(row.local_date), "reason": row.reason} for row in skips]
    document["saved_papers"] = _papers(Saved.objects.filter(subscriber=subscriber))
    document["feedback"] = _papers(Feedback.objects.filter(subscriber=subscriber), "value")


def _papers(rows: QuerySet[Any], *more: str) -> list[dict[str, Any]]:
    """What an export says of saved papers or feedback, oldest first: id, title, time, and the columns in `more`."""
    found = []
    for row in rows.order_by("at").values("paper__identifier", "paper__title", *more, "at"):
        paper: dict[str, Any] = {"paper": row["paper__identifier"], "title": row["paper__title"]}
        for column in more:
            paper[column] = row[column]
        found.append(paper | {"at": row["at"].isoformat()})
    return found


@receiver(signals.erased)
def scrub(subscriber: Subscriber, **_: Any) -> None:
    """The ledger keeps that a letter went, and not to whom nor with which papers."""
    events = ProviderEvent.objects.filter(delivery__subscriber=subscriber)
    events.update(raw={}, detail="", address_hmac="", message_id="")
    Delivery.objects.filter(subscriber=subscriber).update(papers=[], address_hmac="")
    for model in (Skip, Saved, Feedback, Profile):
        model._default_manager.filter(subscriber=subscriber).delete()
