"""Writes the intent to send letters and the answers to them. Each is one compare-and-set in one transaction."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from hashlib import sha256

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
MOST_MESSAGE_REJECTIONS = 3  # refusals of the letter itself
THROTTLED = frozenset({421, 429, 450, 451, 454})  # "not now": costs no try

Result = tuple[Delivery, Receipt]
Going = tuple[Delivery, Letter]


# -- before the first byte ----------------------------------------------------------------------


@retry_on_db_error
def intend(claimed: claim.Claimed, letters: Sequence[Letter], now: datetime) -> list[Going]:
    """Commit the intent to send these letters; returns those that may go (none if the lease was lost).

    Letters of readers who left since the claim are skipped. Letters of readers who changed the address or the links
    are unclaimed, to be written anew. On idempotent channels a frozen copy of each letter is stored, so that a repeat
    under the same key has the same bytes.
    """
    attempt = claimed.attempt
    with transaction.atomic():
        readers = list(Subscriber.objects.filter(pk__in=[row.subscriber_id for row in claimed.deliveries]))
        unwanted = claim.reasons_against(readers)
        failpoint("intend.checked")
        ours = Attempt.objects.filter(pk=attempt.pk, state=Attempt.State.OPEN)
        if not ledger.move_attempts(ours, Attempt.State.SENDING, intent_at=database_now()):
            return []
        failpoint("intend.marked")
        _unclaim_outdated(claimed, readers, unwanted, now)
        going = _skip_unwanted(claimed, letters, unwanted, now)
        if traits.of(attempt.channel).kind is Kind.IDEMPOTENT:
            _freeze(attempt, going)
        failpoint("intend.frozen")
        if not going:
            ledger.move_attempts(
                Attempt.objects.filter(pk=attempt.pk),
                Attempt.State.CLOSED,
                outcome="nobody left",
                closed_at=now,
            )
    failpoint("intend.committed")
    return going


def _unclaim_outdated(
    claimed: claim.Claimed, readers: Sequence[Subscriber], unwanted: dict[int, str], now: datetime
) -> None:
    """Give back the letters whose reader has another address or other links than those the letter was written for."""
    current = {one.pk: one for one in readers}
    outdated = []
    for row in claimed.deliveries:
        written_for = row.subscriber
        reader = current[row.subscriber_id]
        is_current = reader.email == written_for.email and reader.link_round == written_for.link_round
        if row.subscriber_id not in unwanted and not is_current:
            outdated.append(row.pk)
    ledger.move(_held(claimed.attempt, outdated), Event.UNCLAIM, now)


def _skip_unwanted(
    claimed: claim.Claimed, letters: Sequence[Letter], unwanted: dict[int, str], now: datetime
) -> list[Going]:
    """The letters that this attempt still holds and that may go; those of readers who left are skipped here.

    Late evidence may have settled a letter since the claim; it is not sent a second time.
    """
    going = []
    held = _held(claimed.attempt, [row.pk for row in claimed.deliveries])
    ours = set(held.values_list("pk", flat=True))
    for row, letter in zip(claimed.deliveries, letters, strict=True):
        if row.pk not in ours:
            continue
        reason = unwanted.get(row.subscriber_id)
        if reason is None:
            going.append((row, letter))
        else:
            ledger.move(_held(claimed.attempt, [row.pk]), Event.SKIP, now, reason=reason)
    return going


def _held(attempt: Attempt, ids: Sequence[int]) -> QuerySet[Delivery]:
    """Those of the letters that are still claimed by this attempt."""
    return Delivery.objects.filter(pk__in=ids, attempt=attempt, state=Delivery.State.CLAIMED)


def _freeze(attempt: Attempt, going: Sequence[Going]) -> None:
    """Store the frozen copy of each letter: JSON in the letter's own order, compressed with zlib."""
    rows = []
    for delivery, letter in going:
        values = asdict(letter)
        values["raw"] = letter.raw.decode("latin-1")  # every byte is one character
        body = json.dumps(values).encode()
        rows.append(
            FrozenCopy(
                delivery=delivery,
                attempt=attempt,
                body=zlib.compress(body, 1),
                sha256=sha256(body).hexdigest(),
            )
        )
    FrozenCopy.objects.filter(delivery__in=[delivery for delivery, _ in going]).delete()
    FrozenCopy.objects.bulk_create(rows)


