"""What became of letters whose worker died or whose answer was lost: heal, repeat, give up, expire.

Death after the intent is a doubt, never "not sent". A doubt ends by the same letter under the same
key (idempotent channels), by evidence (see `evidence`), or by being named as uncertain.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

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
from subscriptions.mail.outcomes import Outcome
from subscriptions.models import Frequency

CHUNK = 200
# How long a doubt may wait for evidence before it is named; events come within minutes as a rule,
# and after this the reader's next letter brings the papers (reliability: AMBIGUOUS at most 6 h).
LONGEST_DOUBT = timedelta(hours=6)
REPEAT_AFTER = timedelta(seconds=60)  # a provider that just lost an answer gets a moment


def recover(now: datetime) -> Counter[str]:
    """Settle the attempts of workers that are gone. Safe to run in many places at once."""
    failpoint("heal.begun")
    counts: Counter[str] = Counter()
    at = database_now()
    # A lease that ends later than any can was given before the clock was set back: it is over, too.
    over = Q(lease_until__lt=at) | Q(lease_until__gt=at + 2 * claim.LEASE)
    for state in (Attempt.State.OPEN, Attempt.State.SENDING):
        for attempt in Attempt.objects.filter(over, state=state).order_by("lease_until")[:CHUNK]:
            counts[_bury(attempt, now)] += 1
    return counts


@retry_on_db_error
def _bury(attempt: Attempt, now: datetime) -> str:
    """One dead worker's attempt: nothing had left before the intent; after it, anything may have."""
    event = delivery_states.event_of_death(attempt.state == Attempt.State.SENDING)
    with transaction.atomic():
        if event is Event.ABANDON:
            ours = _attempt(attempt, Attempt.State.OPEN)
            changed = ledger.turn(ours, Attempt.State.CLOSED, outcome="abandoned", closed_at=now)
            if changed:
                ledger.move(Delivery.objects.filter(attempt=attempt), Event.ABANDON, now)
        else:
            changed = _doubt(attempt, now)
        failpoint("heal.marked")
    return event.value if changed else "settled meanwhile"


def _doubt(attempt: Attempt, now: datetime) -> int:
    ours = _attempt(attempt, Attempt.State.SENDING)
    changed = ledger.turn(ours, Attempt.State.AMBIGUOUS, ambiguous_at=database_now(), outcome="worker lost")
    if changed:
        claimed = Delivery.objects.filter(attempt=attempt, state=Delivery.State.CLAIMED)
        ledger.move(claimed, Event.LOSE, now, reason="worker lost")
    return changed


def _attempt(attempt: Attempt, state: Attempt.State) -> QuerySet[Attempt]:
    """The attempt, if it still is in `state`."""
    return Attempt.objects.filter(pk=attempt.pk, state=state)


# -- the same bytes under the same key ----------------------------------------------------------


