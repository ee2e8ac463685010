"""Undo: a person's own last act on an edition is taken back, if what it changed is still as the act left it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest

from digest.desk import audit_log
from digest.desk.acts import merge, paper_acts
from digest.desk.acts.paper_acts import ConflictError, CuratingError
from digest.models import Announcement, AuditEntry, Edition, EditionPaper, Paper

Values = dict[str, Any]
ORDER = "order pins"
CHOICES = ("is_pinned", "is_hidden", "note")
WORDS = {
    "pin": "the pin of",
    "unpin": "the unpinning of",
    "hide": "the hiding of",
    "show": "the showing of",
    "note": "the note on",
    "add": "the adding of",
    "bring back": "the return of",
    "merge": "the merge of",
    "split": "the split of",
}


def last(actor: str, edition: Edition) -> AuditEntry | None:
    """The newest act of this person on this edition's papers; None where that was an undo."""
    subjects = Q(subject=audit_log.of_edition(edition)) | Q(subject__endswith=f" in {audit_log.of_edition(edition)}")
    acts = AuditEntry.objects.filter(subjects, actor=actor, verb__in=(*WORDS, ORDER, "undo"))
    act = acts.order_by("-id").first()
    return None if act is None or act.verb == "undo" else act


def undo(request: HttpRequest, edition: Edition, now: datetime) -> AuditEntry:
    """Take back one's own last act. Raises ConflictError if another person changed it since."""
    act = last(request.user.get_username(), edition)
    if act is None:
        raise CuratingError("There is nothing of yours to undo in this edition.")
    try:
        if act.verb in merge.VERBS:
            merge.undo(request, edition, act, now)
        else:
            _take_back(request, edition, act, now)
    except ConflictError as error:
        raise ConflictError(f"Not undone: {said(act)}. {error}") from error
    return act


def said(act: AuditEntry) -> str:
    """An act in words, such as `the pin of “Speech from silence”`."""
    paper = paper_of(act)
    if paper is None:
        return "the order of the pins"
    title = Paper.objects.filter(pk=paper).values_list("title", flat=True).first()
    return f"{WORDS[act.verb]} “{title or paper}”"


def paper_of(act: AuditEntry) -> int | None:
    """The id of the paper that an act was done to; None if it was done to the edition."""
    sort, number = act.subject.split()[:2]
    return int(number) if sort == "paper" else None


def _take_back(request: HttpRequest, edition: Edition, act: AuditEntry, now: datetime) -> None:
    do = _OTHERS.get(act.verb, _restore)
    with transaction.atomic():
        paper_acts.lock(edition)
        done = do(edition, act)
        if done is None:
            raise ConflictError(_who_changed(act))
        paper_acts.touch(edition)
        audit_log.record(request, "undo", act.subject, now, done[0], {**done[1], "undoes": act.pk})


def _who_changed(act: AuditEntry) -> str:
    since = AuditEntry.objects.filter(pk__gt=act.pk, verb__in=(*WORDS, ORDER, "undo")).exclude(actor=act.actor)
    other = since.filter(subject__endswith=act.subject).order_by("-id").first()
    return f"{other.actor} changed this after you did ({other.verb})." if other else "It was changed since."


def _row(edition: Edition, act: AuditEntry) -> EditionPaper | None:
    return EditionPaper.objects.select_for_update().filter(edition=edition, paper=paper_of(act)).first()


# Each takes its act back and answers the values before and after, for the log; None if they are not as the act left
# them.


def _restore(edition: Edition, act: AuditEntry) -> tuple[Values, Values] | None:
    """What was pinned, hidden or noted. Its place among the pins may have changed since: that is no matter."""
    row = _row(edition, act)
    changed = [name for name in paper_acts.FIELDS if act.before[name] != act.after[name]]
    if row is None or any(getattr(row, name) != act.after[name] for name in changed if name in CHOICES):
        return None
    before = {name: getattr(row, name) for name in changed}
    after = {name: act.before[name] for name in changed}
    EditionPaper.objects.filter(pk=row.pk).update(**after)
    return before, after


def _reorder(edition: Edition, act: AuditEntry) -> tuple[Values, Values] | None:
    """The order of pins."""
    pins = list(EditionPaper.objects.select_for_update().filter(edition=edition, is_pinned=True))
    before = {"pins": [pin.paper_id for pin in pins]}
    if before["pins"] != act.after["pins"]:
        return None
    place = {paper: at for at, paper in enumerate(act.before["pins"])}
    paper_acts.place_pins(sorted(pins, key=lambda pin: place[pin.paper_id]))
    return before, {"pins": act.before["pins"]}


def _withdraw(edition: Edition, act: AuditEntry) -> tuple[Values, Values] | None:
    """A paper that was added or brought back; the next pull must not take it for one that a curator announced."""
    row = _row(edition, act)
    if row is None or row.is_pinned or row.is_hidden or row.note:
        return None
    row.delete()
    if act.verb == "add":
        Announcement.objects.filter(paper_id=row.paper_id, source__slug="desk").delete()
    return {}, {}


_OTHERS: dict[str, Callable[[Edition, AuditEntry], tuple[Values, Values] | None]] = {
    ORDER: _reorder,
    "add": _withdraw,
    "bring back": _withdraw,
}
