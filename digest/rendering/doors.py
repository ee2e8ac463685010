"""The addresses on a reader's letter, each good for one thing only.

The letter in the browser can be passed on: nothing on it changes or tells anything beyond the letter.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from digest.models import Delivery
from digest.rendering.composing import Doors
from subscriptions import links, tokens
from subscriptions.models import Subscriber

OWN = {
    "preferences_link": "preferences",
    "unsubscribe": "unsubscribe",
    "letter": "letter",
    "saved": "saved",
    "act": "act",
}


class Doorman:
    """Makes the addresses of many letters; keys and prefixes are worked out once."""

    def __init__(self) -> None:
        self._doors = {name: _door(name, purpose) for name, purpose in OWN.items()}

    def own(self, delivery: Delivery, reader: Subscriber) -> Doors:
        """The addresses for the reader's own letter."""
        row, person = delivery.uuid.hex, reader.uuid.hex
        preferences = self._doors["preferences_link"](links.subject(reader, reader.link_round))
        web = self._doors["letter"](row)
        return Doors(
            preferences=preferences,
            pause=f"{preferences}#pause",
            unsubscribe=self._doors["unsubscribe"](person),
            web=web,
            more=f"{web}more/",
            saved=self._doors["saved"](person),
            act=self._doors["act"](row)[:-1],
        )


def _door(name: str, purpose: str) -> Callable[[str], str]:
    """The address called `name` for a subject: everything but the token is the same for all."""
    before, after = links.absolute(name, "TOKEN").split("TOKEN")
    sign = tokens.maker(purpose)
    return lambda subject: f"{before}{sign(subject)}{after}"


def own(delivery: Delivery, reader: Subscriber) -> Doors:
    """The addresses for one reader's letter."""
    return Doorman().own(delivery, reader)


def preview(reader: Subscriber) -> Doors:
    """For a letter that no ledger row stands for: what every letter must have."""
    preferences = links.preferences_url(reader)
    return Doors(preferences, f"{preferences}#pause", links.unsubscribe_url(reader))


def shared(delivery: Delivery) -> Doors:
    """For the letter in the browser: no address of the reader's own."""
    web = links.absolute("letter", tokens.make("letter", delivery.uuid.hex))
    return Doors(preferences="", pause="", unsubscribe="", more=f"{web}more/")


def feed_url(reader: Subscriber) -> str:
    """The reader's letters as a private Atom feed."""
    return links.absolute("letters_feed", tokens.make("feed", reader.uuid.hex))


def identity(purpose: str, token: str) -> UUID:
    """Whose or which letter's door this is. Raises TokenError."""
    return UUID(hex=tokens.read(purpose, token))
