"""The desk's first page: how the day is going, what is wrong, what comes next."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from digest.desk import counters
from digest.desk.access import requires
from digest.desk.acts import edition_status
from digest.desk.pages import dashboard, flow_chart, throughput
from digest.desk.pages.base import NotThereError, fragment, page
from digest.desk.roles import Right
from digest.models import Edition
from digest.operate import doctor

WORST_FIRST = (doctor.BAD, doctor.WARN, doctor.OK)


@requires(Right.VIEW)
def today(request: HttpRequest) -> HttpResponse:
    """The whole page; with `part=live` only what an open page renews."""
    now = timezone.now()
    counters.fresh(now)
    if request.GET.get("part") == "live":
        return fragment(request, "_today.html", **_facts(now))
    return page(request, "today.html", current="desk", **_facts(now))


def _facts(now: datetime) -> dict[str, Any]:
    edition = dashboard.current(now)
    account = None
    if edition is not None:
        account = dashboard.account(counters.read("letters", edition.date))
    return {
        "now": now,
        "edition": edition,
        "upcoming": dashboard.upcoming(edition),
        "stages": flow_chart.stages(edition, now),
        "alerts": dashboard.alerts(edition, now),
        "coming": dashboard.coming(edition, now),
        "progress": throughput.progress(edition, now),
        "account": account,
        "counted_at": counters.counted_at("readers"),
        "editions": Edition.objects.order_by("-date")[:7],
    }


@requires(Right.VIEW)
def papers(request: HttpRequest) -> HttpResponse:
    """The papers of the edition that is worked on now."""
    return redirect("desk-triage", _at_work().date)


@requires(Right.VIEW)
def editions(request: HttpRequest) -> HttpResponse:
    """The edition that is worked on now."""
    return redirect("desk-edition", _at_work().date)


def _at_work() -> Edition:
    """The open edition, where today's is out already; else the newest."""
    now = timezone.now()
    newest = dashboard.current(now)
    found = dashboard.upcoming(newest) or newest or Edition.objects.order_by("date").first()
    if found is None:
        raise NotThereError(f"There is no edition yet: the first one {edition_status.opening(now)}.")
    return found


@requires(Right.VIEW)
def elsewhere(request: HttpRequest, rest: str) -> HttpResponse:
    """Every address of the desk that is none."""
    raise Http404


@requires(Right.OPERATE)
def check(request: HttpRequest) -> HttpResponse:
    """What `manage.py doctor` says, without the look-ups that may take seconds."""
    now = timezone.now()
    findings = doctor.merged([*doctor.settings.look(), *doctor.services.database(), *doctor.jobs.look(now)])
    state = doctor.worst(findings)
    findings.sort(key=lambda one: WORST_FIRST.index(one.state))
    return page(request, "doctor.html", current="desk", state=state, findings=[asdict(one) for one in findings])
