"""Writing down what became of letters: always a compare-and-set on their attempt, always one transaction."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from digest.delivery import carry_over, claim, ledger
from digest.delivery import states as delivery_states
from digest.delivery.channels import traits
from digest.delivery.channels.traits import Kind
from digest.delivery.failpoints import failpoint
from digest.delivery.states import Event, State
from digest.models import Attempt, Channel, Delivery, FrozenCopy
from subscriptions import services
from subscriptions.clock import database_now
from subscriptions.db_retry import retry_on_db_error
from subscriptions.mail.outgoing import Letter, Outcome, Receipt
from subscriptions.models import Subscriber, Suppression

MOST_TRIES = 5  # definite failures, each with a longer pause
MOST_POISON = 3  # refusals of the letter itself
THROTTLED = frozenset({421, 429, 450, 451, 454})  # "not now": costs no try

Result = tuple[Delivery, Receipt]


# -- before the first byte ----------------------------------------------------------------------


@retry_on_db_error
def intend(claimed: claim.Claimed, letters: Sequence[Letter], now: datetime) -> list[tuple[Delivery, Letter]]:
    """Commit the intent to send these letters; answers those that may go (none if the lease was lost).

    Whoever left since the claim is dropped here; whoever changed the address or the links waits for a letter that is
    written anew. On idempotent channels the very letters are sealed, so that a repeat under the same key is the
    same to the last byte.
    """
    with transaction.atomic():
        readers = _fresh_subscribers(claimed.deliveries)
        unwanted = claim.why_not(readers)
        failpoint("intend.checked")
        if not _mark_sending(claimed):
            return []
        failpoint("intend.marked")
        wanted = [row for row in claimed.deliveries if row.subscriber_id not in unwanted]
        stale = _are_other_than_claimed(wanted, readers)
        ledger.move(_of(claimed.attempt, stale), Event.ABANDON, now)
        going = _drop(claimed, letters, unwanted, now)
        if traits.of(claimed.attempt.channel).kind is Kind.IDEMPOTENT:
            _seal(claimed.attempt, going)
        failpoint("intend.sealed")
        if not going:
            _close(claimed.attempt, now, "nobody left to send to")
    failpoint("intend.committed")
    return going


def _fresh_subscribers(deliveries: Sequence[Delivery]) -> list[Subscriber]:
    return list(Subscriber.objects.filter(pk__in=[row.subscriber_id for row in deliveries]))


def _are_other_than_claimed(deliveries: Sequence[Delivery], readers: Sequence[Subscriber]) -> list[int]:
    """Ids of the letters that were written for an address or for links which their reader has changed since."""
    now_at = {one.pk: (one.email, one.link_round) for one in readers}
    written_for = {row.pk: (row.subscriber.email, row.subscriber.link_round) for row in deliveries}
    return [row.pk for row in deliveries if now_at[row.subscriber_id] != written_for[row.pk]]


def _mark_sending(claimed: claim.Claimed) -> bool:
    ours = Attempt.objects.filter(pk=claimed.attempt.pk, state=Attempt.State.OPEN)
    return ledger.turn(ours, Attempt.State.SENDING, intent_at=database_now()) == 1


def _drop(
    claimed: claim.Claimed, letters: Sequence[Letter], unwanted: dict[int, str], now: datetime
) -> list[tuple[Delivery, Letter]]:
    """The letters of this attempt that may go; those of readers who left are skipped here."""
    going = []
    # Late evidence may have settled one since the claim: it is not sent a second time.
    ours = set(_of(claimed.attempt, [row.pk for row in claimed.deliveries]).values_list("pk", flat=True))
    for row, letter in zip(claimed.deliveries, letters, strict=True):
        if row.pk not in ours:
            continue
        if row.subscriber_id in unwanted:
            ledger.move(_of(claimed.attempt, [row.pk]), Event.SKIP, now, reason=unwanted[row.subscriber_id])
        else:
            going.append((row, letter))
    return going


def _of(attempt: Attempt, ids: Sequence[int]) -> QuerySet[Delivery]:
    """Those of the letters that this attempt still holds."""
    return Delivery.objects.filter(pk__in=ids, attempt=attempt, state=Delivery.State.CLAIMED)


def _seal(attempt: Attempt, going: Sequence[tuple[Delivery, Letter]]) -> None:
    rows = []
    for delivery, letter in going:
        values = asdict(letter) | {"raw": letter.raw.decode("latin-1")}  # any byte is one character
        body = json.dumps(values).encode()  # in its own order: a repeat is compared byte by byte
        rows.append(
            FrozenCopy(delivery=delivery, attempt=attempt, body=zlib.compress(body, 1), sha256=sha256(body).hexdigest())
        )
    FrozenCopy.objects.filter(delivery__in=[delivery for delivery, _ in going]).delete()
    FrozenCopy.objects.bulk_create(rows)


def thaw(row: FrozenCopy) -> Letter:
    """The letter exactly as it was first offered."""
    values = json.loads(zlib.decompress(row.body))
    raw = values.get("raw", "").encode("latin-1")
    return Letter(**{**values, "tags": tuple(values["tags"]), "raw": raw})


@retry_on_db_error
def give_back(claimed: claim.Claimed, now: datetime) -> None:
    """Nothing was begun: the letters wait again (`ABANDON`)."""
    with transaction.atomic():
        ours = Attempt.objects.filter(pk=claimed.attempt.pk, state=Attempt.State.OPEN)
        if ledger.turn(ours, Attempt.State.CLOSED, outcome="abandoned", closed_at=now):
            ledger.move(Delivery.objects.filter(attempt=claimed.attempt), Event.ABANDON, now)


# -- after the answer ---------------------------------------------------------------------------


@retry_on_db_error
def settle(attempt: Attempt, results: Sequence[Result], now: datetime) -> bool:
    """Write the answers; False if the attempt had been settled by someone else, and nothing was written.

    An attempt with an unclear letter stays open as AMBIGUOUS until evidence or the end of its time.
    """
    failpoint("settle.begun")
    with transaction.atomic():
        unclear = any(not receipt.definite for _, receipt in results)
        if not _close_or_doubt(attempt, results, unclear, now):
            return False
        failpoint("settle.attempt_closed")
        _write_accepted(attempt, results, now)
        for delivery, receipt in results:
            if receipt.outcome is not Outcome.ACCEPTED:
                _write(attempt, delivery, receipt, now)
        failpoint("settle.deliveries_written")
    failpoint("settle.committed")
    return True


def _close_or_doubt(attempt: Attempt, results: Sequence[Result], unclear: bool, now: datetime) -> bool:
    ids = {str(row.pk): receipt.provider_id for row, receipt in results if receipt.provider_id}
    values: dict[str, Any] = {"provider_ids": ids, **_summary(results)}
    stays_open = unclear and traits.of(attempt.channel).kind is not Kind.BLIND
    # The lease is the turn: whoever took the attempt over has set a new one (`machine.may_settle`).
    unsettled = Attempt.objects.filter(
        pk=attempt.pk, state__in=delivery_states.SETTLEABLE, lease_until=attempt.lease_until
    )
    if stays_open:
        turned = ledger.turn(unsettled, Attempt.State.AMBIGUOUS, ambiguous_at=database_now(), **values)
    else:
        turned = ledger.turn(unsettled, Attempt.State.CLOSED, closed_at=now, **values)
    if turned != 1:
        return False
    sealed = FrozenCopy.objects.filter(attempt=attempt)
    if stays_open:
        sealed = sealed.filter(delivery__in=[row.pk for row, receipt in results if receipt.definite])
    sealed.delete()
    return True


@retry_on_db_error
def late_answers(attempt: Attempt, results: Sequence[Result], now: datetime) -> None:
    """The attempt had been given up when its answers came: what was accepted is accepted (sticky)."""
    for delivery, receipt in results:
        if receipt.outcome is Outcome.ACCEPTED:
            mark_proven_sent(delivery, now)


def mark_proven_sent(delivery: Delivery, now: datetime) -> bool:
    """Evidence that the provider took it. True if that changed what the ledger says."""
    changed = ledger.move(Delivery.objects.filter(pk=delivery.pk), Event.PROVE_SENT, now, reason="")
    if changed:
        carry_over.take_back(delivery, now)
    return bool(changed)


@retry_on_db_error
def set_aside(delivery: Delivery, trouble: str, now: datetime) -> None:
    """A claimed letter that cannot be written: later again, and after a few times to the side."""
    poison = Receipt(Outcome.POISON, detail=trouble)
    channel = delivery.attempt.channel if delivery.attempt else traits.current()
    last = _is_last_try(delivery, poison) and _others_went(channel, delivery)
    event = Event.BURY if last else Event.ABANDON
    ours = Delivery.objects.filter(pk=delivery.pk, attempt=delivery.attempt, state=Delivery.State.CLAIMED)
    ledger.move(ours, event, now, **_columns(event, delivery, poison, now))
    Attempt.objects.filter(pk=delivery.attempt_id or 0).update(detail=trouble[:300])


def _summary(results: Sequence[Result]) -> dict[str, Any]:
    """The first trouble's words, for people who look at the attempt."""
    troubles = [receipt for _, receipt in results if receipt.outcome is not Outcome.ACCEPTED]
    one = troubles[0] if troubles else (results[0][1] if results else Receipt(Outcome.ACCEPTED))
    return {"outcome": one.outcome.value, "detail": one.detail[:300], "http_status": one.status}


