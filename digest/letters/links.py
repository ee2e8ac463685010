"""The addresses on a reader's letter, each good for one thing only.

The letter in the browser can be passed on: its links change nothing and tell nothing beyond the letter.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID, uuid4

from digest.letters.compose import ReaderLinks
from digest.models import Delivery
from subscriptions.links import tokens, urls
from subscriptions.models import Subscriber


class LinkMaker:
    """Makes the addresses of many letters; keys and prefixes are worked out once."""

    def __init__(self) -> None:
        self._preferences = _maker("preferences_link", "preferences")
        self._unsubscribe = _maker("unsubscribe", "unsubscribe")
        self._letter = _maker("letter", "letter")
        self._saved = _maker("saved", "saved")
        self._act = _maker("act", "act")

    def own(self, delivery: Delivery, reader: Subscriber) -> ReaderLinks:
        """The addresses for the reader's own letter."""
        row = urls.of_round(delivery.uuid, reader)
        person = urls.of_round(reader.uuid, reader)
        preferences = self._preferences(person)
        web = self._letter(row)
        return ReaderLinks(
            preferences=preferences,
            pause=f"{preferences}#pause",
            unsubscribe=self._unsubscribe(urls.leaving(reader)),
            web=web,
            more=f"{web}more/",
            saved=self._saved(person),
            act=self._act(row)[:-1],
        )


def _maker(name: str, purpose: str) -> Callable[[str], str]:
    """A function from a subject to the address called `name`: everything but the token is the same for all."""
    before, after = urls.absolute(name, "TOKEN").split("TOKEN")
    sign = tokens.maker(purpose)
    return lambda subject: f"{before}{sign(subject)}{after}"


def own(delivery: Delivery, reader: Subscriber) -> ReaderLinks:
    """The addresses for one reader's letter."""
    return LinkMaker().own(delivery, reader)


def preview() -> ReaderLinks:
    """For a letter that is only looked at: signed addresses of nobody, so that they open nothing.

    Whoever may see a reader's letter may not act as that reader.
    """
    nobody = Subscriber(uuid=uuid4())
    preferences = urls.preferences_url(nobody)
    return ReaderLinks(preferences, f"{preferences}#pause", urls.unsubscribe_url(nobody))


def shared(delivery: Delivery) -> ReaderLinks:
    """For the letter in the browser: no address of the reader's own."""
    return ReaderLinks(preferences="", pause="", unsubscribe="", more=f"{letter_url(delivery)}more/")


def letter_url(delivery: Delivery) -> str:
    """One letter in the browser."""
    return urls.absolute("letter", tokens.make("letter", urls.of_round(delivery.uuid, delivery.subscriber)))


def saved_url(reader: Subscriber) -> str:
    """The reader's saved papers."""
    return urls.absolute("saved", tokens.make("saved", urls.of_round(reader.uuid, reader)))


def feed_url(reader: Subscriber) -> str:
    """The reader's letters as a private Atom feed."""
    return urls.absolute("letters_feed", tokens.make("feed", urls.of_round(reader.uuid, reader)))


def identity(purpose: str, token: str) -> tuple[UUID, str]:
    """Which reader or letter a link belongs to, and its round. Raises `TokenError`."""
    return urls.owner(tokens.read(purpose, token))
