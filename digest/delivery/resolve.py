"""What becomes of letters whose worker died or whose answer was lost: recover, repeat, mark uncertain, expire.

A worker's death after the intent makes a letter ambiguous, never "not sent". That ends by a repeat of the same letter
under the same key (idempotent channels), by evidence (see `evidence`), or by marking the letter uncertain.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q, QuerySet

from digest.delivery import claim, ledger, reasons, send, settle
from digest.delivery import states as delivery_states
from digest.delivery.channels import holds, throttle
from digest.delivery.channels import traits as channel_traits
from digest.delivery.channels.traits import Kind
from digest.delivery.failpoints import failpoint
from digest.delivery.limits import LATE_LIMIT, LATE_LIMIT_WEEKLY
from digest.delivery.states import Event
from digest.models import Attempt, Delivery, FrozenCopy
from subscriptions.addresses import keyed_hash
from subscriptions.clock import database_now, monotonic
from subscriptions.db_retry import retry_on_db_error
from subscriptions.mail.mail_backend import MailBackend
from subscriptions.mail.outcomes import Outcome
from subscriptions.models import Frequency

CHUNK = 200
MOST_EXPIRED = 5000  # letters that expire in one sweep
# How long a letter may wait for evidence before it is marked uncertain. Events come within minutes as a rule,
# and after this the reader's next letter brings the papers (reliability: AMBIGUOUS at most 6 h).
LONGEST_DOUBT = timedelta(hours=6)
REPEAT_AFTER = timedelta(seconds=60)  # since the answer was lost
DOUBTFUL = (Delivery.State.CLAIMED, Delivery.State.AMBIGUOUS)


def recover(now: datetime) -> Counter[str]:
    """End the attempts whose lease is over; returns how many by event. Safe to run in many places at once."""
    failpoint("recover.begun")
    counts: Counter[str] = Counter()
    at = database_now()
    # A lease that ends later than any can was given before the clock was set back: it is over, too.
    over = Q(lease_until__lt=at) | Q(lease_until__gt=at + 2 * claim.LEASE)
    for state in (Attempt.State.OPEN, Attempt.State.SENDING):
        for attempt in Attempt.objects.filter(over, state=state).order_by("lease_until")[:CHUNK]:
            counts[_expire_lease(attempt, now)] += 1
    return counts


@retry_on_db_error
def _expire_lease(attempt: Attempt, now: datetime) -> str:
    """Unclaim the letters of an attempt that had no intent yet, else mark it and them ambiguous."""
    event = delivery_states.event_of_lost_lease(attempt.state == Attempt.State.SENDING)
    letters = Delivery.objects.filter(attempt=attempt, state=Delivery.State.CLAIMED)
    with transaction.atomic():
        if event is Event.UNCLAIM:
            ours = _attempt(attempt, Attempt.State.OPEN)
            changed = ledger.move_attempts(ours, Attempt.State.CLOSED, outcome="abandoned", closed_at=now)
            if changed:
                ledger.move(letters, event, now)
        else:
            ours = _attempt(attempt, Attempt.State.SENDING)
            changed = ledger.move_attempts(
                ours,
                Attempt.State.AMBIGUOUS,
                ambiguous_at=database_now(),
                outcome="worker lost",
            )
            if changed:
                ledger.move(letters, event, now, reason="worker lost")
        failpoint("recover.marked")
    if not changed:
        return "settled meanwhile"
    return event.value


def _attempt(attempt: Attempt, state: Attempt.State) -> QuerySet[Attempt]:
    """The attempt, if it still is in `state`."""
    return Attempt.objects.filter(pk=attempt.pk, state=state)


# -- the same bytes under the same key ----------------------------------------------------------


def repeat(now: datetime, channel: str, backend: MailBackend, end: float | None = None) -> Counter[str]:
    """Offer ambiguous letters of an idempotent channel again, while the provider still knows their key.

    One attempt after the other, at the channel's rate, until `end` (of `clock.monotonic()`) or an unclear answer.
    """
    counts: Counter[str] = Counter()
    traits = channel_traits.of(channel)
    if traits.kind is not Kind.IDEMPOTENT:
        return counts
    at = database_now()
    young = Attempt.objects.filter(
        channel=channel,
        state=Attempt.State.AMBIGUOUS,
        intent_at__gt=at - traits.key_life,
        ambiguous_at__lte=at - REPEAT_AFTER,
    )
    for attempt in young.order_by("intent_at")[:CHUNK]:
        is_over = end is not None and monotonic() >= end
        if is_over or not throttle.take(channel, 1):
            break
        outcomes = _repeat(attempt, now, backend)
        counts += outcomes
        if outcomes[Outcome.UNCLEAR] or outcomes[Outcome.BLOCKED]:
            break
    return counts


def _repeat(attempt: Attempt, now: datetime, backend: MailBackend) -> Counter[str]:
    """Repeat one attempt under a new lease, which ends no later than the provider forgets the key."""
    failpoint("repeat.begun")
    at = database_now()
    intent_at = attempt.intent_at or at
    key_left = intent_at + channel_traits.of(attempt.channel).key_life - at
    until = monotonic() + min(claim.LEASE, key_left).total_seconds()
    lease = at + claim.LEASE
    doubted = _attempt(attempt, Attempt.State.AMBIGUOUS)
    if not ledger.move_attempts(doubted, Attempt.State.SENDING, lease_until=lease):
        return Counter()
    attempt.lease_until = lease
    _drop_departed(attempt, now)
    going = []
    for one in FrozenCopy.objects.filter(attempt=attempt).select_related("delivery__subscriber").order_by("pk"):
        if one.delivery.state in DOUBTFUL:
            going.append((one.delivery, settle.read_frozen(one)))
    may_begin = send.LeaseCheck(until, holds.HoldWatch(attempt.channel, now))
    offered = send.offer(attempt, going, may_begin, backend)
    results = [(row, settle.still_unclear(receipt)) for row, receipt in offered]
    if not settle.settle(attempt, results, now):
        settle.late_answers(attempt, results, now)
    return Counter(receipt.outcome.value for _, receipt in results)


def _drop_departed(attempt: Attempt, now: datetime) -> None:
    """Mark uncertain the letters of readers who left or took another address: they are not offered again."""
    rows = list(Delivery.objects.filter(attempt=attempt, state__in=DOUBTFUL).select_related("subscriber"))
    left = claim.reasons_against([row.subscriber for row in rows])
    moved = [row.subscriber_id for row in rows if row.address_hmac != keyed_hash(row.subscriber.email_key)]
    for reason, readers in ((reasons.LEFT_MEANWHILE, list(left)), (reasons.MOVED_MEANWHILE, moved)):
        FrozenCopy.objects.filter(attempt=attempt, delivery__subscriber__in=readers).delete()
        theirs = Delivery.objects.filter(attempt=attempt, subscriber__in=readers)
        ledger.move(theirs, Event.NO_ANSWER, now)
        ledger.move(theirs, Event.MARK_UNCERTAIN, now, reason=reason)


# -- when the time is over ----------------------------------------------------------------------


def mark_uncertain(now: datetime) -> int:
    """Mark the letters uncertain for which no evidence will come in time; returns how many."""
    count = 0
    for attempt in Attempt.objects.filter(state=Attempt.State.AMBIGUOUS).order_by("pk")[:CHUNK]:
        if not _is_over(attempt):
            continue
        with transaction.atomic():
            ours = _attempt(attempt, Attempt.State.AMBIGUOUS)
            if not ledger.move_attempts(ours, Attempt.State.CLOSED, closed_at=now):
                continue
            FrozenCopy.objects.filter(attempt=attempt).delete()
            rows = Delivery.objects.filter(attempt=attempt)
            ledger.move(rows, Event.NO_ANSWER, now)
            count += ledger.move(rows, Event.MARK_UNCERTAIN, now)
    return count


def _is_over(attempt: Attempt) -> bool:
    """Whether the attempt waited for evidence as long as its channel allows."""
    traits = channel_traits.of(attempt.channel)
    if attempt.ambiguous_at is None or traits.kind is Kind.BLIND:
        return True
    since = attempt.ambiguous_at
    if traits.kind is Kind.IDEMPOTENT and attempt.intent_at:
        since = attempt.intent_at + min(traits.key_life, timedelta(days=1))
    return database_now() > since + LONGEST_DOUBT


def expire(now: datetime) -> int:
    """Expire the letters that could not go in time: their papers come with the next one. Returns how many."""
    waiting = Delivery.objects.filter(state=Delivery.State.PENDING)
    is_weekly = Q(subscriber__frequency=Frequency.WEEKLY)
    count = 0
    for rows in (
        waiting.filter(is_weekly, due_at__lt=now - LATE_LIMIT_WEEKLY),
        waiting.filter(~is_weekly, due_at__lt=now - LATE_LIMIT),
    ):
        ids = list(rows.values_list("pk", flat=True)[:MOST_EXPIRED])
        count += ledger.move(Delivery.objects.filter(pk__in=ids), Event.EXPIRE, now, reason=reasons.TOO_LATE)
    return count


def retry(delivery: Delivery, now: datetime) -> bool:
    """Let an operator send a dead letter again; False if its papers have gone with a later one."""
    rows = Delivery.objects.filter(pk=delivery.pk, carried_by=None)
    return bool(ledger.move(rows, Event.RETRY, now, tries=0, next_at=now, due_at=now, reason=""))


def in_doubt() -> QuerySet[Delivery]:
    """Ambiguous and uncertain letters whose papers no later letter brings: what every page and command counts."""
    states = [Delivery.State.AMBIGUOUS, Delivery.State.UNCERTAIN]
    return Delivery.objects.filter(state__in=states, carried_by=None)


def backlog() -> QuerySet[Delivery]:
    """The letters in doubt with their readers, the newest first."""
    return in_doubt().select_related("subscriber", "edition").order_by(F("due_at").desc())
