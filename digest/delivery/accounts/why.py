"""For any reader and day: the letter they got, or the one reason why they got none.

The command `why`, the reader's own page and the desk all answer by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from digest.delivery import plan, reasons
from digest.models import Delivery, Skip
from subscriptions import services
from subscriptions.models import Subscriber
from subscriptions.when import schedule

LETTERS = {
    "pending": "A letter is waiting to be sent.",
    "claimed": "A letter is being sent at this moment.",
    "ambiguous": "A letter was handed over, and nothing has told yet whether it was accepted.",
    "accepted": "A letter was accepted by the mail provider",
    "rejected": "The mail provider refused the letter for this address.",
    "uncertain": "A letter may have been sent; nothing tells. Its papers come with the next letter.",
    "expired": "The letter could not be sent in time; its papers come with the next letter.",
    "dead": "The letter was given up after several tries; its papers come with the next letter.",
}
TONES = {
    "accepted": "good",
    "ambiguous": "warn",
    "uncertain": "warn",
    "expired": "warn",
    "rejected": "bad",
    "dead": "bad",
}
EXPLAINED = frozenset({"rejected", "uncertain", "dead"})  # the ledger keeps the provider's answer beside the state
UNDER_WAY = frozenset({"pending", "claimed"})
FAILED = frozenset({"bounced", "complained", "rejected", "failed"})  # what a provider may report afterwards


@dataclass(frozen=True)
class Answer:
    """`reason` is a word of the ledger, `sentence` is for people; `edition` is the letter's, if there is one.

    `tone` says how well that is: good, warn, bad or nothing.
    """

    day: date
    reason: str
    sentence: str
    edition: date | None = None
    tone: str = ""

    @property
    def is_letter(self) -> bool:
        """Whether a letter went, or is about to go."""
        return self.reason == Delivery.State.ACCEPTED or self.reason in UNDER_WAY

    @property
    def to_reader(self) -> str:
        """The sentence, turned to the reader."""
        return reasons.to_reader(self.sentence)


def why(reader: Subscriber, day: date, now: datetime) -> Answer:
    """What became of the reader's local `day`."""
    row = Delivery.objects.filter(subscriber=reader, local_date=day).select_related("edition").order_by("-pk").first()
    if row is not None:
        return of_letter(row)
    skip = Skip.objects.filter(subscriber=reader, local_date=day).first()
    if skip is not None:
        return of_skip(skip)
    reason = _guess(reader, day, now)
    sentence = reasons.sentence(reason)
    if reason == reasons.NOT_YET and reader.next_digest_at and reader.next_digest_at > now:
        sentence = f"The next letter falls due on {reader.next_digest_at:%A %-d %B at %H:%M} UTC."
    return Answer(day, reason, sentence)


def of_letter(row: Delivery) -> Answer:
    """What became of one letter."""
    day, edition = row.local_date, row.edition.date
    if row.state == Delivery.State.SKIPPED:
        return Answer(day, row.reason, reasons.sentence(row.reason), edition)
    sentence = LETTERS[row.state]
    if row.state == Delivery.State.ACCEPTED:
        sentence += f" at {row.settled_at:%H:%M:%S} UTC." if row.settled_at else "."
    if row.state in EXPLAINED and row.reason:
        sentence += f" {reasons.sentence(row.reason)}"
    if row.fate and row.fate not in {"sent", "queued"}:
        sentence += f" Since then it was reported as {row.fate}."
    tone = "bad" if row.fate in FAILED else TONES.get(row.state, "")
    return Answer(day, row.state, sentence, edition, tone)


def of_skip(skip: Skip) -> Answer:
    """Why a day had no letter, as it was written down then."""
    return Answer(skip.local_date, skip.reason, reasons.sentence(skip.reason))


def _guess(reader: Subscriber, day: date, now: datetime) -> str:
    """No row says: it was not (or is not yet) a day with a letter for this reader."""
    if reader.confirmed_at is None:
        return reasons.NOT_CONFIRMED
    if day < schedule.local_date(reader.zone, reader.confirmed_at):
        return reasons.NOT_A_READER_YET
    if reader.state in reasons.BY_STATE:
        return reasons.BY_STATE[reader.state]
    start = schedule.start_of(reader.zone, day) - timedelta(seconds=1)
    due = schedule.next_due(services.times(reader), start)
    if schedule.local_date(reader.zone, due) != day:
        return reasons.NOT_A_DAY
    if due > now:
        return reasons.NOT_YET
    is_due = reader.next_digest_at is not None and reader.next_digest_at <= now
    is_today = day == schedule.local_date(reader.zone, now)
    if is_today and is_due and plan.awaited(now) is not None:
        return reasons.WAITING
    return reasons.NOT_YET if is_today or is_due else reasons.NOTHING_NEW
