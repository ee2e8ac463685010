"""Merging two rows that are one paper, splitting one row that is two papers, and undoing both.

A merge needs an open edition. A split is possible at any time, because two papers are often joined only by a journal's
later announcement; letters that were sent stay as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Count, QuerySet

from digest.desk import audit_log
from digest.desk.actor import Actor
from digest.desk.acts import paper_acts
from digest.desk.acts.paper_acts import ConflictError, CuratingError
from digest.editions import lifecycle
from digest.models import Announcement, AuditEntry, Edition, EditionPaper, Identifier, Paper
from digest.papers import merge as paper_merge
from digest.sources.parsers import registry

VERBS = ("merge", "split")
MERGED_FIELDS = ("title", "abstract", "authors", "version", "is_withdrawn")
CHOICES = ("is_pinned", "is_hidden", "note")
# kind of identifier -> its name for people, and the start of its address
KINDS = {
    "arxiv": ("arXiv", "https://arxiv.org/abs/"),
    "doi": ("DOI", "https://doi.org/"),
    "url": ("Page", "https://"),
}


@dataclass(frozen=True, slots=True)
class Name:
    """An identifier of a paper, in words, and its address (empty where it has none)."""

    value: str
    label: str
    url: str


def merge(actor: Actor, edition: Edition, one: Paper, two: Paper, now: datetime) -> Paper:
    """Make one paper of two rows; returns the one that stays."""
    with transaction.atomic():
        paper_acts.lock(edition)
        states = {paper.pk: state_before_merge(paper, edition) for paper in (one, two)}
        try:
            keep = paper_merge.merge(one, two, now)
        except paper_merge.MergeError as error:
            raise CuratingError(str(error)) from error
        if not EditionPaper.objects.filter(paper=keep, is_late_riser=False).exists():
            paper_acts.append(edition, keep)
        paper_acts.touch(edition)
        gone = two if keep.pk == one.pk else one
        overwritten = {}
        for name, value in states[keep.pk]["words"].items():
            if value != getattr(keep, name):
                overwritten[name] = value
        before = {
            "papers": [one.pk, two.pk],
            "titles": [one.title, two.title],
            "gone": gone.pk,
            **states[gone.pk],
            "words": overwritten,
        }
        audit_log.record(actor, "merge", audit_log.of_paper(keep.pk, edition), now, before, {"kept": keep.pk})
    return keep


def state_before_merge(paper: Paper, edition: Edition) -> dict[str, Any]:
    """What a merge takes from a paper and an undo gives back."""
    place = EditionPaper.objects.filter(paper=paper, edition=edition, is_late_riser=False)
    return {
        "names": identifiers_of(paper),
        "words": {name: getattr(paper, name) for name in MERGED_FIELDS},
        "place": place.values(*CHOICES).first() or {},
    }


def identifiers_of(paper: Paper) -> list[str]:
    """Every identifier of the paper, in the order of the alphabet."""
    return list(paper.identifiers.order_by("value").values_list("value", flat=True))


def names(paper: Paper) -> list[Name]:
    """Every identifier of the paper, in words; a paper with only one cannot be split."""
    found = []
    for value in identifiers_of(paper):
        kind, _, rest = value.partition(":")
        label, start = KINDS.get(kind, ("Name at its source", ""))
        url = start and start + rest
        found.append(Name(value, f"{label} {rest}", url))
    return found


def announcements(paper: Paper) -> QuerySet[Announcement]:
    """Who announced the paper, the newest first."""
    return paper.announcements.select_related("source").order_by("-day", "source__name")


def divisible(papers: Sequence[int]) -> set[int]:
    """Those of the papers that have more than one identifier."""
    rows = Identifier.objects.filter(paper_id__in=papers).values("paper_id").annotate(names=Count("id"))
    return set(rows.filter(names__gt=1).order_by().values_list("paper_id", flat=True))


def split(actor: Actor, edition: Edition, paper: Paper, going: Sequence[str], now: datetime) -> str:
    """Give some of a paper's identifiers a paper of their own; returns what came of it, in words."""
    with transaction.atomic():
        row = Edition.objects.select_for_update().get(pk=edition.pk)
        paper = Paper.objects.select_for_update().get(pk=paper.pk)
        before = {"names": identifiers_of(paper), "title": paper.title}
        try:
            new = paper_merge.split(paper, going, now, registry.preprint_kinds())
        except paper_merge.MergeError as error:
            raise CuratingError(str(error)) from error
        if row.state in paper_acts.OPEN:
            lifecycle.collect(row.date, now)
            paper_acts.touch(row)
        after = {"new": new.pk, "names": sorted(going)}
        audit_log.record(actor, "split", audit_log.of_paper(paper.pk, edition), now, before, after)
    return split_result(new, row)


def split_result(new: Paper, edition: Edition) -> str:
    """Where the paper that was split off is now."""
    done = "Split: they are two papers now, and no pull makes them one again."
    place = EditionPaper.objects.filter(paper=new, is_late_riser=False).select_related("edition").first()
    if place and place.edition_id == edition.pk:
        return f"{done} The other one is at the end of the list."
    if place:
        return f"{done} The other one is in the edition of {place.edition.date}."
    if new.announcements.exists():
        return f"{done} The next edition takes the other one, if it was announced in the last week."
    return f"{done} The other one is in no edition: nobody has announced it by that name yet."


def undo(actor: Actor, edition: Edition, act: AuditEntry, now: datetime) -> None:
    """Take a merge or a split back. Raises ConflictError if the papers are not as it left them."""
    with transaction.atomic():
        row = Edition.objects.select_for_update().get(pk=edition.pk)
        kept = Paper.objects.select_for_update().get(pk=int(act.subject.split()[1]))
        try:
            if act.verb == "merge":
                undo_merge(kept, row, act, now)
            else:
                undo_split(kept, act, now)
        except paper_merge.MergeError as error:
            raise ConflictError(str(error)) from error
        paper_acts.touch(row)
        audit_log.record(actor, "undo", act.subject, now, act.after, {"undoes": act.pk})


def undo_merge(kept: Paper, edition: Edition, act: AuditEntry, now: datetime) -> None:
    paper_acts.lock(edition)
    require_names(kept, act.before["names"])
    overwritten = act.before["words"]
    for name, value in overwritten.items():
        setattr(kept, name, value)
    kept.save(update_fields=list(overwritten))
    gone = paper_merge.split(kept, act.before["names"], now, registry.preprint_kinds())
    place = act.before["place"]
    if place and not EditionPaper.objects.filter(paper=gone, is_late_riser=False).exists():
        back = paper_acts.append(edition, gone)
        EditionPaper.objects.filter(pk=back.pk).update(**place)


def undo_split(kept: Paper, act: AuditEntry, now: datetime) -> None:
    new = Paper.objects.filter(pk=act.after["new"], merged_into=None).first()
    if new is None:
        raise ConflictError("The paper that was split off was merged since; they stay as they are now.")
    require_names(new, act.after["names"])
    paper_merge.merge(kept, new, now)
    Identifier.objects.filter(value__in=act.after["names"]).update(is_apart=False)


def require_names(paper: Paper, wanted: Sequence[str]) -> None:
    """Raises ConflictError unless the paper has all of these identifiers."""
    if paper.identifiers.filter(value__in=wanted).count() != len(wanted):
        raise ConflictError("Someone merged or split these papers after you did; they stay as they are now.")