def repeat(now: datetime, channel: str, postbox: Any, end: float | None = None) -> Counter[str]:
    """Offer again what is in doubt on an idempotent channel, while it still knows the key.

    One attempt after the other, at the channel's pace, until `end` (of `alive()`) or the first that is not clear.
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
        if (end is not None and monotonic() >= end) or not throttle.take(channel, 1):
            break
        outcomes = _repeat(attempt, now, postbox)
        counts += outcomes
        if outcomes[Outcome.UNCLEAR] or outcomes[Outcome.BLOCKED]:
            break
    return counts


def _repeat(attempt: Attempt, now: datetime, postbox: Any) -> Counter[str]:
    failpoint("replay.begun")
    at = database_now()
    left = channel_traits.of(attempt.channel).key_life - (at - (attempt.intent_at or at))
    until = (
        monotonic() + min(claim.LEASE, left).total_seconds()
    )  # the fence: nothing is begun under a key about to be forgotten
    lease = at + claim.LEASE
    doubted = _attempt(attempt, Attempt.State.AMBIGUOUS)
    if not ledger.turn(doubted, Attempt.State.SENDING, lease_until=lease):
        return Counter()
    attempt.lease_until = lease
    _let_go(attempt, now)
    rows = FrozenCopy.objects.filter(attempt=attempt).select_related("delivery__subscriber").order_by("pk")
    doubtful = [Delivery.State.CLAIMED, Delivery.State.AMBIGUOUS]
    going = [(one.delivery, settle.thaw(one)) for one in rows if one.delivery.state in doubtful]
    results = send.offer(attempt, going, until, postbox, holds.HoldWatch(attempt.channel, now))
    results = [(row, settle.still_unclear(receipt)) for row, receipt in results]
    if not settle.settle(attempt, results, now):
        settle.late_answers(attempt, results, now)
    return Counter(receipt.outcome.value for _, receipt in results)


def _let_go(attempt: Attempt, now: datetime) -> None:
    """Who has left or has another address since is not offered the letter again.

    Whether the first offer arrived, nobody will know.
    """
    doubtful = Delivery.objects.filter(attempt=attempt, state__in=[Delivery.State.AMBIGUOUS, Delivery.State.CLAIMED])
    rows = list(doubtful.select_related("subscriber"))
    left = claim.why_not([row.subscriber for row in rows])
    moved = [row.subscriber_id for row in rows if row.address_hmac != keyed_hash(row.subscriber.email_key)]
    for reason, readers in ((reasons.LEFT_MEANWHILE, list(left)), (reasons.MOVED_MEANWHILE, moved)):
        FrozenCopy.objects.filter(attempt=attempt, delivery__subscriber__in=readers).delete()
        theirs = Delivery.objects.filter(attempt=attempt, subscriber__in=readers)
        ledger.move(theirs, Event.LOSE, now)
        ledger.move(theirs, Event.GIVE_UP, now, reason=reason)


# -- the end of patience ------------------------------------------------------------------------


def expire_lease(now: datetime) -> int:
    """Name the doubts that nothing will settle in time; answers how many letters."""
    count = 0
    for attempt in Attempt.objects.filter(state=Attempt.State.AMBIGUOUS).order_by("pk")[:CHUNK]:
        if _is_hopeless(attempt):
            with transaction.atomic():
                if ledger.turn(_attempt(attempt, Attempt.State.AMBIGUOUS), Attempt.State.CLOSED, closed_at=now):
                    count += _name(attempt, now)
    return count


def _is_hopeless(attempt: Attempt) -> bool:
    traits = channel_traits.of(attempt.channel)
    if attempt.ambiguous_at is None or traits.kind is Kind.BLIND:
        return True
    patience = LONGEST_DOUBT
    if traits.kind is Kind.IDEMPOTENT and attempt.intent_at:
        return database_now() > attempt.intent_at + min(traits.key_life, timedelta(days=1)) + patience
    return database_now() > attempt.ambiguous_at + patience


def _name(attempt: Attempt, now: datetime) -> int:
    FrozenCopy.objects.filter(attempt=attempt).delete()
    rows = Delivery.objects.filter(attempt=attempt)
    ledger.move(rows, Event.LOSE, now)
    return ledger.move(rows, Event.GIVE_UP, now)


def expire(now: datetime) -> int:
    """Letters that could not go in time do not go any more: their papers come with the next one."""
    waiting = Delivery.objects.filter(state=Delivery.State.PENDING)
    weekly = waiting.filter(subscriber__frequency=Frequency.WEEKLY, due_at__lt=now - LATE_LIMIT_WEEKLY)
    others = waiting.exclude(subscriber__frequency=Frequency.WEEKLY).filter(due_at__lt=now - LATE_LIMIT)
    return sum(_expire(rows, now) for rows in (weekly, others))


def _expire(rows: QuerySet[Delivery], now: datetime) -> int:
    ids = list(rows.values_list("pk", flat=True)[:5000])
    return ledger.move(Delivery.objects.filter(pk__in=ids), Event.EXPIRE, now, reason=reasons.TOO_LATE)


def revive(delivery: Delivery, now: datetime) -> bool:
    """An operator sends a shunted letter again, unless its papers have gone with a later one."""
    rows = Delivery.objects.filter(pk=delivery.pk, carried_by=None)
    return bool(ledger.move(rows, Event.REVIVE, now, tries=0, next_at=now, due_at=now, reason=""))


def in_doubt() -> QuerySet[Delivery]:
    """Letters in doubt or named as uncertain that no later letter has made good: what every page and command counts."""
    states = [Delivery.State.AMBIGUOUS, Delivery.State.UNCERTAIN]
    return Delivery.objects.filter(state__in=states, carried_by=None)


def backlog() -> QuerySet[Delivery]:
    """The letters in doubt by name, the newest first."""
    return in_doubt().select_related("subscriber", "edition").order_by(F("due_at").desc())