def _write_accepted(attempt: Attempt, results: Sequence[Result], now: datetime) -> None:
    """The usual case, in one update."""
    ids = [row.pk for row, receipt in results if receipt.outcome is Outcome.ACCEPTED]
    ledger.move(_unsettled(attempt, ids), Event.ACCEPT, now, reason="")


def _unsettled(attempt: Attempt, ids: Sequence[int]) -> QuerySet[Delivery]:
    states = [Delivery.State.CLAIMED, Delivery.State.AMBIGUOUS]
    return Delivery.objects.filter(pk__in=ids, attempt=attempt, state__in=states)


def _write(attempt: Attempt, delivery: Delivery, receipt: Receipt, now: datetime) -> None:
    event = delivery_states.event_of(receipt.outcome)
    if event is Event.POSTPONE and _is_last_try(delivery, receipt) and _others_went(attempt.channel, delivery):
        event = Event.BURY
    ours = _unsettled(attempt, [delivery.pk])
    ledger.move(ours, event, now, **_columns(event, delivery, receipt, now))
    if event is Event.LOSE and traits.of(attempt.channel).kind is Kind.BLIND:
        ledger.move(ours, Event.GIVE_UP, now)  # no evidence will come
    if receipt.no_such_address:
        services.suppress(delivery.subscriber.email, Suppression.Reason.HARD_BOUNCE, now, receipt.detail)


