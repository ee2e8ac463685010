"""For any reader and day: the letter they got, or the one reason why they got none."""

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
    "ambiguous": "A letter was handed over, and we wait to hear whether it was accepted.",
    "accepted": "A letter was accepted by the mail provider.",
    "rejected": "The mail provider refused the letter for this address.",
    "uncertain": "A letter may have been sent; nothing tells. Its papers come with the next letter.",
    "expired": "The letter could not be sent in time; its papers come with the next letter.",
    "dead": "The letter was given up after several tries; its papers come with the next letter.",
}


@dataclass(frozen=True)
class Answer:
    """`reason` is a word of the ledger, `sentence` is for people; `edition` is the letter's, if there is one."""

    day: date
    reason: str
    sentence: str
    edition: date | None = None


def why(reader: Subscriber, day: date, now: datetime) -> Answer:
    """What became of the reader's local `day`."""
    row = Delivery.objects.filter(subscriber=reader, local_date=day).select_related("edition").order_by("-pk").first()
    if row is not None:
        return _of_letter(row, day)
    skip = Skip.objects.filter(subscriber=reader, local_date=day).first()
    if skip is not None:
        return _say(day, skip.reason)
    return _say(day, _guess(reader, day, now))


def _of_letter(row: Delivery, day: date) -> Answer:
    if row.state == Delivery.State.SKIPPED:
        return Answer(day, row.reason, reasons.sentence(row.reason), row.edition.date)
    fate = f" Since then it was reported as {row.fate}." if row.fate and row.fate not in {"sent", "queued"} else ""
    return Answer(day, row.state, LETTERS[row.state] + fate, row.edition.date)


def _say(day: date, reason: str) -> Answer:
    return Answer(day, reason, reasons.sentence(reason))


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
    if plan.awaited(now) is not None and day == schedule.local_date(reader.zone, now):
        return reasons.WAITING
    return reasons.NOT_YET if reader.next_digest_at and reader.next_digest_at <= now else reasons.NOTHING_NEW
