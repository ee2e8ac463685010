"""The curator's acts on an edition as a whole: note, freeze, hold, release and taking a release back.

A release freezes the edition and sets a time five minutes ahead. Until then it can be taken back.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from digest.desk import audit_log, counters
from digest.desk.actor import Actor
from digest.desk.acts import parsing
from digest.desk.acts.paper_acts import OPEN, ConflictError, CuratingError, state_of
from digest.editions import lifecycle
from digest.models import Edition
from subscriptions.models import Subscriber

State = Edition.State
TAKE_BACK_TIME = timedelta(minutes=5)
NOTE_LENGTH = 4000
TYPED_ABOVE = 1000  # letters: from here on the curator types the number, so that it is read


def write_note(actor: Actor, edition: Edition, note: str, curator: str, seen: int, now: datetime) -> None:
    """Replace the note, if the edition is still as the curator read it (`seen` is its revision)."""
    note = note.replace("\r\n", "\n").strip()
    if len(note) > NOTE_LENGTH:
        raise CuratingError(f"The note has {len(note)} characters; letters take {NOTE_LENGTH}. Shorten it.")
    with transaction.atomic():
        row = locked(edition)
        if row.state not in OPEN:
            raise CuratingError(f"The edition is {state_of(row).lower()}: its note is fixed.")
        if row.revision != seen and (row.note, row.curator) != (note, curator):
            raise ConflictError(
                "Someone else changed this edition since you opened it. Their note is shown; yours is below it."
            )
        before = {"note": row.note, "curator": row.curator}
        after = {"note": note, "curator": curator}
        update(row, note=note, curator=curator[:120].strip())
        audit_log.record(actor, "write note", audit_log.of_edition(row), now, before, after)


def freeze(actor: Actor, edition: Edition, now: datetime) -> None:
    """Fix its content."""
    change_state(actor, edition, "freeze", OPEN, lambda row: lifecycle.freeze(row, now), now)


def hold(actor: Actor, edition: Edition, now: datetime) -> None:
    """Keep it back, even if it is complete. Works at any time before the release."""

    def do(row: Edition) -> None:
        lifecycle.hold(row)
        Edition.objects.filter(pk=row.pk).update(release_at=None)

    change_state(actor, edition, "hold", (State.COLLECTING, State.FROZEN), do, now)


def let_go(actor: Actor, edition: Edition, now: datetime) -> None:
    """Undo `hold`: it collects again and goes out by itself when it is complete."""
    change_state(actor, edition, "let go", (State.HELD,), lifecycle.let_go, now)


def release_at(actor: Actor, edition: Edition, at: datetime, now: datetime) -> None:
    """Set the time at which it goes out by itself; it collects until then."""
    if at <= now:
        raise CuratingError("That moment has passed. Choose one to come, or release it now.")
    if at > now + timedelta(days=3):
        raise CuratingError("That is more than three days ahead. Hold the edition instead.")

    def do(row: Edition) -> None:
        update(row, release_at=at, state=State.COLLECTING)

    change_state(actor, edition, "set release time", OPEN, do, now)


def release(actor: Actor, edition: Edition, seen: int, typed: str, now: datetime) -> datetime:
    """Freeze it now and set its release five minutes ahead; returns that time.

    `seen` is the revision that the curator looked at, `typed` the number of letters, asked for from TYPED_ABOVE on.
    """
    letters = letters_ahead(now)
    if letters >= TYPED_ABOVE and not is_about(typed, letters):
        raise CuratingError(f"To send {letters} letters, type that number into the box.")
    at = now + TAKE_BACK_TIME
    with transaction.atomic():
        row = locked(edition)
        require_releasable(row, seen)
        lifecycle.freeze(row, now)
        update(row, release_at=at, state=State.FROZEN)
        before = {"state": edition.state}
        after = {"at": at.isoformat(), "letters": letters}
        audit_log.record(actor, "release", audit_log.of_edition(row), now, before, after)
    return at


def require_releasable(row: Edition, seen: int) -> None:
    """Raises CuratingError if a locked edition cannot be released, or is not the revision that was seen."""
    if row.revision != seen:
        raise ConflictError("Someone else changed this edition since you opened it. Look at it again, then release it.")
    if row.state not in (*OPEN, State.FROZEN):
        raise CuratingError(f"The edition is {state_of(row).lower()} already.")
    if row.state == State.FROZEN and row.release_at is not None:
        raise CuratingError(f"It is on its way: letters begin to go at {row.release_at:%H:%M:%S} UTC.")
    if not row.entries.filter(is_hidden=False).exists():
        raise CuratingError("There is nothing in it that readers would see. Pull the sources, or show a paper.")


def take_back(actor: Actor, edition: Edition, now: datetime) -> None:
    """Undo a release or a planned time before letters are planned: the edition is held until it is let go."""
    with transaction.atomic():
        row = locked(edition)
        if row.state == State.RELEASED:
            raise CuratingError(
                "It is out: letters have begun to go. Pause sending on the Deliverability page if you must."
            )
        before = {"state": row.state, "at": release_time(row)}
        update(row, state=State.HELD, release_at=None, frozen_at=None, content_hash="")
        after = {"state": State.HELD.value}
        audit_log.record(actor, "take back", audit_log.of_edition(row), now, before, after)


def change_state(
    actor: Actor,
    edition: Edition,
    verb: str,
    allowed: tuple[str, ...],
    act: Callable[[Edition], object],
    now: datetime,
) -> None:
    """Call `act` with the locked edition and log it. Raises CuratingError where its state is not in `allowed`."""
    with transaction.atomic():
        row = locked(edition)
        if row.state not in allowed:
            raise CuratingError(f"The edition is {state_of(row).lower()}; it cannot {verb} now.")
        before = {"state": row.state}
        act(row)
        update(row)
        row.refresh_from_db()
        after = {"state": row.state, "at": release_time(row)}
        audit_log.record(actor, verb, audit_log.of_edition(row), now, before, after)


def locked(edition: Edition) -> Edition:
    """Its row, locked until the transaction ends."""
    return Edition.objects.select_for_update().get(pk=edition.pk)


def update(row: Edition, **values: object) -> None:
    """Write these values and raise the revision."""
    Edition.objects.filter(pk=row.pk).update(revision=F("revision") + 1, **values)


def release_time(row: Edition) -> str | None:
    """The planned time as the log keeps it."""
    if row.release_at is None:
        return None
    return row.release_at.isoformat()


def letters_ahead(now: datetime) -> int:
    """How many readers fall due within a day: an upper bound of the letters, since a letter needs a match."""
    counted = sum(counters.read("due", now.date()).values())
    if counted >= counters.SMALL:
        return counted
    due = Subscriber.objects.filter(state=Subscriber.State.ACTIVE, next_digest_at__lt=now + timedelta(days=1))
    return due.count()


def is_about(typed: str, letters: int) -> bool:
    """Whether the number of letters was typed, within 1 %: readers may have come or gone since it was shown."""
    number = parsing.number(typed.replace(",", "").replace(" ", ""))
    if number is None:
        return False
    return abs(number - letters) <= letters // 100
