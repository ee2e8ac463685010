"""Taking letters out of the waiting line: a lease in one short transaction, so that no two workers share one."""

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
LEASE = timedelta(seconds=120)  # rendering (30 s), one hand-over (30 s) and a margin fit in twice
WORKER = f"{socket.gethostname()}:{os.getpid()}"[:80]


@dataclass(frozen=True)
class Claimed:
    """One attempt and its letters; `until` is on `clock.alive()`, for the fence."""

    attempt: Attempt
    deliveries: tuple[Delivery, ...]
    until: float


@retry_on_db_error
def claim(now: datetime, channel: str, limit: int) -> list[Claimed]:
    """Lease up to `limit` waiting letters; those who may not be written to are skipped with the reason."""
    until = monotonic() + LEASE.total_seconds()  # before the database's lease begins: the fence may only be stricter
    with transaction.atomic():
        rows = list(unlocked(waiting(now)).select_related("subscriber").order_by("next_at", "id")[:limit])
        failpoint("claim.selected")
        writable = _sort_out(rows, now)
        return _lease(writable, channel, now, until)


def waiting(now: datetime) -> QuerySet[Delivery]:
    return Delivery.objects.filter(state=State.PENDING, next_at__lte=now)


def unlocked(rows: QuerySet[Delivery]) -> QuerySet[Delivery]:
    """Rows no other worker is taking right now. SQLite needs no locks: its writers take turns."""
    if connection.features.has_select_for_update_skip_locked:
        return rows.select_for_update(skip_locked=True, of=("self",))
    return rows


def _sort_out(rows: Sequence[Delivery], now: datetime) -> list[Delivery]:
    """Those that may go now. The others are settled or put off here, in the same transaction."""
    unwanted = why_not([row.subscriber for row in rows])
    paused = {one.subject: one.free_at for one in limiter.held("destination", now)}
    writable: list[Delivery] = []
    skipped: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        domain = row.subscriber.email.rpartition("@")[2].lower()
        if row.subscriber_id in unwanted:
            skipped[unwanted[row.subscriber_id]].append(row.pk)
        elif domain in paused:
            Delivery.objects.filter(pk=row.pk).update(next_at=paused[domain])
        else:
            writable.append(row)
    for reason, ids in skipped.items():
        waiting_ones = Delivery.objects.filter(pk__in=ids, state=State.PENDING)
        ledger.move(waiting_ones, Event.SKIP, now, reason=reason)
    return writable


def why_not(subscribers: Iterable[Subscriber]) -> dict[int, str]:
    """Subscriber id -> reason, for those who may not be written to at this moment."""
    people = list(subscribers)
    hashes = {one.pk: keyed_hash(one.email_key) for one in people if one.email}
    found = set(
        Suppression.objects.filter(address_hmac__in=set(hashes.values())).values_list("address_hmac", flat=True)
    )
    verdicts: dict[int, str] = {}
    for one in people:
        if one.state != Subscriber.State.ACTIVE:
            verdicts[one.pk] = reasons.BY_STATE.get(one.state, reasons.UNSUBSCRIBED)
        elif one.pk not in hashes:
            verdicts[one.pk] = reasons.ERASED
        elif hashes[one.pk] in found:
            verdicts[one.pk] = reasons.SUPPRESSED
        elif outgoing.is_real() and is_demonstration(one.email):
            verdicts[one.pk] = reasons.DEMONSTRATION
    return verdicts


def _lease(rows: Sequence[Delivery], channel: str, now: datetime, until: float) -> list[Claimed]:
    """Write the attempts and point the letters at them."""
    size = traits.of(channel).batch
    groups = [tuple(rows[start : start + size]) for start in range(0, len(rows), size)]
    lease = database_now() + LEASE
    attempts = Attempt.objects.bulk_create(
        Attempt(channel=channel, lease_until=lease, worker=WORKER, started_at=now) for _ in groups
    )
    failpoint("claim.attempts_written")
    for attempt, group in zip(attempts, groups, strict=True):
        _point(group, attempt, now)
    failpoint("claim.marked")
    return [Claimed(attempt, group, until) for attempt, group in zip(attempts, groups, strict=True)]


def _point(group: Sequence[Delivery], attempt: Attempt, now: datetime) -> None:
    ids = [row.pk for row in group]
    ledger.move(Delivery.objects.filter(pk__in=ids), Event.CLAIM, now, attempt=attempt)
    for row in group:
        row.attempt = attempt
        current = keyed_hash(row.subscriber.email_key)
        if row.address_hmac != current:  # the address changed since it was planned
            row.address_hmac = current
            Delivery.objects.filter(pk=row.pk).update(address_hmac=current)
