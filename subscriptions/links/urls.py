"""Absolute addresses for letters, built from `PUBLIC_BASE_URL` only: never from a request's headers."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.urls import reverse

from subscriptions import addresses
from subscriptions.links import tokens
from subscriptions.models import Subscriber


def absolute(name: str, *args: Any) -> str:
    return f"{settings.PUBLIC_BASE_URL}{reverse(name, args=args)}"


def confirm_url(subscriber: Subscriber) -> str:
    return absolute("confirm", _token("confirm", subscriber, subscriber.link_round))


def preferences_url(subscriber: Subscriber) -> str:
    """Reads and changes reading preferences; void once the reader asks for new links (`link_round`)."""
    return absolute("preferences_link", _token("preferences", subscriber, subscriber.link_round))


def unsubscribe_url(subscriber: Subscriber) -> str:
    """The page with one button, and the target of the one-click POST of RFC 8058."""
    return absolute("unsubscribe", tokens.make("unsubscribe", leaving(subscriber)))


def account_url(subscriber: Subscriber) -> str:
    """Address, export and erasure: works once, for ten minutes."""
    return absolute("account_link", _token("account", subscriber, subscriber.account_round))


def address_url(subscriber: Subscriber) -> str:
    """Goes to the new address of a reader who changes it."""
    return absolute("address", _token("address", subscriber, address_mark(subscriber)))


def block_url(subscriber: Subscriber) -> str:
    """For whoever never asked: “never write to this address”; void once the reader has another address."""
    return absolute("block", _token("block", subscriber, subscriber.link_round))


def return_url(subscriber: Subscriber) -> str:
    """Back again, for thirty days after leaving."""
    return absolute("return", _token("return", subscriber, departure_mark(subscriber)))


def address_mark(subscriber: Subscriber) -> str:
    """Binds a link to one wished-for address without naming it."""
    return addresses.keyed_hash(subscriber.new_email)[:16]


def departure_mark(subscriber: Subscriber) -> str:
    """Binds a link to one departure: a later one, or new links, make it void."""
    left_at = int(subscriber.ended_at.timestamp()) if subscriber.ended_at else 0
    return f"{left_at}-{subscriber.link_round}" if subscriber.link_round else f"{left_at}"


def subject(subscriber: Subscriber, mark: object = "") -> str:
    """What a token says: the reader's id, and (for some) the round it belongs to."""
    return f"{subscriber.uuid.hex}:{mark}" if mark != "" else subscriber.uuid.hex


def leaving(subscriber: Subscriber) -> str:
    """What a token for leaving says: it leaves for ever, and does more only until the reader asks for new links."""
    return subject(subscriber, subscriber.link_round or "")


def of_round(identity: UUID, subscriber: Subscriber) -> str:
    """What a letter's token says: the id of the letter (or its reader), void once the reader asks for new links."""
    return f"{identity.hex}:{subscriber.link_round}"


def owner(subject: str) -> tuple[UUID, str]:
    """The id of the reader (or of the letter) and the round out of a token's subject."""
    identity, _, mark = subject.partition(":")
    return UUID(hex=identity), mark


def is_current(subscriber: Subscriber, mark: str) -> bool:
    """Whether a link of that round still opens. One without a round was made in the first."""
    return (mark or "0") == str(subscriber.link_round)


def _token(purpose: str, subscriber: Subscriber, mark: object = "") -> str:
    return tokens.make(purpose, subject(subscriber, mark))
