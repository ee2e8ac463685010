"""A reader's data as a whole: given out, moved to another address, or erased."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from subscriptions import addresses, signals
from subscriptions.limits import limiter
from subscriptions.mail import notices
from subscriptions.models import Notice, SignupRequest, Subscriber, Suppression
from subscriptions.wants import interests
from subscriptions.when import week

State = Subscriber.State
KEPT = (
    "frequency", "hour", "weekday", "zone", "papers_per_day", "text_only", "abstracts", "empty_day", "community_picks",
    "exploration", "likes_weight", "catch_up",
)  # fmt: skip
MOMENTS = ("created_at", "confirmed_at", "ended_at", "next_digest_at", "paused_until")


class AddressTakenError(ValueError):
    """Somebody reads at the new address already; told to nobody but the owner of that address."""


def export(subscriber: Subscriber) -> dict[str, Any]:
    """Everything kept about the reader, as plain JSON values; other rooms add theirs by `signals.exporting`."""
    document: dict[str, Any] = {
        "email": subscriber.email,
        "state": subscriber.state,
        "settings": {name: getattr(subscriber, name) for name in KEPT} | {"days": week.names(subscriber.days)},
        "moments": {name: _iso(getattr(subscriber, name)) for name in MOMENTS},
        "interests": [_interest(one) for one in interests.of(subscriber)],
        "descriptions": [{"text": one.text, "weight": one.weight} for one in subscriber.descriptions.all()],
        "liked_papers": [
            {"paper": one.identifier, "title": one.title, "liked": one.is_liked, "at": _iso(one.at)}
            for one in subscriber.liked_papers.all()
        ],
        "consents": [
            {"act": one.act, "at": _iso(one.at), "wording": one.wording, "network": one.network}
            for one in subscriber.consents.order_by("at", "id")
        ],
        "notices": [
            {
                "kind": one.kind,
                "state": one.state,
                "created_at": _iso(one.created_at),
                "settled_at": _iso(one.settled_at),
            }
            for one in subscriber.notices.order_by("created_at", "id")
        ],
    }
    signals.exporting.send(Subscriber, subscriber=subscriber, document=document)
    return document


def forget(subscriber: Subscriber, now: datetime) -> None:
    """Erase the reader: nothing stays but a row without a name, and the keyed hash that stops an import."""
    with transaction.atomic():
        row = Subscriber.objects.select_for_update().get(pk=subscriber.pk)
        if row.state == State.FORGOTTEN:
            return
        for email in filter(None, (row.email, row.new_email)):
            SignupRequest.objects.filter(email__iexact=email).delete()
        Suppression.objects.get_or_create(
            address_hmac=addresses.keyed_hash(row.email_key),
            defaults={"reason": Suppression.Reason.ERASED, "since": now},
        )
        signals.erased.send(Subscriber, subscriber=row, now=now)
        row.interests.all().delete()
        row.descriptions.all().delete()
        row.liked_papers.all().delete()
        row.notices.all().delete()
        row.consents.all().delete()
        _blank(row, now)
    subscriber.refresh_from_db()


def ask_new_address(subscriber: Subscriber, email: str, now: datetime) -> bool:
    """Mail a confirmation to the address the reader wants; False where the day's changes are used up.

    Raises `AddressError`. Whether somebody reads there already shows only when the link is used.
    """
    address = addresses.read(email)
    with transaction.atomic():
        row = Subscriber.objects.select_for_update().get(pk=subscriber.pk)
        if not limiter.take("change", row.uuid.hex, now) or not limiter.take_for_letter(address, now):
            return False
        row.new_email = address.typed
        row.save(update_fields=["new_email"])
        number = row.notices.filter(kind=Notice.Kind.ADDRESS).count()
        notices.queue(Notice.Kind.ADDRESS, row, now, f"address:{row.uuid.hex}:{number}")
    subscriber.refresh_from_db()
    return True


def take_new_address(subscriber: Subscriber, now: datetime) -> bool:
    """The new address has confirmed: use it from now on, and tell the old one. Raises `AddressTakenError`.

    Every link that went to the old address is void from here on, but the one for leaving.
    """
    with transaction.atomic():
        row = Subscriber.objects.select_for_update().get(pk=subscriber.pk)
        if not row.new_email or row.state == State.FORGOTTEN:
            return False
        address = addresses.read(row.new_email)
        if Subscriber.objects.filter(email_key=address.key).exclude(pk=row.pk).exists():
            raise AddressTakenError("this address reads here already")
        left_behind = row.email
        row.email, row.email_key, row.new_email = address.typed, address.key, ""
        row.link_round, row.account_round = row.link_round + 1, row.account_round + 1
        row.save(update_fields=["email", "email_key", "new_email", "link_round", "account_round"])
        row.consents.create(act="moved", at=now, wording="address-1")
        # A signup from the mailbox left behind is asked to confirm like any new one, on the same day too.
        limiter.forget("address", addresses.read(left_behind).budget)
        number = row.notices.filter(kind=Notice.Kind.MOVED).count()
        notices.queue(Notice.Kind.MOVED, row, now, f"moved:{row.uuid.hex}:{number}", to=left_behind)
    subscriber.refresh_from_db()
    return True


def use_link(subscriber: Subscriber, round_of_link: str) -> bool:
    """Let a fresh link in once: True for the first, False for every later one."""
    if not round_of_link.isdecimal() or len(round_of_link) > 9:
        return False
    number = int(round_of_link)
    rows = Subscriber.objects.filter(pk=subscriber.pk, account_round=number).exclude(state=State.FORGOTTEN)
    return bool(rows.update(account_round=number + 1))


def renew_links(subscriber: Subscriber) -> None:
    """Make every link in old letters void but the one for leaving (after forwarding one, say)."""
    Subscriber.objects.filter(pk=subscriber.pk).update(link_round=subscriber.link_round + 1)
    subscriber.refresh_from_db()


def _interest(one: Any) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "label": one.label,
        "topic": one.topic.slug if one.topic else "",
        "query": one.filter.text,
        "weight": one.weight,
        "muted": one.muted,
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _blank(row: Subscriber, now: datetime) -> None:
    kept = {"id", "uuid", "created_at", "link_round", "account_round", "cursor"}
    for field in Subscriber._meta.concrete_fields:
        if field.name not in kept:
            setattr(row, field.attname, field.get_default())
    row.email_key = f"forgotten:{row.uuid.hex}"
    row.state, row.ended_at = State.FORGOTTEN, now
    row.link_round, row.account_round = row.link_round + 1, row.account_round + 1
    row.save()
    row.consents.create(act="erased", at=now, wording="erase-1")
