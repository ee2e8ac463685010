"""Two rows that are one paper, and one row that is two: merged and split by a curator, and both taken back.

A merge counts only while the edition is open. A split is possible at any time, for what is wrongly one
paper often shows only when a journal's announcement has joined it: what went out stays as it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from digest.desk import audit_log
from digest.desk.acts import paper_acts
from digest.desk.acts.paper_acts import ConflictError, CuratingError
from digest.editions import lifecycle
from digest.models import Announcement, AuditEntry, Edition, EditionPaper, Identifier, Paper
from digest.papers import merge as paper_merge
from digest.sources.parsers import registry

VERBS = ("merge", "split")
_WORDS = ("title", "abstract", "authors", "version", "is_withdrawn")
_CHOICES = ("is_pinned", "is_hidden", "note")


@dataclass(frozen=True, slots=True)
class Name:
    """A name a paper goes by, in words, and where it leads (if anywhere)."""

    value: str
    said: str
    url: str


def merge(request: HttpRequest, edition: Edition, one: Paper, two: Paper, now: datetime) -> Paper:
    """Two rows that are one paper become one."""
    with transaction.atomic():
        paper_acts.lock(edition)
        was = {paper.pk: _remembered(paper, edition) for paper in (one, two)}
        try:
            keep = paper_merge.merge(one, two, now)
        except paper_merge.MergeError as error:
            raise CuratingError(str(error)) from error
        if not EditionPaper.objects.filter(paper=keep, is_late_riser=False).exists():
            paper_acts.append(edition, keep)
        paper_acts.touch(edition)
        gone = two if keep.pk == one.pk else one
        before = {"papers": [one.pk, two.pk], "titles": [one.title, two.title], "gone": gone.pk} | was[gone.pk]
        kept = {name: value for name, value in was[keep.pk]["words"].items() if value != getattr(keep, name)}
        after = {"kept": keep.pk}
        audit_log.record(request, "merge", audit_log.of_paper(keep.pk, edition), now, before | {"words": kept}, after)
    return keep


def _remembered(paper: Paper, edition: Edition) -> dict[str, Any]:
    """What a merge takes from a paper and an undo gives back."""
    place = EditionPaper.objects.filter(paper=paper, edition=edition, is_late_riser=False).first()
    return {
        "names": [name.value for name in names(paper)],
        "words": {name: getattr(paper, name) for name in _WORDS},
        "place": {name: getattr(place, name) for name in _CHOICES} if place else {},
    }


def names(paper: Paper) -> list[Name]:
    """Every name the paper goes by; what has one name only cannot be split."""
    return [_name(value) for value in paper.identifiers.order_by("value").values_list("value", flat=True)]


def _name(value: str) -> Name:
    sort, _, rest = value.partition(":")
    said, start = {
        "arxiv": ("arXiv", "https://arxiv.org/abs/"),
        "doi": ("DOI", "https://doi.org/"),
        "url": ("Page", "https://"),
    }.get(sort, ("Name at its source", ""))
    return Name(value, f"{said} {rest}", start and start + rest)


def announcements(paper: Paper) -> QuerySet[Announcement]:
    """Who announced the paper, the newest first."""
    return paper.announcements.select_related("source").order_by("-day", "source__name")


def divisible(papers: Sequence[int]) -> set[int]:
    """Those of the papers that go by more than one name."""
    seen: set[int] = set()
    twice: set[int] = set()
    for paper in Identifier.objects.filter(paper_id__in=papers).values_list("paper_id", flat=True):
        (twice if paper in seen else seen).add(paper)
    return twice


def split(request: HttpRequest, edition: Edition, paper: Paper, going: Sequence[str], now: datetime) -> str:
    """Give some of a paper's names a paper of their own; says what came of it."""
    with transaction.atomic():
        row = Edition.objects.select_for_update().get(pk=edition.pk)
        paper = Paper.objects.select_for_update().get(pk=paper.pk)
        before = {"names": [name.value for name in names(paper)], "title": paper.title}
        try:
            new = paper_merge.split(paper, going, now, registry.preprint_kinds())
        except paper_merge.MergeError as error:
            raise CuratingError(str(error)) from error
        if row.state in paper_acts.OPEN:
            lifecycle.collect(row.date, now)
            paper_acts.touch(row)
        after = {"new": new.pk, "names": sorted(going)}
        audit_log.record(request, "split", audit_log.of_paper(paper.pk, edition), now, before, after)
    return _said(new, row)


def _said(new: Paper, edition: Edition) -> str:
    told = "Split: they are two papers now, and no pull makes them one again."
    place = EditionPaper.objects.filter(paper=new, is_late_riser=False).select_related("edition").first()
    if place and place.edition_id == edition.pk:
        return f"{told} The other one is at the end of the list."
    if place:
        return f"{told} The other one is in the edition of {place.edition.date}."
    if new.announcements.exists():
        return f"{told} The next edition takes the other one, if it was announced in the last week."
    return f"{told} The other one is in no edition: nobody has announced it by that name yet."


# -- undo -------------------------------------------------------------------------------------------


def undo(request: HttpRequest, edition: Edition, act: AuditEntry, now: datetime) -> None:
    """Take a merge or a split back, if the papers are still as it left them."""
    with transaction.atomic():
        row = Edition.objects.select_for_update().get(pk=edition.pk)
        kept = Paper.objects.select_for_update().get(pk=int(act.subject.split()[1]))
        try:
            (_undo_merge if act.verb == "merge" else _undo_split)(kept, row, act, now)
        except paper_merge.MergeError as error:
            raise ConflictError(str(error)) from error
        paper_acts.touch(row)
        audit_log.record(request, "undo", act.subject, now, act.after, {"undoes": act.pk})


def _undo_merge(kept: Paper, edition: Edition, act: AuditEntry, now: datetime) -> None:
    paper_acts.lock(edition)
    _insist(kept, act.before["names"])
    words = act.before["words"]
    for name, value in words.items():
        setattr(kept, name, value)
    kept.save(update_fields=list(words))
    gone = paper_merge.split(kept, act.before["names"], now, registry.preprint_kinds())
    place = act.before["place"]
    if place and not EditionPaper.objects.filter(paper=gone, is_late_riser=False).exists():
        back = paper_acts.append(edition, gone)
        EditionPaper.objects.filter(pk=back.pk).update(**place)


def _undo_split(kept: Paper, _: Edition, act: AuditEntry, now: datetime) -> None:
    new = Paper.objects.filter(pk=act.after["new"], merged_into=None).first()
    if new is None:
        raise ConflictError("The paper that was split off was merged since; they stay as they are now.")
    _insist(new, act.after["names"])
    paper_merge.merge(kept, new, now)
    Identifier.objects.filter(value__in=act.after["names"]).update(is_apart=False)


def _insist(paper: Paper, wanted: Sequence[str]) -> None:
    if paper.identifiers.filter(value__in=wanted).count() != len(wanted):
        raise ConflictError("Someone merged or split these papers after you did; they stay as they are now.")
