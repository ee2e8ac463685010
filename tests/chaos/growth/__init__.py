"""What a later version might add to the largest table, in steps that let the version before it go on."""

from __future__ import annotations


def fill(rows: int) -> None:
    """So many letters of earlier days."""
    from datetime import UTC, datetime, timedelta

    from digest.models import Delivery, Edition
    from subscriptions.models import Subscriber

    readers = list(Subscriber.objects.order_by("pk")[:200])
    at = datetime.now(UTC) - timedelta(days=400)
    for start in range(0, rows, 20_000):
        days = range(start // len(readers), min(start + 20_000, rows) // len(readers))
        editions = Edition.objects.bulk_create(
            Edition(date=at.date() - timedelta(days=day), state="held") for day in days
        )
        Delivery.objects.bulk_create(
            (
                Delivery(
                    edition=edition, subscriber=reader, state="skipped", reason="no_match", local_date=edition.date,
                    due_at=at, next_at=at, planned_at=at, settled_at=at,
                )
                for edition in editions
                for reader in readers
            ),
            batch_size=2000,
        )  # fmt: skip
