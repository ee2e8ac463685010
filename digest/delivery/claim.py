"""Claims waiting letters: one short transaction gives a worker a lease, so that no two workers share a letter."""

from __future__ import annotations

import os
import socket
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import QuerySet

from digest.delivery import ledger, reasons
from digest.delivery.channels import traits
from digest.delivery.failpoints import failpoint
from digest.delivery.states import Event
from digest.models import Attempt, Delivery
from subscriptions.addresses import is_demonstration, keyed_hash
from subscriptions.clock import database_now, monotonic
from subscriptions.db_retry import retry_on_db_error
from subscriptions.limits import limiter
from subscriptions.mail import outgoing
from subscriptions.models import Subscriber, Suppression

State = Delivery.State
LEASE = timedelta(seconds=120)  # twice the writing (30 s) and one hand-over (30 s)
WORKER = f"{socket.gethostname()}:{os.getpid()}"[:80]


@dataclass(frozen=True)
class Claimed:
    """One attempt and its letters; `until` is the end of the lease in seconds of `clock.monotonic()`."""

    attempt: Attempt
    deliveries: tuple[Delivery, ...]
    until: float


@retry_on_db_error
def claim(now: datetime, channel: str, limit: int) -> list[Claimed]:
    """Lease up to `limit` waiting letters; those that must not be sent are skipped with the reason."""
    until = monotonic() + LEASE.total_seconds()  # read before the database's lease begins, so it never ends later
    with transaction.atomic():
        rows = waiting(now)
        if connection.features.has_select_for_update_skip_locked:  # SQLite's writers take turns and need no locks
            rows = rows.select_for_update(skip_locked=True, of=("self",))
        chosen = list(rows.select_related("subscriber").order_by("next_at", "id")[:limit])
        failpoint("claim.selected")
        sendable = _skip_or_postpone(chosen, now)
        return _lease(sendable, channel, now, until)


def waiting(now: datetime) -> QuerySet[Delivery]:
    """The letters that may be tried now."""
    return Delivery.objects.filter(state=State.PENDING, next_at__lte=now)


def _skip_or_postpone(rows: Sequence[Delivery], now: datetime) -> list[Delivery]:
    """The letters that may go now.

    In the same transaction the letters of readers who left are skipped, and those to a paused domain postponed.
    """
    unwanted = reasons_against([row.subscriber for row in rows])
    paused = {one.subject: one.free_at for one in limiter.held("destination", now)}
    sendable: list[Delivery] = []
    skipped: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        domain = row.subscriber.email.rpartition("@")[2].lower()
        if row.subscriber_id in unwanted:
            skipped[unwanted[row.subscriber_id]].append(row.pk)
        elif domain in paused:
            Delivery.objects.filter(pk=row.pk).update(next_at=paused[domain])
        else:
            sendable.append(row)
    for reason, ids in skipped.items():
        still_waiting = Delivery.objects.filter(pk__in=ids, state=State.PENDING)
        ledger.move(still_waiting, Event.SKIP, now, reason=reason)
    return sendable


def reasons_against(subscribers: Iterable[Subscriber]) -> dict[int, str]:
    """Subscriber id -> reason, for those who must not be written to at this moment."""
    people = list(subscribers)
    hashes = {one.pk: keyed_hash(one.email_key) for one in people if one.email}
    suppressions = Suppression.objects.filter(address_hmac__in=set(hashes.values()))
    suppressed = set(suppressions.values_list("address_hmac", flat=True))
    is_real = outgoing.is_real()
    found: dict[int, str] = {}
    for one in people:
        if one.state != Subscriber.State.ACTIVE:
            found[one.pk] = reasons.BY_STATE.get(one.state, reasons.UNSUBSCRIBED)
        elif one.pk not in hashes:
            found[one.pk] = reasons.ERASED
        elif hashes[one.pk] in suppressed:
            found[one.pk] = reasons.SUPPRESSED
        elif is_real and is_demonstration(one.email):
            found[one.pk] = reasons.DEMONSTRATION
    return found


def _lease(rows: Sequence[Delivery], channel: str, now: datetime, until: float) -> list[Claimed]:
    """Store one attempt for each batch of letters, and point the letters to it.

    A reader may have changed the address since the letter was planned; its hash is written anew.
    """
    size = traits.of(channel).batch
    lease = database_now() + LEASE
    batches = []
    attempts = []
    for start in range(0, len(rows), size):
        batches.append(tuple(rows[start : start + size]))
        attempts.append(Attempt(channel=channel, lease_until=lease, worker=WORKER, started_at=now))
    Attempt.objects.bulk_create(attempts)
    failpoint("claim.attempts_written")
    found = []
    for attempt, batch in zip(attempts, batches, strict=True):
        ids = [row.pk for row in batch]
        ledger.move(Delivery.objects.filter(pk__in=ids), Event.CLAIM, now, attempt=attempt)
        for row in batch:
            row.attempt = attempt
            current = keyed_hash(row.subscriber.email_key)
            if row.address_hmac != current:
                row.address_hmac = current
                Delivery.objects.filter(pk=row.pk).update(address_hmac=current)
        found.append(Claimed(attempt, batch, until))
    failpoint("claim.marked")
    return found
