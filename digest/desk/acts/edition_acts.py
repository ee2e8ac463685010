"""The curator's acts on an edition as a whole: note, freeze, hold, release after a pause for second thoughts.

Releasing is not at once: the edition is frozen and given a time, five minutes ahead, and until then it
can be taken back. Only then do letters fan out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F

from digest.desk import audit_log, counters
from digest.desk.actor import Actor
from digest.desk.acts import parsing
from digest.desk.acts.paper_acts import OPEN, ConflictError, CuratingError, state_of
from digest.editions import lifecycle
from digest.matching import PaperIndex, load
from digest.matching.paper_text import PaperText
from digest.matching.select import select
from digest.models import Edition, EditionPaper, Paper
from subscriptions.models import Subscriber

State = Edition.State
SECOND_THOUGHTS = timedelta(minutes=5)
NOTE_LENGTH = 4000
TYPED_ABOVE = 1000  # letters: from here on the curator types the number, so that it is read
LOOKED_AT = 2000  # readers whose letters are compared in a dry run
SHOWN = 10  # of them, those whose change is shown
MOST_PAPERS = 30  # whose gains and losses are shown


def write_note(actor: Actor, edition: Edition, note: str, curator: str, seen: int, now: datetime) -> None:
    """Replace the note, if the edition is still as the curator read it (`seen` is its revision)."""
    note = note.replace("\r\n", "\n").strip()
    if len(note) > NOTE_LENGTH:
        raise CuratingError(f"The note has {len(note)} characters; letters take {NOTE_LENGTH}. Shorten it.")
    with transaction.atomic():
        row = _locked(edition)
        if row.state not in OPEN:
            raise CuratingError(f"The edition is {state_of(row).lower()}: its note is fixed.")
        if row.revision != seen and (row.note, row.curator) != (note, curator):
            raise ConflictError(
                "Someone else changed this edition since you opened it. Their note is shown; yours is below it."
            )
        before = {"note": row.note, "curator": row.curator}
        _write(row, note=note, curator=curator[:120].strip())
        audit_log.record(
            actor, "write note", audit_log.of_edition(row), now, before, {"note": note, "curator": curator}
        )


def freeze(actor: Actor, edition: Edition, now: datetime) -> None:
    _step(actor, edition, "freeze", now, OPEN, lambda row: lifecycle.freeze(row, now))


def hold(actor: Actor, edition: Edition, now: datetime) -> None:
    """Keep it back, whatever the gate says. Works at any time before the release."""
    _step(actor, edition, "hold", now, (State.COLLECTING, State.FROZEN), _held)


def let_go(actor: Actor, edition: Edition, now: datetime) -> None:
    """Undo `hold`: it collects again and goes out by itself when it is complete."""
    _step(actor, edition, "let go", now, (State.HELD,), lifecycle.let_go)


def release_at(actor: Actor, edition: Edition, at: datetime, now: datetime) -> None:
    """Let it go by itself at `at`; it goes on collecting until then."""
    if at <= now:
        raise CuratingError("That moment has passed. Choose one to come, or release it now.")
    if at > now + timedelta(days=3):
        raise CuratingError("That is more than three days ahead. Hold the edition instead.")
    _step(actor, edition, "set release time", now, OPEN, lambda row: _plan(row, at, State.COLLECTING))


def release(actor: Actor, edition: Edition, seen: int, words: str, now: datetime) -> datetime:
    """Freeze it now and let it go in five minutes; answers when. `words` is the number of letters, where many."""
    letters = letters_ahead(now)
    if letters >= TYPED_ABOVE and not _is_about(words, letters):
        raise CuratingError(f"To send {letters} letters, type that number into the box.")
    at = now + SECOND_THOUGHTS
    with transaction.atomic():
        row = _locked(edition)
        if row.revision != seen:
            raise ConflictError(
                "Someone else changed this edition since you opened it. Look at it again, then release it."
            )
        if row.state not in (*OPEN, State.FROZEN):
            raise CuratingError(f"The edition is {state_of(row).lower()} already.")
        if row.state == State.FROZEN and row.release_at is not None:
            raise CuratingError(f"It is on its way: letters begin to go at {row.release_at:%H:%M:%S} UTC.")
        if not row.entries.filter(is_hidden=False).exists():
            raise CuratingError("There is nothing in it that readers would see. Pull the sources, or show a paper.")
        lifecycle.freeze(row, now)
        _plan(row, at, State.FROZEN)
        audit_log.record(
            actor,
            "release",
            audit_log.of_edition(row),
            now,
            {"state": edition.state},
            {"at": at.isoformat(), "letters": letters},
        )
    return at


def take_back(actor: Actor, edition: Edition, now: datetime) -> None:
    """Undo a release or a planned time before letters fan out: it is open again, and held until it is let go."""
    with transaction.atomic():
        row = _locked(edition)
        if row.state == State.RELEASED:
            raise CuratingError(
                "It is out: letters have begun to go. Pause sending on the Deliverability page if you must."
            )
        before = {"state": row.state, "at": row.release_at.isoformat() if row.release_at else None}
        _write(row, state=State.HELD, release_at=None, frozen_at=None, content_hash="")
        audit_log.record(actor, "take back", audit_log.of_edition(row), now, before, {"state": State.HELD.value})


def _step(
    actor: Actor, edition: Edition, verb: str, now: datetime,
    states: tuple[str, ...], act: Callable[[Edition], Any],
) -> None:  # fmt: skip
    with transaction.atomic():
        row = _locked(edition)
        if row.state not in states:
            raise CuratingError(f"The edition is {state_of(row).lower()}; it cannot {verb} now.")
        before = row.state
        act(row)
        Edition.objects.filter(pk=row.pk).update(revision=F("revision") + 1)
        row.refresh_from_db()
        after = {"state": row.state, "at": row.release_at.isoformat() if row.release_at else None}
        audit_log.record(actor, verb, audit_log.of_edition(row), now, {"state": before}, after)


def _held(row: Edition) -> None:
    lifecycle.hold(row)
    Edition.objects.filter(pk=row.pk).update(release_at=None)


def _plan(row: Edition, at: datetime, state: str) -> None:
    Edition.objects.filter(pk=row.pk).update(release_at=at, state=state, revision=F("revision") + 1)


def _locked(edition: Edition) -> Edition:
    return Edition.objects.select_for_update().get(pk=edition.pk)


def _write(row: Edition, **values: Any) -> None:
    Edition.objects.filter(pk=row.pk).update(revision=F("revision") + 1, **values)


# -- before it goes -------------------------------------------------------------------------------


def letters_ahead(now: datetime) -> int:
    """How many readers fall due within a day: an upper bound of the letters, since a letter needs a match."""
    kept = sum(counters.read("due", now.date()).values())
    if kept >= counters.SMALL:
        return kept
    due = Subscriber.objects.filter(state=Subscriber.State.ACTIVE, next_digest_at__lt=now + timedelta(days=1))
    return due.count()


def _is_about(words: str, letters: int) -> bool:
    """Whether the number was read and typed; readers who came or went since it was shown do not matter."""
    number = parsing.number(words.replace(",", "").replace(" ", ""))
    return number is not None and abs(number - letters) <= letters // 100


@dataclass(frozen=True)
class Changed:
    """One reader's letter: the titles that come in and go out by the curator's acts; neither means another order."""

    reader: int
    comes: tuple[str, ...]
    goes: tuple[str, ...]


@dataclass(frozen=True)
class Moved:
    """One paper: into how many letters it comes by the curator's acts, and out of how many it goes."""

    title: str
    comes: int
    goes: int


