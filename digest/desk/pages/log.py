"""The log of who did what: filtered by person, act and day, papers by title."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from digest.desk import audit_log
from digest.desk.access import door
from digest.desk.acts import parsing
from digest.desk.pages.base import page
from digest.desk.roles import Right
from digest.models import AuditEntry, EditionPaper, Paper

ACTS_SHOWN = 100
ASKED = ("actor", "verb", "day")
PAPER = re.compile(r"paper (\d{1,17})(?: in edition (\d{4}-\d\d-\d\d))?")
EDITION = re.compile(r"edition (\d{4}-\d\d-\d\d)")


@dataclass(frozen=True, slots=True)
class Line:
    """One act: what it was done to (in words, and where that is looked at) and what it changed."""

    act: AuditEntry
    subject: str
    url: str
    changes: list[str]


@door(Right.ADMINISTER)
def log_page(request: HttpRequest) -> HttpResponse:
    """Who did what, the newest first."""
    asked = {name: request.GET.get(name, "").strip() for name in ASKED}
    acts = _asked_for(asked)
    before = parsing.number(request.GET.get("before", ""))
    if before is not None:
        acts = acts.filter(pk__lt=before)
    shown = list(acts[:ACTS_SHOWN])
    return page(
        request, "log.html", current="log", lines=_lines(shown), asked=asked,
        verbs=AuditEntry.objects.order_by("verb").values_list("verb", flat=True).distinct(),
        older=shown[-1].pk if len(shown) == ACTS_SHOWN else None,
    )  # fmt: skip


def _asked_for(asked: dict[str, str]) -> QuerySet[AuditEntry]:
    acts, day = AuditEntry.objects.order_by("-id"), parsing.day(asked["day"])
    if asked["actor"]:
        acts = acts.filter(actor=asked["actor"])
    if asked["verb"]:
        acts = acts.filter(verb=asked["verb"])
    return acts.filter(at__range=_span(day)) if day else acts


def _span(day: date) -> tuple[datetime, datetime]:
    since = datetime.combine(day, time(), UTC)
    return since, since + timedelta(days=1) - timedelta(microseconds=1) if day < date.max else since


def _lines(acts: Sequence[AuditEntry]) -> list[Line]:
    """Papers by their titles; one that is gone (merged into another, say) keeps its number."""
    found = {act.pk: match for act in acts if (match := PAPER.fullmatch(act.subject))}
    titles = dict(Paper.objects.filter(pk__in={int(one[1]) for one in found.values()}).values_list("pk", "title"))
    places = _places({int(one[1]) for one in found.values()})
    return [_line(act, found.get(act.pk), titles, places) for act in acts]


def _places(papers: set[int]) -> dict[tuple[int, str], int]:
    """(paper, day of its edition) -> its row in the sieve."""
    rows = EditionPaper.objects.filter(paper__in=papers).values_list("paper", "edition__date", "pk")
    return {(paper, str(day)): entry for paper, day, entry in rows}


def _line(
    act: AuditEntry, paper: re.Match[str] | None, titles: dict[int, str], places: dict[tuple[int, str], int]
) -> Line:
    changes = audit_log.changes(act)
    edition = EDITION.fullmatch(act.subject)
    if edition and parsing.day(edition[1]):
        return Line(act, act.subject, reverse("desk-edition", args=[edition[1]]), changes)
    if paper is None or int(paper[1]) not in titles:
        return Line(act, act.subject, "", changes)
    entry = places.get((int(paper[1]), paper[2] or ""))
    url = f"{reverse('desk-triage', args=[paper[2]])}#p{entry}" if entry else ""
    return Line(act, titles[int(paper[1])], url, changes)
