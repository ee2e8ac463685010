"""What shows whether a doubtful letter was accepted: events that came in, and queries that are complete.

An event can only prove that a letter *was* accepted. Silence proves nothing: events come late, out of
order, or never. Only a query over the provider's own record, asked well after the doubt, can show that
a letter was *not* accepted, and only then may it be sent again (`machine.proves_unsent`).
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
MARGIN = timedelta(seconds=60)  # clocks of two companies are never quite the same
FLOOR = timedelta(minutes=15)  # no doubt is resolved as "not sent" before this age


def apply_waiting(now: datetime, end: float | None = None) -> Counter[str]:
    """Apply events that were stored but not applied: the process ended in between.

    Chunk after chunk, until `end` (of `alive()`) or until none is left that may be.
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
    """Apply the reports of a surge that a person says are real (`breaker`), until `end` (of `alive()`); how many."""
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
    """Settle doubts on evidence channels: accepted where a query finds them, waiting again where none can.

    Until `end` (of `alive()`), or until the record cannot be read: the next sweep goes on.
    """
    counts: Counter[str] = Counter()
    for attempt in Attempt.objects.filter(state=Attempt.State.AMBIGUOUS).order_by("pk")[:CHUNK]:
        if _close_if_settled(attempt, now):
            continue
        traits = channel_traits.of(attempt.channel)
        if traits.kind is Kind.EVIDENCE and traits.pull and _is_old_enough(attempt, traits.lag):
            answer = _ask(attempt, traits.lag, now)
            counts += answer
            if answer["evidence unavailable"] or (end is not None and monotonic() >= end):
                break
    return counts


def _is_old_enough(attempt: Attempt, lag: timedelta) -> bool:
    """Asking sooner could not prove anything, and costs the provider a query."""
    if attempt.ambiguous_at is None:
        return False
    return database_now() - attempt.ambiguous_at >= max(FLOOR, lag + MARGIN)


def _ask(attempt: Attempt, lag: timedelta, now: datetime) -> Counter[str]:
    failpoint("release.begun")
    asked_at = database_now()
    try:
        found = provider_api.accepted(attempt)
    except provider_api.PullError as error:
        log.warning("the evidence of attempt %s cannot be asked for: %s", attempt.key, error)
        return Counter({"evidence unavailable": 1})
    watermark = asked_at - lag
    Channel.objects.filter(name=attempt.channel).update(watermark_at=watermark)
    return _resolve(attempt, found, watermark, asked_at, now)


@retry_on_db_error
def _resolve(attempt: Attempt, found: set[str], watermark: datetime, asked_at: datetime, now: datetime) -> Counter[str]:
    counts: Counter[str] = Counter()
    with transaction.atomic():
        ours = Attempt.objects.filter(pk=attempt.pk, state=Attempt.State.AMBIGUOUS)
        if not ours.update(outcome="evidence"):
            return counts
        failpoint("release.marked")
        for row in Delivery.objects.filter(attempt=attempt, state=Delivery.State.AMBIGUOUS):
            counts[_decide(row, attempt, str(row.uuid) in found, watermark, asked_at, now)] += 1
        _close_if_settled(attempt, now)
    return counts


def _decide(
    row: Delivery, attempt: Attempt, found: bool, watermark: datetime, asked_at: datetime, now: datetime
) -> str:
    if found:
        settle.mark_proven_sent(row, now)
        return "proved sent"
    doubt = attempt.ambiguous_at or asked_at
    unsent = states.proves_unsent(
        found,
        doubt.timestamp(),
        watermark.timestamp(),
        MARGIN.total_seconds(),
        (asked_at - doubt).total_seconds(),
        FLOOR.total_seconds(),
    )
    if not unsent:
        return "no evidence yet"
    ledger.move(Delivery.objects.filter(pk=row.pk), Event.PROVE_UNSENT, now, next_at=now)
    return "proved unsent"


def _close_if_settled(attempt: Attempt, now: datetime) -> bool:
    """An attempt without a doubtful letter is over."""
    doubtful = [Delivery.State.AMBIGUOUS, Delivery.State.CLAIMED]
    if Delivery.objects.filter(attempt=attempt, state__in=doubtful).exists():
        return False
    with transaction.atomic():
        doubted = Attempt.objects.filter(pk=attempt.pk, state=Attempt.State.AMBIGUOUS)
        if ledger.turn(doubted, Attempt.State.CLOSED, closed_at=now):
            FrozenCopy.objects.filter(attempt=attempt).delete()
    return True
