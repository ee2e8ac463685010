"""The log of who did what: filtered by person, act and day, papers by title."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from digest.desk import audit_log
from digest.desk.access import requires
from digest.desk.acts import parsing
from digest.desk.pages.base import fields, page
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


@requires(Right.ADMINISTER)
def log_page(request: HttpRequest) -> HttpResponse:
    """Who did what, the newest first."""
    asked = fields(request.GET, ASKED)
    acts = AuditEntry.objects.order_by("-id")
    if asked["actor"]:
        acts = acts.filter(actor=asked["actor"])
    if asked["verb"]:
        acts = acts.filter(verb=asked["verb"])
    day = parsing.day(asked["day"])
    if day is not None:
        acts = acts.filter(at__range=(datetime.combine(day, time.min, UTC), datetime.combine(day, time.max, UTC)))
    before = parsing.number(request.GET.get("before", ""))
    if before is not None:
        acts = acts.filter(pk__lt=before)
    shown = list(acts[:ACTS_SHOWN])
    return page(
        request,
        "log.html",
        current="log",
        lines=lines_of(shown),
        asked=asked,
        verbs=AuditEntry.objects.order_by("verb").values_list("verb", flat=True).distinct(),
        older=shown[-1].pk if len(shown) == ACTS_SHOWN else None,
    )


def lines_of(acts: Sequence[AuditEntry]) -> list[Line]:
    """Papers by their titles; one that is gone (merged into another, say) keeps its number."""
    papers: dict[int, re.Match[str]] = {}
    for act in acts:
        match = PAPER.fullmatch(act.subject)
        if match:
            papers[act.pk] = match
    numbers = {int(match[1]) for match in papers.values()}
    titles = dict(Paper.objects.filter(pk__in=numbers).values_list("pk", "title"))
    places: dict[tuple[int, str], int] = {}  # (paper, day of its edition) -> its row in the review list
    rows = EditionPaper.objects.filter(paper__in=numbers).values_list("paper", "edition__date", "pk")
    for paper, day, entry in rows:
        places[paper, str(day)] = entry
    return [line_of(act, papers.get(act.pk), titles, places) for act in acts]


def line_of(
    act: AuditEntry, paper: re.Match[str] | None, titles: Mapping[int, str], places: Mapping[tuple[int, str], int]
) -> Line:
    """`paper` is the match of PAPER with the act's subject; None for other subjects."""
    subject = act.subject
    url = ""
    edition = EDITION.fullmatch(subject)
    if edition and parsing.day(edition[1]):
        url = reverse("desk-edition", args=[edition[1]])
    elif paper and int(paper[1]) in titles:
        subject = titles[int(paper[1])]
        entry = places.get((int(paper[1]), paper[2] or ""))
        if entry:
            url = f"{reverse('desk-triage', args=[paper[2]])}#p{entry}"
    return Line(act, subject, url, audit_log.changes(act))
