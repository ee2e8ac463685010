"""Undo: a person's own last act on an edition is taken back, if what it changed is still as the act left it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from digest.desk import audit_log
from digest.desk.actor import Actor
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
VERBS = (*WORDS, ORDER, "undo")


def last(actor: str, edition: Edition) -> AuditEntry | None:
    """The newest act of this person on this edition's papers; None where that was an undo."""
    subject = audit_log.of_edition(edition)
    acts = AuditEntry.objects.filter(
        Q(subject=subject) | Q(subject__endswith=f" in {subject}"), actor=actor, verb__in=VERBS
    )
    act = acts.order_by("-id").first()
    if act is None or act.verb == "undo":
        return None
    return act


def undo(actor: Actor, edition: Edition, now: datetime) -> AuditEntry:
    """Take back one's own last act. Raises ConflictError if another person changed it since."""
    act = last(actor.name, edition)
    if act is None:
        raise CuratingError("There is nothing of yours to undo in this edition.")
    try:
        if act.verb in merge.VERBS:
            merge.undo(actor, edition, act, now)
        else:
            take_back(actor, edition, act, now)
    except ConflictError as error:
        raise ConflictError(f"Not undone: {description(act)}. {error}") from error
    return act


def description(act: AuditEntry) -> str:
    """An act in words, such as `the pin of “Speech from silence”`."""
    paper = paper_of(act)
    if paper is None:
        return "the order of the pins"
    title = Paper.objects.filter(pk=paper).values_list("title", flat=True).first()
    return f"{WORDS[act.verb]} “{title or paper}”"


def paper_of(act: AuditEntry) -> int | None:
    """The id of the paper that an act was done to; None if it was done to the edition."""
    kind, number = act.subject.split()[:2]
    if kind == "paper":
        return int(number)
    return None


def take_back(actor: Actor, edition: Edition, act: AuditEntry, now: datetime) -> None:
    """Undo an act other than a merge or a split. Raises ConflictError where its values are not as it left them."""
    with transaction.atomic():
        paper_acts.lock(edition)
        if act.verb == ORDER:
            done = restore_order(edition, act)
        elif act.verb in {"add", "bring back"}:
            done = remove(edition, act)
        else:
            done = restore_values(edition, act)
        if done is None:
            raise ConflictError(changed_by(act))
        before, after = done
        paper_acts.touch(edition)
        audit_log.record(actor, "undo", act.subject, now, before, after | {"undoes": act.pk})


def changed_by(act: AuditEntry) -> str:
    """Who changed the act's subject since, in a sentence."""
    since = AuditEntry.objects.filter(pk__gt=act.pk, subject__endswith=act.subject, verb__in=VERBS)
    other = since.exclude(actor=act.actor).order_by("-id").first()
    if other is None:
        return "It was changed since."
    return f"{other.actor} changed this after you did ({other.verb})."


def entry_of(edition: Edition, act: AuditEntry) -> EditionPaper | None:
    """The locked row of the act's paper in the edition."""
    return EditionPaper.objects.select_for_update().filter(edition=edition, paper=paper_of(act)).first()


# Each of these takes an act back and returns the values before and after, for the log; None if they are not as the act
# left them.


def restore_values(edition: Edition, act: AuditEntry) -> tuple[Values, Values] | None:
    """Undo a pin, a hide or a note. The place among the pins may have changed since."""
    row = entry_of(edition, act)
    if row is None:
        return None
    before: Values = {}
    after: Values = {}
    for name in paper_acts.FIELDS:
        if act.before[name] == act.after[name]:
            continue
        value = getattr(row, name)
        if name in CHOICES and value != act.after[name]:
            return None
        before[name] = value
        after[name] = act.before[name]
    EditionPaper.objects.filter(pk=row.pk).update(**after)
    return before, after


def restore_order(edition: Edition, act: AuditEntry) -> tuple[Values, Values] | None:
    """Undo an order of pins."""
    pins = {pin.paper_id: pin for pin in paper_acts.locked_pins(edition)}
    before = {"pins": list(pins)}
    if before["pins"] != act.after["pins"]:
        return None
    wanted = act.before["pins"]
    paper_acts.place_pins([pins[paper] for paper in wanted])
    return before, {"pins": wanted}


def remove(edition: Edition, act: AuditEntry) -> tuple[Values, Values] | None:
    """Undo an add or a bring back; the next pull must not take the paper for one that a curator announced."""
    row = entry_of(edition, act)
    if row is None or row.is_pinned or row.is_hidden or row.note:
        return None
    row.delete()
    if act.verb == "add":
        Announcement.objects.filter(paper_id=row.paper_id, source__slug="desk").delete()
    return {}, {}