def read_frozen(row: FrozenCopy) -> Letter:
    """The letter exactly as it was first offered."""
    values = json.loads(zlib.decompress(row.body))
    values["tags"] = tuple(values["tags"])
    values["raw"] = values.get("raw", "").encode("latin-1")
    return Letter(**values)


@retry_on_db_error
def give_back(claimed: claim.Claimed, now: datetime) -> None:
    """Unclaim the letters of an attempt that was not begun."""
    with transaction.atomic():
        ours = Attempt.objects.filter(pk=claimed.attempt.pk, state=Attempt.State.OPEN)
        if ledger.move_attempts(ours, Attempt.State.CLOSED, outcome="abandoned", closed_at=now):
            ledger.move(Delivery.objects.filter(attempt=claimed.attempt), Event.UNCLAIM, now)


# -- after the answer ---------------------------------------------------------------------------


@retry_on_db_error
def settle(attempt: Attempt, results: Sequence[Result], now: datetime) -> bool:
    """Write the answers; False if another process has settled the attempt, and nothing was written.

    An attempt with an unclear letter stays AMBIGUOUS until evidence comes or its time is over.
    """
    failpoint("settle.begun")
    with transaction.atomic():
        if not _settle_attempt(attempt, results, now):
            return False
        failpoint("settle.attempt_closed")
        accepted = [row.pk for row, receipt in results if receipt.outcome is Outcome.ACCEPTED]
        ledger.move(_unsettled(attempt, accepted), Event.ACCEPT, now, reason="")
        for delivery, receipt in results:
            if receipt.outcome is not Outcome.ACCEPTED:
                _settle_letter(attempt, delivery, receipt, now)
        failpoint("settle.deliveries_written")
    failpoint("settle.committed")
    return True


def _settle_attempt(attempt: Attempt, results: Sequence[Result], now: datetime) -> bool:
    """Close the attempt, or mark it ambiguous where an answer is unclear and evidence may come.

    The attempt keeps the first answer that is not "accepted", for people who look at it.
    """
    told = next((receipt for _, receipt in results if receipt.outcome is not Outcome.ACCEPTED), None)
    if told is None:
        told = results[0][1] if results else Receipt(Outcome.ACCEPTED)
    values = ledger.AttemptColumns(
        provider_ids={str(row.pk): receipt.provider_id for row, receipt in results if receipt.provider_id},
        outcome=told.outcome.value,
        detail=told.detail[:300],
        http_status=told.status,
    )
    # Whoever took the attempt over has set a new lease (`states.may_settle`).
    unsettled = Attempt.objects.filter(
        pk=attempt.pk,
        state__in=delivery_states.SETTLEABLE,
        lease_until=attempt.lease_until,
    )
    frozen = FrozenCopy.objects.filter(attempt=attempt)
    definite = [row.pk for row, receipt in results if receipt.definite]
    if len(definite) == len(results) or traits.of(attempt.channel).kind is Kind.BLIND:
        values["closed_at"] = now
        moved = ledger.move_attempts(unsettled, Attempt.State.CLOSED, **values)
    else:
        values["ambiguous_at"] = database_now()
        moved = ledger.move_attempts(unsettled, Attempt.State.AMBIGUOUS, **values)
        frozen = frozen.filter(delivery__in=definite)
    if moved:
        frozen.delete()
    return bool(moved)


@retry_on_db_error
def late_answers(attempt: Attempt, results: Sequence[Result], now: datetime) -> None:
    """Write the answers of an attempt that was settled before they came: only "accepted" still counts."""
    for delivery, receipt in results:
        if receipt.outcome is Outcome.ACCEPTED:
            mark_proven_sent(delivery, now)


def mark_proven_sent(delivery: Delivery, now: datetime) -> bool:
    """Write that the provider took the letter. True if that changed its state."""
    changed = ledger.move(Delivery.objects.filter(pk=delivery.pk), Event.PROVE_SENT, now, reason="")
    if changed:
        carry_over.take_back(delivery, now)
    return bool(changed)


