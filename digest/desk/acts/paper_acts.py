"""The curator's acts on a day's papers: pin, hide, note, order, bring back, add.

Every act is one transaction with its row in the audit log. It is refused if the edition is not open, or if another
curator changed the row since it was read.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, Max, QuerySet

from digest.desk import audit_log
from digest.desk.actor import Actor
from digest.models import Announcement, Edition, EditionPaper, Paper

OPEN = (Edition.State.COLLECTING, Edition.State.HELD)
NOTE_LENGTH = 500
VERBS = ("pin", "unpin", "hide", "show", "note")
FIELDS = ("is_pinned", "is_hidden", "note", "position")


class CuratingError(Exception):
    """The act did not happen; the message says why and what to do."""


class ConflictError(CuratingError):
    """Somebody else changed it meanwhile."""


def is_going_out(edition: Edition) -> bool:
    """Released at the desk, and waiting for its release time."""
    return edition.state == Edition.State.FROZEN and edition.release_at is not None


def state_of(edition: Edition) -> str:
    """Its state in the words of every page of the desk."""
    if is_going_out(edition):
        return "Going out"
    return edition.get_state_display()


def lock(edition: Edition) -> Edition:
    """The edition's row, locked, if its content may still change. Raises CuratingError."""
    row = Edition.objects.select_for_update().get(pk=edition.pk)
    if row.state not in OPEN:
        raise CuratingError(
            f"The edition of {row.date} is {state_of(row).lower()}: its content is fixed. "
            "Undo its release while that is possible, or note it for the next edition."
        )
    return row


def require_open(edition: Edition) -> None:
    """Raises CuratingError if the edition's content may not change any more."""
    with transaction.atomic():
        lock(edition)


def change(
    actor: Actor, entry: EditionPaper, verb: str, now: datetime, note: str = "", seen: str | None = None
) -> EditionPaper:
    """Carry out one of VERBS on a paper. `seen` is the note that the curator read; None where nobody did."""
    with transaction.atomic():
        edition = lock(entry.edition)
        row = EditionPaper.objects.select_for_update().get(pk=entry.pk)
        before = values_of(row)
        if verb == "note" and seen is not None and seen != row.note:
            raise ConflictError(
                f"Someone else changed this note meanwhile; it now reads “{row.note}”. Look, then write."
            )
        apply(row, verb, note)
        after = values_of(row)
        if after != before:
            row.save(update_fields=list(FIELDS))
            touch(edition)
            audit_log.record(actor, verb, audit_log.of_paper(row.paper_id, edition), now, before, after)
    return row


def values_of(row: EditionPaper) -> dict[str, Any]:
    return {name: getattr(row, name) for name in FIELDS}


def apply(row: EditionPaper, verb: str, note: str) -> None:
    """Set the values of one of VERBS, without saving them. Raises CuratingError for a note that is too long."""
    match verb:
        case "pin":
            if not row.is_pinned:
                row.position = next_position(EditionPaper.objects.filter(edition=row.edition, is_pinned=True))
            row.is_pinned = True
            row.is_hidden = False
        case "unpin":
            row.is_pinned = False
        case "hide":
            row.is_hidden = True
            row.is_pinned = False
        case "show":
            row.is_hidden = False
        case "note":
            if len(note) > NOTE_LENGTH:
                raise CuratingError(f"A note has at most {NOTE_LENGTH} characters; this one has {len(note)}.")
            row.note = " ".join(note.split())


def touch(edition: Edition) -> None:
    """Raise the edition's revision: its content changed."""
    Edition.objects.filter(pk=edition.pk).update(revision=F("revision") + 1)


def next_position(entries: QuerySet[EditionPaper]) -> int:
    """The position behind the last of `entries`; 0 if there are none."""
    last = entries.aggregate(last=Max("position"))["last"]
    if last is None:
        return 0
    return int(last) + 1


def order_pins(actor: Actor, edition: Edition, entry: EditionPaper, step: int, now: datetime) -> None:
    """Move a pin one place up (`step` -1) or down (+1) among the pins."""
    with transaction.atomic():
        lock(edition)
        pins = locked_pins(edition)
        before = [pin.paper_id for pin in pins]
        if entry.paper_id not in before:
            return
        place = before.index(entry.paper_id)
        if not 0 <= place + step < len(pins):
            return
        pins[place], pins[place + step] = pins[place + step], pins[place]
        place_pins(pins)
        touch(edition)
        after = [pin.paper_id for pin in pins]
        audit_log.record(actor, "order pins", audit_log.of_edition(edition), now, {"pins": before}, {"pins": after})


def locked_pins(edition: Edition) -> list[EditionPaper]:
    """The edition's pins in their order, locked until the transaction ends."""
    return list(EditionPaper.objects.select_for_update().filter(edition=edition, is_pinned=True))


def place_pins(pins: Sequence[EditionPaper]) -> None:
    """Give the pins the positions of this order."""
    for position, pin in enumerate(pins):
        pin.position = position
    EditionPaper.objects.bulk_update(pins, ["position"])


def bring_back(actor: Actor, edition: Edition, paper: Paper, now: datetime) -> EditionPaper:
    """A late riser comes once more, marked as such."""
    with transaction.atomic():
        lock(edition)
        if EditionPaper.objects.filter(paper=paper, is_late_riser=True).exists():
            raise CuratingError("This paper has come back once already.")
        if EditionPaper.objects.filter(paper=paper, edition=edition).exists():
            raise CuratingError("This paper is in this very edition.")
        entry = append(edition, paper, is_late_riser=True)
        audit_log.record(actor, "bring back", audit_log.of_paper(paper.pk, edition), now)
    return entry


def add(actor: Actor, edition: Edition, paper: Paper, now: datetime) -> EditionPaper:
    """Put a paper into the edition that is in none yet."""
    with transaction.atomic():
        lock(edition)
        placed = EditionPaper.objects.filter(paper=paper, is_late_riser=False).select_related("edition").first()
        if placed is not None:
            raise CuratingError(f"This paper is in the edition of {placed.edition.date} already.")
        entry = append(edition, paper)
        audit_log.record(actor, "add", audit_log.of_paper(paper.pk, edition), now, {}, {"title": paper.title})
    return entry


def append(edition: Edition, paper: Paper, is_late_riser: bool = False) -> EditionPaper:
    """Put a paper behind the last of the edition; the edition is locked by the caller."""
    position = next_position(edition.entries.all())
    touch(edition)
    return EditionPaper.objects.create(edition=edition, paper=paper, position=position, is_late_riser=is_late_riser)


def announcers(papers: Sequence[int]) -> dict[int, list[str]]:
    """The names of the sources that announced each paper."""
    found: dict[int, list[str]] = {}
    rows = Announcement.objects.filter(paper_id__in=papers).values_list("paper_id", "source__name").distinct()
    for paper, name in rows.order_by("source__name"):
        found.setdefault(paper, []).append(name)
    return found