@dataclass(frozen=True)
class Difference:
    """What the curator's acts change: of `looked_at` readers, `changed` get other papers or another order.

    `papers` are the ones that move most, of `moved` in all.
    """

    looked_at: int
    changed: int
    all_readers: bool
    examples: tuple[Changed, ...] = ()
    papers: tuple[Moved, ...] = ()
    moved: int = 0


def difference(edition: Edition, now: datetime) -> Difference:
    """Each reader's letter with the curator's pins and hides, beside the one without them. Sends nothing."""
    due = Subscriber.objects.filter(state=Subscriber.State.ACTIVE, next_digest_at__lt=now + timedelta(days=7))
    readers = list(due.order_by("next_digest_at", "pk")[: LOOKED_AT + 1])
    looked_at = readers[:LOOKED_AT]
    curated, plain = PaperIndex.build(load.papers_of([edition])), PaperIndex.build(_uncurated(edition))
    wants = load.interests_of([one.pk for one in looked_at])
    changed = [
        (one.pk, now_in, then_in) for one in looked_at
        for now_in, then_in in [(_papers(curated, wants[one.pk], one), _papers(plain, wants[one.pk], one))]
        if now_in != then_in
    ]  # fmt: skip
    titles = {paper.id: paper.title for day in (plain, curated) for paper in day.papers}
    examples = tuple(_changed(reader, after, before, titles) for reader, after, before in changed[:SHOWN])
    moved = _moved([(after, before) for _, after, before in changed], titles)
    return Difference(
        len(looked_at), len(changed), len(readers) <= LOOKED_AT, examples, tuple(moved[:MOST_PAPERS]), len(moved)
    )


def _moved(letters: Sequence[tuple[list[int], list[int]]], titles: dict[int, str]) -> list[Moved]:
    """Every paper that comes in or goes out; those of most letters first."""
    comes = Counter(paper for after, before in letters for paper in set(after).difference(before))
    goes = Counter(paper for after, before in letters for paper in set(before).difference(after))
    papers = [Moved(titles[paper], comes[paper], goes[paper]) for paper in comes.keys() | goes.keys()]
    return sorted(papers, key=lambda one: (-one.comes - one.goes, one.title))


def _changed(reader: int, after: list[int], before: list[int], titles: dict[int, str]) -> Changed:
    comes = tuple(titles[paper] for paper in after if paper not in before)
    return Changed(reader, comes, tuple(titles[paper] for paper in before if paper not in after))


def _papers(day: PaperIndex, wants: Any, reader: Subscriber) -> list[int]:
    chosen = select(day, wants, reader.papers_per_day, reader.community_picks)
    return [choice.paper for choice in chosen.choices]


def _uncurated(edition: Edition) -> list[PaperText]:
    """The day's papers as they arrived: nothing pinned, nothing hidden."""
    hidden = EditionPaper.objects.filter(edition=edition, is_hidden=True).values("paper")
    shown = [_unpinned(paper) for paper in load.papers_of([edition])]
    return [*shown, *load.papers_announced(Paper.objects.filter(pk__in=hidden))]


def _unpinned(paper: PaperText) -> PaperText:
    return replace(paper, pinned=False) if paper.pinned else paper
