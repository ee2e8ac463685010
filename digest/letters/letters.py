"""Ledger rows in, letters out: what a delivery chose, in both voices and with every header."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from django.conf import settings
from django.utils.translation import gettext as _

from digest.letters import compose, headers, links, load
from digest.letters.cards import LEVELS, Level
from digest.letters.compose import LetterInput, ReaderLinks
from digest.letters.load import Facts
from digest.models import Delivery
from subscriptions.mail.outgoing import Letter
from subscriptions.models import Frequency, Subscriber
from subscriptions.when import week


def letters(deliveries: Sequence[Delivery], now: datetime) -> list[Letter]:
    """One letter a delivery, in the same order, with a fixed number of queries for all of them."""
    if not deliveries:
        return []
    facts = load.facts(deliveries)
    doorman = links.LinkMaker()
    return [_letter(delivery, facts, doorman, now) for delivery in deliveries]


def _letter(delivery: Delivery, facts: Facts, doorman: links.LinkMaker, now: datetime) -> Letter:
    reader = facts.readers[delivery.subscriber_id]
    return letter(delivery, reader, facts, doorman.own(delivery, reader), now)


def letter(delivery: Delivery, reader: Subscriber, facts: Facts, own: ReaderLinks, now: datetime) -> Letter:
    """One delivery's letter; `delivery` and `reader` may be unsaved (previews)."""
    composed = compose.compose(order(delivery, reader, facts, own))
    return Letter(
        to=reader.email,
        subject=headers.subject(composed.subject),
        text=composed.text,
        html="" if reader.text_only else composed.html,
        headers=headers.digest(reader.frequency, own.unsubscribe, settings.PUBLIC_BASE_URL, now),
        message_id=headers.message_id(delivery.uuid),
        metadata={"delivery": str(delivery.uuid)},
        tags=("digest",),
        stream="digest",
    )


def order(delivery: Delivery, reader: Subscriber, facts: Facts, own: ReaderLinks) -> LetterInput:
    """What the letter depends on, out of the ledger row."""
    return LetterInput(
        issues=facts.window(delivery.since, delivery.edition_id),
        picks=facts.picks(delivery.papers),
        matched=delivery.matched,
        doors=own,
        weekly=reader.frequency == Frequency.WEEKLY,
        gap=gap(reader),
        level=level(reader),
        confirmed_on=confirmed_on(reader),
    )


def level(reader: Subscriber) -> Level:
    """The reader's choice of abstract length, as a card's size."""
    return next((level for level in LEVELS if level == reader.abstracts), "short")


def gap(reader: Subscriber) -> int:
    """The most days between two letters of one who chose their days; all others count as daily."""
    return week.gap(reader.days) if reader.frequency == Frequency.CHOSEN else 1


def confirmed_on(reader: Subscriber) -> date | None:
    return reader.confirmed_at.date() if reader.confirmed_at else None


def feed_title() -> str:
    return _("Letters from %(site)s") % {"site": settings.SITE_NAME}
