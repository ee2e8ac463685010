"""What an operator does about letters and addresses: settle a doubt, revive, hold and resume, suppress and lift."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.http import HttpRequest

from digest.delivery import channels, holds, machine, resolve
from digest.delivery.machine import Event
from digest.desk import log
from digest.desk.curating import CuratingError
from digest.models import Delivery, ProviderEvent
from subscriptions import addresses, services
from subscriptions.models import Subscriber, Suppression

# Bounces and a curator's own word may be taken back; a person's own word may not.
LIFTABLE = (Suppression.Reason.HARD_BOUNCE, Suppression.Reason.CURATOR)


def arrived(request: HttpRequest, delivery: Delivery, now: datetime) -> None:
    """The operator has seen at the provider that this letter was taken: evidence like any other, kept as such."""
    target = machine.DELIVERY[machine.after(machine.State.UNCERTAIN, Event.PROVE_SENT)]
    with transaction.atomic():
        doubt = Delivery.objects.filter(pk=delivery.pk, state=Delivery.State.UNCERTAIN)
        if not doubt.update(state=target, settled_at=now, reason=""):
            raise CuratingError("This letter is not in doubt any more.")
        ProviderEvent.objects.create(
            event_key=f"operator:{delivery.uuid}",
            channel=delivery.attempt.channel if delivery.attempt else channels.current(),
            type="sent",
            occurred_at=now,
            received_at=now,
            applied_at=now,
            delivery=delivery,
            address_hmac=delivery.address_hmac,
            detail="settled at the desk",
        )
        log.record(request, "settle", f"letter {delivery.uuid}", now, {"state": "uncertain"}, {"state": target})


def revive(request: HttpRequest, delivery: Delivery, now: datetime) -> None:
    """A letter that was given up is tried again, unless its papers went with a later one."""
    with transaction.atomic():
        if not resolve.revive(delivery, now):
            raise CuratingError("It cannot be sent again: it is not given up, or its papers went with a later letter.")
        log.record(request, "revive", f"letter {delivery.uuid}", now, {"state": "dead"}, {"state": "pending"})


def hold(request: HttpRequest, reason: str, now: datetime) -> None:
    """Stop sending before the next letter."""
    if not reason.strip():
        raise CuratingError("Say why, so that whoever comes next knows.")
    name = channels.current()
    with transaction.atomic():
        if not holds.hold(name, holds.OPERATOR, reason.strip(), now):
            raise CuratingError("Sending is held already.")
        log.record(request, "hold sending", f"channel {name}", now, {}, {"reason": reason.strip()})


def resume(request: HttpRequest, now: datetime) -> None:
    name = channels.current()
    with transaction.atomic():
        why = holds.channel(name).held_reason
        if not holds.resume(name, now):
            raise CuratingError("Sending is not held.")
        log.record(request, "resume sending", f"channel {name}", now, {"reason": why}, {})


def look_up(email: str) -> tuple[addresses.Address, Suppression | None]:
    """Whether this address may be written to. Raises AddressError."""
    address = addresses.read(email)
    return address, Suppression.objects.filter(address_hmac=addresses.keyed_hash(address.key)).first()


def suppress(request: HttpRequest, email: str, detail: str, now: datetime) -> None:
    address, known = look_up(email)
    if known is not None:
        raise CuratingError("Nobody may write to this address already.")
    with transaction.atomic():
        services.suppress(email, Suppression.Reason.CURATOR, now, detail)
        log.record(request, "suppress", f"address {addresses.masked(address.typed)}", now, {}, {"detail": detail})


def lift(request: HttpRequest, email: str, now: datetime) -> None:
    """Take a suppression back. The reader is asked to confirm anew before any letter goes."""
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
        for row in Subscriber.objects.filter(email_key=address.key, state=Subscriber.State.PENDING):
            services.ask_to_confirm(row, now)
        before = {"reason": known.reason, "since": known.since.isoformat()}
        log.record(request, "lift", f"address {addresses.masked(address.typed)}", now, before, {})