@retry_on_db_error
def set_aside(delivery: Delivery, trouble: str, now: datetime) -> None:
    """Postpone a claimed letter that cannot be written; after `MOST_MESSAGE_REJECTIONS` times it is dead."""
    receipt = Receipt(Outcome.MESSAGE_REJECTED, detail=trouble)
    channel = traits.current()
    if delivery.attempt:
        channel = delivery.attempt.channel
    event = Event.UNCLAIM
    if _is_last_try(channel, delivery, receipt):
        event = Event.FAIL
    ours = Delivery.objects.filter(pk=delivery.pk, attempt=delivery.attempt, state=Delivery.State.CLAIMED)
    ledger.move(ours, event, now, **_columns(event, delivery, receipt, now))
    Attempt.objects.filter(pk=delivery.attempt_id or 0).update(detail=trouble[:300])


def _unsettled(attempt: Attempt, ids: Sequence[int]) -> QuerySet[Delivery]:
    states = [Delivery.State.CLAIMED, Delivery.State.AMBIGUOUS]
    return Delivery.objects.filter(pk__in=ids, attempt=attempt, state__in=states)


def _settle_letter(attempt: Attempt, delivery: Delivery, receipt: Receipt, now: datetime) -> None:
    """Write one answer that is not "accepted". On a blind channel an unclear letter is uncertain at once."""
    event = delivery_states.event_of(receipt.outcome)
    if event is Event.POSTPONE and _is_last_try(attempt.channel, delivery, receipt):
        event = Event.FAIL
    ours = _unsettled(attempt, [delivery.pk])
    ledger.move(ours, event, now, **_columns(event, delivery, receipt, now))
    if event is Event.NO_ANSWER and traits.of(attempt.channel).kind is Kind.BLIND:
        ledger.move(ours, Event.MARK_UNCERTAIN, now)
    if receipt.no_such_address:
        services.suppress(delivery.subscriber.email, Suppression.Reason.HARD_BOUNCE, now, receipt.detail)


def _columns(event: Event, delivery: Delivery, receipt: Receipt, now: datetime) -> ledger.LetterColumns:
    """The reason, and for a letter that was tried: how often, and when it is tried again."""
    columns = ledger.LetterColumns(reason=receipt.outcome.value)
    if delivery_states.target(event) in {State.PENDING, State.DEAD}:
        tries = delivery.tries
        if not costs_no_try(receipt):
            tries += 1
        columns["tries"] = tries
        columns["next_at"] = now + pause(tries, receipt)
    return columns


def _is_last_try(channel: str, delivery: Delivery, receipt: Receipt) -> bool:
    """Whether the letter has failed as often as allowed, while other letters of the channel went since it was due."""
    if costs_no_try(receipt):
        return False
    most = MOST_TRIES
    if receipt.outcome is Outcome.MESSAGE_REJECTED:
        most = MOST_MESSAGE_REJECTIONS
    if delivery.tries + 1 < most:
        return False
    return Channel.objects.filter(name=channel, accepted_at__gte=delivery.due_at).exists()


def costs_no_try(receipt: Receipt) -> bool:
    """Whether the answer says nothing about the letter: "not now", "the account is blocked" or "nobody answers"."""
    if receipt.outcome is Outcome.BLOCKED or receipt.retry_after is not None:
        return True
    if receipt.outcome is Outcome.LATER and receipt.status is None:
        return True
    return receipt.status in THROTTLED


def still_unclear(receipt: Receipt) -> Receipt:
    """The answer to a repeated letter; unclear unless it is "accepted" or a refusal of the recipient.

    Any other "no" is about the repeated request, while the first one may have been taken.
    """
    if receipt.outcome in {Outcome.ACCEPTED, Outcome.REFUSED, Outcome.UNCLEAR}:
        return receipt
    return replace(receipt, outcome=Outcome.UNCLEAR)


def asks_for_less(receipt: Receipt) -> bool:
    """Whether the provider asks the whole channel to slow down; 450 and 451 are about one mailbox (greylisting)."""
    return receipt.outcome is Outcome.LATER and receipt.status in {421, 429, 454}


def pause(tries: int, receipt: Receipt) -> timedelta:
    """The time until the next try: what the provider asked for, else a minute and doubling, at most an hour."""
    if receipt.retry_after is not None:
        return timedelta(seconds=min(receipt.retry_after, 3600.0))
    return timedelta(minutes=min(2 ** max(0, tries - 1), 60))
