"""Letters from ledger rows: what a delivery chose, in HTML and in text, with every header."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache

from django.conf import settings
from django.utils.translation import gettext as _

from digest.letters import headers, links, load, mime
from digest.letters.cards import LEVELS, Level
from digest.letters.compose import Composer, LetterInput, ReaderLinks
from digest.letters.load import Facts
from digest.models import Delivery
from subscriptions.addresses import ascii_form
from subscriptions.mail.outgoing import Letter
from subscriptions.models import Frequency, Subscriber
from subscriptions.when import week

KEPT_SUBJECTS = 1_000
BEFORE = ("From", "Reply-To", "Date")
AFTER = (
    "List-Id", "List-Unsubscribe-Post", "List-Archive", "Auto-Submitted", "X-Auto-Response-Suppress", "Feedback-ID",
)  # fmt: skip


def letters(deliveries: Sequence[Delivery], now: datetime) -> list[Letter]:
    """One letter a delivery as subject, text and HTML, in the same order: for providers that write the mail themselves.

    It takes a fixed number of queries for all of them.
    """
    if not deliveries:
        return []
    writer = Writer(load.facts(deliveries), now)
    return [writer.own(delivery, with_parts=True) for delivery in deliveries]


def finished(deliveries: Sequence[Delivery], now: datetime) -> list[Letter]:
    """The same letters, each as the bytes that go over the line: for mail servers and files."""
    if not deliveries:
        return []
    writer = Writer(load.facts(deliveries), now)
    return [writer.own(delivery, with_bytes=True) for delivery in deliveries]


class Writer:
    """Writes the letters of one chunk of deliveries. What is the same for several of them is made once."""

    def __init__(self, facts: Facts, now: datetime) -> None:
        self.facts, self.now = facts, now
        self._links = links.LinkMaker()
        self._composer = Composer()
        self._common: dict[str, tuple[bytes, bytes]] = {}
        self._leave = headers.leave_by_mail()

    def own(self, delivery: Delivery, with_parts: bool = False, with_bytes: bool = False) -> Letter:
        """The letter for the reader of the ledger row."""
        reader = self.facts.readers[delivery.subscriber_id]
        return self.letter(delivery, reader, self._links.own(delivery, reader), with_parts, with_bytes)

    def letter(
        self,
        delivery: Delivery,
        reader: Subscriber,
        own: ReaderLinks,
        with_parts: bool = True,
        with_bytes: bool = True,
        mark: str = "",
    ) -> Letter:
        """One letter as text, HTML and headers, as bytes, or as both; `mark` goes before the subject.

        `delivery` and `reader` may be unsaved (previews).
        """
        rendered = self._composer.write(letter_input(delivery, reader, self.facts, own))
        subject, subject_line = _subject(mark + rendered.subject)
        text = html = ""
        shared: dict[str, str] = {}
        if with_parts:
            text = rendered.text
            shared = headers.digest(reader.frequency, own.unsubscribe, settings.PUBLIC_BASE_URL, self.now)
        if with_parts and not reader.text_only:
            html = rendered.html
        raw = b""
        if with_bytes:
            pieces = rendered.html_pieces
            if reader.text_only:
                pieces = []
            raw = mime.message(self._head(delivery, reader, own, subject_line), rendered.text_pieces, pieces)
        return Letter(
            to=reader.email,
            subject=subject,
            text=text,
            html=html,
            headers=shared,
            message_id=headers.message_id(delivery.uuid),
            metadata={"delivery": str(delivery.uuid)},
            tags=("digest",),
            raw=raw,
        )

    def _head(self, delivery: Delivery, reader: Subscriber, own: ReaderLinks, subject: bytes) -> list[bytes]:
        """All headers. Those that are the same for every reader of a frequency are written once."""
        if reader.frequency not in self._common:
            shared = headers.digest(reader.frequency, "", settings.PUBLIC_BASE_URL, self.now)
            self._common[reader.frequency] = mime.lines(shared, BEFORE), mime.lines(shared, AFTER)
        before, after = self._common[reader.frequency]
        token = own.unsubscribe.rstrip("/").rpartition("/")[2]
        leave = f"List-Unsubscribe: <{own.unsubscribe}>,\r\n <{self._leave}{token}>\r\n"
        mine = f"To: {ascii_form(reader.email)}\r\nMessage-ID: {headers.message_id(delivery.uuid)}\r\n{leave}"
        return [before, subject, mine.encode(), after]


@lru_cache(maxsize=KEPT_SUBJECTS)
def _subject(text: str) -> tuple[str, bytes]:
    """The subject as one line, and as a header."""
    line = headers.subject(text)
    return line, mime.subject(line)


def letter_input(delivery: Delivery, reader: Subscriber, facts: Facts, own: ReaderLinks) -> LetterInput:
    """What the letter depends on, out of the ledger row."""
    level: Level = "short"
    if reader.abstracts in LEVELS:
        level = reader.abstracts
    gap = 1  # all who did not choose their days count as daily
    if reader.frequency == Frequency.CHOSEN:
        gap = week.gap(reader.days)
    confirmed_on = None
    if reader.confirmed_at:
        confirmed_on = reader.confirmed_at.date()
    return LetterInput(
        issues=facts.window(delivery.since, delivery.edition_id),
        picks=facts.picks(delivery.papers),
        matched=delivery.matched,
        links=own,
        weekly=reader.frequency == Frequency.WEEKLY,
        gap=gap,
        level=level,
        confirmed_on=confirmed_on,
    )


def feed_title() -> str:
    return _("Letters from %(site)s") % {"site": settings.SITE_NAME}