def _columns(event: Event, delivery: Delivery, receipt: Receipt, now: datetime) -> dict[str, Any]:
    """What is written beside the state: the reason, and for a letter that was tried how often and when again."""
    columns: dict[str, Any] = {"reason": receipt.outcome.value}
    if delivery_states.target(event) in {State.PENDING, State.DEAD}:
        burnt = 0 if is_throttled(receipt) else 1
        columns["tries"] = delivery.tries + burnt
        columns["next_at"] = now + pause(columns["tries"], receipt)
    return columns


def _is_last_try(delivery: Delivery, receipt: Receipt) -> bool:
    if is_throttled(receipt):
        return False
    most = MOST_POISON if receipt.outcome is Outcome.POISON else MOST_TRIES
    return delivery.tries + 1 >= most


def _others_went(channel: str, delivery: Delivery) -> bool:
    """A letter is only given up while others get through: else the trouble is not the letter's."""
    row = Channel.objects.filter(name=channel).first()
    return bool(row and row.accepted_at and row.accepted_at >= delivery.due_at)


def is_throttled(receipt: Receipt) -> bool:
    """ "Not now", "this channel is closed" and "nobody answers" say nothing about the letter: they burn no try."""
    if receipt.outcome is Outcome.LATER and receipt.status is None:
        return True
    return receipt.outcome is Outcome.BLOCKED or receipt.retry_after is not None or receipt.status in THROTTLED


def still_unclear(receipt: Receipt) -> Receipt:
    """The answer to a repeated letter. A "no" about the request says nothing about the first one, which may
    have been taken: only "yes" and a refusal of the person end the doubt.
    """
    if receipt.outcome in {Outcome.ACCEPTED, Outcome.REFUSED, Outcome.UNCLEAR}:
        return receipt
    return replace(receipt, outcome=Outcome.UNCLEAR)


def asks_for_less(receipt: Receipt) -> bool:
    """Of the whole channel; 450 and 451 speak of one mailbox (greylisting)."""
    return receipt.outcome is Outcome.LATER and receipt.status in {421, 429, 454}


def pause(tries: int, receipt: Receipt) -> timedelta:
    """How long to wait: what the provider asked for, else a minute and doubling."""
    if receipt.retry_after is not None:
        return timedelta(seconds=min(receipt.retry_after, 3600.0))
    return timedelta(minutes=min(2 ** max(0, tries - 1), 60))


def _close(attempt: Attempt, now: datetime, outcome: str) -> None:
    ledger.turn(Attempt.objects.filter(pk=attempt.pk), Attempt.State.CLOSED, outcome=outcome[:20], closed_at=now)
