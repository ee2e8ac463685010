"""The curator's acts on a day's papers: pin, hide, note, order, bring back, add.

Every act is one transaction with its line in the log. It counts only while the edition is open, and
only if the row is still as the curator saw it: two curators never overwrite each other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, Max
from django.http import HttpRequest

from digest.desk import audit_log
from digest.models import Announcement, Edition, EditionPaper, Paper

OPEN = (Edition.State.COLLECTING, Edition.State.HELD)
NOTE_LENGTH = 500
FIELDS = ("is_pinned", "is_hidden", "note", "position")


class CuratingError(Exception):
    """The act did not happen; the message says why and what to do."""


class ConflictError(CuratingError):
    """Somebody else changed it meanwhile."""


def is_going_out(edition: Edition) -> bool:
    """Released at the desk, and waiting out its minutes of second thoughts (or for the time it was given)."""
    return edition.state == Edition.State.FROZEN and edition.release_at is not None


def state_of(edition: Edition) -> str:
    """Its state in the words of every page of the desk."""
    return "Going out" if is_going_out(edition) else edition.get_state_display()


def lock(edition: Edition) -> Edition:
    """The edition's row, locked, if its content may still change. Raises CuratingError."""
    row = Edition.objects.select_for_update().get(pk=edition.pk)
    if row.state not in OPEN:
        raise CuratingError(
            f"The edition of {row.date} is {state_of(row).lower()}: its content is fixed. "
            "Undo its release while that is possible, or note it for the next edition."
        )
    return row


def insist_on_open(edition: Edition) -> None:
    """Raises CuratingError if the edition's content may not change any more."""
    with transaction.atomic():
        lock(edition)


def change(
    request: HttpRequest, entry: EditionPaper, verb: str, now: datetime, note: str = "", seen: str | None = None
) -> EditionPaper:
    """Carry out `verb` on one paper: pin, unpin, hide, show, note, up or down. `seen` is the note the curator read."""
    with transaction.atomic():
        edition = lock(entry.edition)
        row = EditionPaper.objects.select_for_update().get(pk=entry.pk)
        before = _values(row)
        if verb == "note" and seen is not None and seen != row.note:
            raise ConflictError(
                f"Someone else changed this note meanwhile; it now reads “{row.note}”. Look, then write."
            )
        VERBS[verb](row, note)
        after = _values(row)
        if after != before:
            row.save(update_fields=list(FIELDS))
            touch(edition)
            audit_log.record(request, verb, audit_log.of_paper(row.paper_id, edition), now, before, after)
    return row


def _values(row: EditionPaper) -> dict[str, Any]:
    return {name: getattr(row, name) for name in FIELDS}


def touch(edition: Edition) -> None:
    Edition.objects.filter(pk=edition.pk).update(revision=F("revision") + 1)


def _pin(row: EditionPaper, _: str) -> None:
    """A pin goes behind the pins there are, and shows what was hidden."""
    if not row.is_pinned:
        row.is_pinned, row.is_hidden = True, False
        row.position = _after_pins(row)


def _after_pins(row: EditionPaper) -> int:
    last = EditionPaper.objects.filter(edition=row.edition, is_pinned=True).aggregate(last=Max("position"))["last"]
    return 0 if last is None else last + 1


def _unpin(row: EditionPaper, _: str) -> None:
    row.is_pinned = False


def _hide(row: EditionPaper, _: str) -> None:
    row.is_hidden, row.is_pinned = True, False


def _show(row: EditionPaper, _: str) -> None:
    row.is_hidden = False


def _note(row: EditionPaper, note: str) -> None:
    if len(note) > NOTE_LENGTH:
        raise CuratingError(f"A note has at most {NOTE_LENGTH} characters; this one has {len(note)}.")
    row.note = " ".join(note.split())


VERBS: dict[str, Callable[[EditionPaper, str], None]] = {
    "pin": _pin,
    "unpin": _unpin,
    "hide": _hide,
    "show": _show,
    "note": _note,
}


def order_pins(request: HttpRequest, edition: Edition, entry: EditionPaper, step: int, now: datetime) -> None:
    """Move a pin one place up (`step` -1) or down (+1) among the pins."""
    with transaction.atomic():
        lock(edition)
        pins = list(EditionPaper.objects.select_for_update().filter(edition=edition, is_pinned=True))
        before = [pin.paper_id for pin in pins]
        at = next((n for n, pin in enumerate(pins) if pin.pk == entry.pk), None)
        if at is None or not 0 <= at + step < len(pins):
            return
        pins[at], pins[at + step] = pins[at + step], pins[at]
        place_pins(pins)
        touch(edition)
        audit_log.record(
            request, "order pins", audit_log.of_edition(edition), now,
            {"pins": before}, {"pins": [pin.paper_id for pin in pins]},
        )  # fmt: skip


def place_pins(pins: Sequence[EditionPaper]) -> None:
    for position, pin in enumerate(pins):
        pin.position = position
    EditionPaper.objects.bulk_update(pins, ["position"])


def bring_back(request: HttpRequest, edition: Edition, paper: Paper, now: datetime) -> EditionPaper:
    """A late riser comes once more, marked as such."""
    with transaction.atomic():
        lock(edition)
        if EditionPaper.objects.filter(paper=paper, is_late_riser=True).exists():
            raise CuratingError("This paper has come back once already.")
        if EditionPaper.objects.filter(paper=paper, edition=edition).exists():
            raise CuratingError("This paper is in this very edition.")
        entry = append(edition, paper, is_late_riser=True)
        audit_log.record(request, "bring back", audit_log.of_paper(paper.pk, edition), now)
    return entry


def add(request: HttpRequest, edition: Edition, paper: Paper, now: datetime) -> EditionPaper:
    """Put a paper into the edition that is in none yet."""
    with transaction.atomic():
        lock(edition)
        placed = EditionPaper.objects.filter(paper=paper, is_late_riser=False).select_related("edition").first()
        if placed is not None:
            raise CuratingError(f"This paper is in the edition of {placed.edition.date} already.")
        entry = append(edition, paper)
        audit_log.record(request, "add", audit_log.of_paper(paper.pk, edition), now, {}, {"title": paper.title})
    return entry


def append(edition: Edition, paper: Paper, is_late_riser: bool = False) -> EditionPaper:
    last = edition.entries.aggregate(last=Max("position"))["last"]
    position = 0 if last is None else last + 1
    touch(edition)
    return EditionPaper.objects.create(edition=edition, paper=paper, position=position, is_late_riser=is_late_riser)


# -- reading for the page ---------------------------------------------------------------------------


def announcers(papers: Sequence[int]) -> dict[int, list[str]]:
    """The names of the sources that announced each paper."""
    found: dict[int, list[str]] = {}
    rows = Announcement.objects.filter(paper_id__in=papers).values_list("paper_id", "source__name").distinct()
    for paper, name in rows.order_by("source__name"):
        found.setdefault(paper, []).append(name)
    return found
