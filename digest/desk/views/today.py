"""The desk's first page: how the day is going, what is wrong, what comes next."""

from __future__ import annotations

from dataclasses import asdict

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone

from digest import doctor
from digest.desk import pipeline, tallies
from digest.desk.access import door
from digest.desk.roles import Right
from digest.desk.views.pages import page
from digest.models import Edition

WORST_FIRST = (doctor.BAD, doctor.WARN, doctor.OK)


@door(Right.VIEW)
def today(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    tallies.fresh(now)
    edition = pipeline.current(now)
    return page(
        request,
        "today.html",
        current="desk",
        now=now,
        edition=edition,
        upcoming=pipeline.upcoming(edition),
        stages=pipeline.stages(edition, now),
        matters=pipeline.matters(edition, now),
        coming=pipeline.coming(edition, now),
        progress=pipeline.progress(edition, now),
        account=pipeline.account(tallies.read("letters", edition.date)) if edition else None,
        counted_at=tallies.counted_at("readers"),
        editions=Edition.objects.order_by("-date")[:7],
    )


@door(Right.VIEW)
def elsewhere(request: HttpRequest, rest: str) -> HttpResponse:
    """Every address of the desk that is none."""
    raise Http404


@door(Right.OPERATE)
def check(request: HttpRequest) -> HttpResponse:
    """What `manage.py doctor` says, without the look-ups that may take seconds."""
    now = timezone.now()
    findings = [*doctor.settings.look(), *doctor.servers.database(), *doctor.work.look(now)]
    state = doctor.worst(findings)
    findings.sort(key=lambda one: WORST_FIRST.index(one.state))
    return page(request, "doctor.html", current="desk", state=state, findings=[asdict(one) for one in findings])
