"""Finds whether an ambiguous letter was accepted: by events that came in, and by complete provider look-ups.

An event can only prove that a letter *was* accepted. A missing event proves nothing: events come late, out of order,
or never. Only a look-up of the provider's own record, well after the doubt began, can show that a letter was *not*
accepted, and only then may it be sent again (`states.proves_unsent`).
"""

from __future__ import annotations

import logging
from collections import Counter
from datetime import datetime, timedelta

from django.db import transaction

from digest.delivery import ledger, settle, states
from digest.delivery.channels import provider_api
from digest.delivery.channels import traits as channel_traits
from digest.delivery.channels.traits import Kind
from digest.delivery.failpoints import failpoint
from digest.delivery.reports import events
from digest.delivery.states import Event
from digest.models import Attempt, Channel, Delivery, FrozenCopy, ProviderEvent
from subscriptions.clock import database_now, monotonic
from subscriptions.db_retry import retry_on_db_error

log = logging.getLogger(__name__)

CHUNK = 200
MARGIN = timedelta(seconds=60)  # how far the provider's clock may be from ours
FLOOR = timedelta(minutes=15)  # no letter is proved unsent before its doubt is this old
DOUBTFUL = (Delivery.State.AMBIGUOUS, Delivery.State.CLAIMED)


def apply_waiting(now: datetime, end: float | None = None) -> Counter[str]:
    """Apply events that were stored but not applied, because a process ended in between; returns how many by type.

    Chunk after chunk, until `end` (of `clock.monotonic()`) or until none is left that may be applied.
    """
    counts: Counter[str] = Counter()
    waiting = ProviderEvent.objects.filter(applied_at=None, waits=False).order_by("pk")
    while chunk := list(waiting.select_related("delivery__subscriber")[:CHUNK]):
        applied = Counter(row.type for row in chunk if events.apply(row, now))
        counts += applied
        if not applied or (end is not None and monotonic() >= end):
            break
    return counts


def apply_kept(channel: str, now: datetime, end: float | None = None) -> int:
    """Apply the reports of a surge that an operator confirmed, until `end` (as above); returns how many."""
    count = 0
    kept = ProviderEvent.objects.filter(channel=channel, waits=True).order_by("pk")
    while chunk := list(kept.select_related("delivery__subscriber")[:CHUNK]):
        for row in chunk:
            events.apply(row, now)
            ProviderEvent.objects.filter(pk=row.pk).update(waits=False)
        count += len(chunk)
        if end is not None and monotonic() >= end:
            break
    return count


def release(now: datetime, end: float | None = None) -> Counter[str]:
    """Settle ambiguous attempts by provider look-ups: what is found is accepted, what cannot be there waits again.

    Until `end` (of `clock.monotonic()`), or until the record cannot be read: the next sweep goes on.
    """
    counts: Counter[str] = Counter()
    for attempt in Attempt.objects.filter(state=Attempt.State.AMBIGUOUS).order_by("pk")[:CHUNK]:
        if _close_if_settled(attempt, now):
            continue
        traits = channel_traits.of(attempt.channel)
        if traits.kind is not Kind.EVIDENCE or not traits.lookup or attempt.ambiguous_at is None:
            continue
        if database_now() - attempt.ambiguous_at < max(FLOOR, traits.lag + MARGIN):
            continue  # a look-up could not prove anything yet
        answer = _look_up(attempt, traits.lag, now)
        counts += answer
        if answer["evidence unavailable"] or (end is not None and monotonic() >= end):
            break
    return counts


def _look_up(attempt: Attempt, lag: timedelta, now: datetime) -> Counter[str]:
    """Ask the provider for the attempt's letters, and settle them by the answer.

    The record is complete up to the watermark: the moment of the question, less the provider's `lag`.
    """
    failpoint("release.begun")
    asked_at = database_now()
    try:
        found = provider_api.accepted(attempt)
    except provider_api.ProviderLookupError as error:
        log.warning("the evidence of attempt %s cannot be looked up: %s", attempt.key, error)
        return Counter({"evidence unavailable": 1})
    watermark = asked_at - lag
    Channel.objects.filter(name=attempt.channel).update(watermark_at=watermark)
    return _apply_lookup(attempt, found, watermark, asked_at, now)


@retry_on_db_error
def _apply_lookup(
    attempt: Attempt, found: set[str], watermark: datetime, asked_at: datetime, now: datetime
) -> Counter[str]:
    """Settle the attempt's ambiguous letters. `found` are the uuids of the letters that the provider accepted."""
    counts: Counter[str] = Counter()
    doubt = attempt.ambiguous_at or asked_at
    with transaction.atomic():
        ours = Attempt.objects.filter(pk=attempt.pk, state=Attempt.State.AMBIGUOUS)
        if not ours.update(outcome="evidence"):
            return counts
        failpoint("release.marked")
        for row in Delivery.objects.filter(attempt=attempt, state=Delivery.State.AMBIGUOUS):
            is_found = str(row.uuid) in found
            is_unsent = states.proves_unsent(
                is_found,
                doubt.timestamp(),
                watermark.timestamp(),
                MARGIN.total_seconds(),
                (asked_at - doubt).total_seconds(),
                FLOOR.total_seconds(),
            )
            if is_found:
                settle.mark_proven_sent(row, now)
                counts["proved sent"] += 1
            elif is_unsent:
                ledger.move(Delivery.objects.filter(pk=row.pk), Event.PROVE_UNSENT, now, next_at=now)
                counts["proved unsent"] += 1
            else:
                counts["no evidence yet"] += 1
        _close_if_settled(attempt, now)
    return counts


def _close_if_settled(attempt: Attempt, now: datetime) -> bool:
    """Close the attempt where none of its letters is in doubt; returns whether none is."""
    if Delivery.objects.filter(attempt=attempt, state__in=DOUBTFUL).exists():
        return False
    with transaction.atomic():
        doubted = Attempt.objects.filter(pk=attempt.pk, state=Attempt.State.AMBIGUOUS)
        if ledger.move_attempts(doubted, Attempt.State.CLOSED, closed_at=now):
            FrozenCopy.objects.filter(attempt=attempt).delete()
    return True
