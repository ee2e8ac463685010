"""What an operator does about letters and addresses: settle a doubt, revive, hold and resume, suppress and lift."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from digest.delivery import blockers, carry_over, ledger, resolve
from digest.delivery.channels import circuit_breaker, evidence, holds, traits
from digest.delivery.states import Event
from digest.desk import audit_log
from digest.desk.actor import Actor
from digest.desk.acts import reader_acts
from digest.desk.acts.paper_acts import CuratingError
from digest.models import Delivery, ProviderEvent
from subscriptions import addresses, services
from subscriptions.clock import monotonic
from subscriptions.models import Subscriber, Suppression

PATIENCE = 20.0  # seconds that one request may apply reports
# Bounces and a curator's own word may be taken back; a person's own word may not.
MAY_GO_ON = frozenset({holds.OPERATOR, holds.BREAKER})  # holds that a button ends; a restored ledger wants a command
LIFTABLE = (Suppression.Reason.HARD_BOUNCE, Suppression.Reason.CURATOR)


def all_arrived(actor: Actor, deliveries: Sequence[Delivery], now: datetime) -> str:
    """Those of them that are in doubt still; says how many."""
    doubtful = [one for one in deliveries if one.state == Delivery.State.UNCERTAIN]
    if not doubtful:
        raise CuratingError("Tick letters that arrived first: none of these is in doubt any more.")
    with transaction.atomic():
        for one in doubtful:
            arrived(actor, one, now)
    if len(doubtful) == 1:
        return "Settled: it arrived."
    return f"Settled: {len(doubtful)} letters arrived."


def arrived(actor: Actor, delivery: Delivery, now: datetime) -> None:
    """The operator has seen at the provider that this letter was taken: evidence like any other, kept as such."""
    with transaction.atomic():
        doubt = Delivery.objects.filter(pk=delivery.pk, state=Delivery.State.UNCERTAIN)
        if not ledger.move(doubt, Event.PROVE_SENT, now, reason=""):
            raise CuratingError("This letter is not in doubt any more.")
        carry_over.take_back(delivery, now)
        ProviderEvent.objects.create(
            event_key=f"operator:{delivery.uuid}",
            channel=delivery.attempt.channel if delivery.attempt else traits.current(),
            type="sent",
            occurred_at=now,
            received_at=now,
            applied_at=now,
            delivery=delivery,
            address_hmac=delivery.address_hmac,
            detail="settled at the desk",
        )
        audit_log.record(actor, "settle", f"letter {delivery.uuid}", now, {"state": "uncertain"}, {"state": "accepted"})


def revive(actor: Actor, delivery: Delivery, now: datetime) -> None:
    """A letter that was given up is tried again, unless its papers went with a later one."""
    with transaction.atomic():
        if not resolve.retry(delivery, now):
            raise CuratingError("It cannot be sent again: it is not given up, or its papers went with a later letter.")
        audit_log.record(actor, "revive", f"letter {delivery.uuid}", now, {"state": "dead"}, {"state": "pending"})


def hold(actor: Actor, reason: str, now: datetime) -> None:
    """Stop sending before the next letter."""
    if not reason.strip():
        raise CuratingError("Say why, so that whoever comes next knows.")
    name = traits.current()
    with transaction.atomic():
        if not holds.hold(name, holds.OPERATOR, reason.strip(), now):
            raise CuratingError("Sending is held already.")
        audit_log.record(actor, "hold sending", f"channel {name}", now, {}, {"reason": reason.strip()})


def resume(actor: Actor, name: str, word: str, now: datetime) -> None:
    """Let a channel go on. Where reports wait, `word` says what becomes of them: `apply` or `drop`."""
    held = holds.channel(name)
    if held.held_by == holds.RESTORE:
        raise CuratingError(f"{held.held_reason} {blockers.way_out(held)}")
    why = held.held_reason
    reports = 0
    if word == "apply":
        reports = evidence.apply_kept(name, now, monotonic() + PATIENCE)
    elif word == "drop":
        reports = circuit_breaker.drop(name, now)
    if circuit_breaker.waiting(name):
        raise CuratingError("Reports that end readers’ letters wait: say whether they are real, until none is left.")
    with transaction.atomic():
        if not holds.resume(name, now):
            raise CuratingError("Sending is not held.")
        after = {f"reports {word}": reports} if reports else {}
        audit_log.record(actor, "resume sending", f"channel {name}", now, {"reason": why}, after)


def look_up(email: str) -> tuple[addresses.Address, Suppression | None]:
    """Whether this address may be written to. Raises AddressError."""
    address = addresses.read(email)
    return address, Suppression.objects.filter(address_hmac__in=addresses.hashes(address)).first()


def suppress(actor: Actor, email: str, detail: str, now: datetime) -> None:
    address, known = look_up(email)
    if known is not None:
        raise CuratingError("Nobody may write to this address already.")
    with transaction.atomic():
        services.suppress(email, Suppression.Reason.CURATOR, now, detail)
        audit_log.record(actor, "suppress", f"address {addresses.masked(address.typed)}", now, {}, {"detail": detail})


def lift(actor: Actor, email: str, now: datetime) -> str:
    """Take a suppression back; says what comes of it. No letter goes before the reader has confirmed anew."""
    address, known = look_up(email)
    if known is None:
        raise CuratingError("This address may be written to.")
    if known.reason not in LIFTABLE:
        raise CuratingError(
            "This person asked not to be written to, or reported a letter as spam. Only they can take that back, "
            "by signing up from an address of their own."
        )
    with transaction.atomic():
        known.delete()
        reader = Subscriber.objects.filter(email_key=address.key, state=Subscriber.State.SUPPRESSED)
        reader.update(state=Subscriber.State.PENDING, ended_at=None)
        waiting = Subscriber.objects.filter(email_key=address.key, state=Subscriber.State.PENDING).first()
        is_asked = waiting is not None and services.ask_to_confirm(waiting, now)
        before = {"reason": known.reason, "since": known.since.isoformat()}
        audit_log.record(actor, "lift", f"address {addresses.masked(address.typed)}", now, before, {})
    if waiting is None:
        return "Lifted: this address may be written to."
    if is_asked:
        return "Lifted: they are asked to confirm anew."
    return f"Lifted, and not asked to confirm yet. {reader_acts.ASKED_ENOUGH}"
