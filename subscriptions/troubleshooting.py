"""“Not receiving letters?”: the true reasons, and how to mend each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from subscriptions import questions
from subscriptions.models import Subscriber
from subscriptions.questions import Letter
from subscriptions.when import schedule

LATE = timedelta(hours=2)
TROUBLED = frozenset({"bad", "warn"})
FIRST = "No letter has been due yet. The first one comes at the time shown above."
IN_ORDER = (
    "Letters leave here as they should. Look in the spam folder, and add our address to your contacts: "
    "that tells your mail provider that you want them."
)


def reasons(reader: Subscriber, letters: Sequence[Letter], now: datetime) -> list[str]:
    """Sentences, the gravest first; where nothing is wrong here, where to look for the letter."""
    found = [*_of_state(reader), *_of_wishes(reader)]
    newest = letters[0] if letters else None
    if newest is not None and newest.tone in TROUBLED:
        found.append(f"The last letter ({newest.day}): {newest.words}")
    is_overdue = reader.next_digest_at is not None and reader.next_digest_at < now - LATE
    if reader.state == Subscriber.State.ACTIVE and is_overdue:
        found.append("Your letter is late on our side: the people who run this site can see that too.")
    if is_overdue or (newest is not None and not newest.papers):
        found += _of_today(reader, now)
    if found:
        return found
    return [IN_ORDER if newest is not None else FIRST]


def _of_today(reader: Subscriber, now: datetime) -> list[str]:
    """What the ledger says of the reader's present day, as the desk and the command `why` say it."""
    today = questions.digest.today(reader, now)
    return [f"Today: {today.words}"] if today else []


def _of_state(reader: Subscriber) -> list[str]:
    found = []
    if reader.state == Subscriber.State.PAUSED:
        until = f"until {schedule.local_date(reader.zone, reader.paused_until)}" if reader.paused_until else "for good"
        found.append(f"Your letters are paused {until}. “Start again”, under Pause, ends the pause.")
    if not schedule.is_known(reader.zone):
        found.append(f"The time zone {reader.zone} no longer exists; until you choose another, your times mean UTC.")
    return found


def _of_wishes(reader: Subscriber) -> list[str]:
    wanted = [one for one in reader.interests.all() if not one.muted]
    if wanted or reader.community_picks:
        return []
    return ["You have chosen no topic and no filter, so no paper can match. Choose some below."]
