"""The addresses on a reader's letter, each good for one thing only.

The letter in the browser can be passed on: nothing on it changes or tells anything beyond the letter.
"""

from __future__ import annotations

from uuid import UUID

from digest.models import Delivery
from digest.rendering.composing import Doors
from subscriptions import links, tokens
from subscriptions.models import Subscriber


def own(delivery: Delivery, reader: Subscriber) -> Doors:
    """The addresses for the reader's own letter."""
    preferences = links.preferences_url(reader)
    web = links.absolute("letter", tokens.make("letter", delivery.uuid.hex))
    return Doors(
        preferences=preferences,
        pause=f"{preferences}#pause",
        unsubscribe=links.unsubscribe_url(reader),
        web=web,
        more=f"{web}more/",
        saved=links.absolute("saved", tokens.make("saved", reader.uuid.hex)),
        act=links.absolute("act", tokens.make("act", delivery.uuid.hex)).rstrip("/"),
    )


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
