"""Sources: a calendar of their days, one page each, and a new one looked at before it is added."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone

from digest.desk.access import requires
from digest.desk.actor import Actor
from digest.desk.acts import source_acts
from digest.desk.acts.paper_acts import CuratingError
from digest.desk.pages.base import act, actor_of, fields, page, uploaded
from digest.desk.pages.source_calendar import calendar
from digest.desk.roles import Right
from digest.models import Fetch, Outcome, Source
from digest.sources import opml
from digest.sources.parsers import registry
from subscriptions import kept_upload

LAST = 20
FORM = ("name", "kind", "url", "is_daily")
VERBS: dict[str, tuple[Callable[[Actor, Source, datetime], object], str]] = {
    "on": (source_acts.switch_on, "Switched on: it is asked at the next tick."),
    "off": (source_acts.switch_off, "Switched off: editions do not wait for it."),
    "trust": (source_acts.trust, "It may go on."),
    "move": (source_acts.move, "Its new address is kept: it is asked at the next tick."),
    "pull": (source_acts.ask_now, "Asked: see what came below."),
}


@requires(Right.VIEW)
def sources(request: HttpRequest) -> HttpResponse:
    today = timezone.now().date()
    rows = list(Source.objects.order_by("-is_enabled", "is_sample", "name"))
    enabled = [row for row in rows if row.is_enabled]
    return page(
        request,
        "sources.html",
        current="sources",
        rows=rows,
        map=calendar(enabled, today),
        kinds=dict(registry.choices()),
        outcomes=dict(Outcome.choices),
    )


@requires(Right.VIEW)
def source(request: HttpRequest, slug: str) -> HttpResponse:
    row = get_object_or_404(Source, slug=slug)
    today = timezone.now().date()
    fetches = row.fetches.defer("body", "ids", "profile").order_by("-at", "-id")[:LAST]
    kept = set(row.fetches.exclude(body=None).order_by("-at", "-id").values_list("pk", flat=True)[:LAST])
    return page(
        request,
        "source.html",
        current="sources",
        source=row,
        fetches=fetches,
        kept=kept,
        map=calendar([row], today),
        kinds=dict(registry.choices()),
        outcomes=dict(Outcome.choices),
    )


@requires(get=False, post=Right.OPERATE)
def change(request: HttpRequest, slug: str, verb: str) -> HttpResponse:
    """Switch on, switch off, trust again, take a new address, ask now."""
    row = get_object_or_404(Source, slug=slug)
    if verb not in VERBS:
        raise Http404(f"There is no act called {verb!r}.")
    do, done = VERBS[verb]
    return act(request, done, reverse("desk-source", args=[slug]), do, row, timezone.now())


@requires(get=False, post=Right.OPERATE)
def replay(request: HttpRequest, fetch: int) -> HttpResponse:
    row = get_object_or_404(Fetch.objects.select_related("source"), pk=fetch)
    back = reverse("desk-source", args=[row.source.slug])
    return act(request, "Read again: see the first line.", back, source_acts.replay, row, timezone.now())


@requires(Right.OPERATE, post=Right.OPERATE)
def new(request: HttpRequest) -> HttpResponse:
    """First looked at, which tells its kind; then added."""
    form = fields(request.POST, FORM)
    found, problem = None, ""
    if request.method == "POST":
        try:
            if request.POST.get("do") == "add":
                row = source_acts.add(actor_of(request), form, timezone.now())
                messages.success(request, f"{row.name} is added, and is asked at the next tick.")
                return redirect("desk-source", row.slug)
            found = source_acts.preview(form["url"], timezone.now())
            form |= {"url": found.url, "kind": found.kind, "name": form["name"] or found.title}
        except CuratingError as error:
            problem = str(error)
    return page(
        request,
        "source_new.html",
        400 if problem else 200,
        current="sources",
        form=form,
        found=found,
        problem=problem,
        kinds=registry.choices(),
    )


@requires(Right.OPERATE, post=Right.OPERATE)
def bring_in(request: HttpRequest) -> HttpResponse:
    """The feeds of an OPML file: first looked at, which adds nothing; then those that were chosen are added."""
    found, problem, body = [], "", b""
    if request.method == "POST":
        try:
            body = uploaded(request, source_acts.LIST_BYTES)
            if request.POST.get("do") == "add":
                done = source_acts.bring_in(actor_of(request), body, request.POST.getlist("feed"), timezone.now())
                messages.success(request, imported(len(done.added)))
                return redirect("desk-sources")
            found = source_acts.listed(body)
        except CuratingError as error:
            problem = str(error)
    return page(
        request,
        "source_import.html",
        400 if problem else 200,
        current="sources",
        found=found,
        problem=problem,
        free=sum(not one.problem for one in found),
        kinds=dict(registry.choices()),
        carried=kept_upload.packed(body) if found else "",
    )


def imported(count: int) -> str:
    if count == 1:
        return "1 source is added, and is asked at the next tick."
    return f"{count} sources are added, and are asked at the next tick."


@requires(Right.OPERATE)
def export(request: HttpRequest) -> HttpResponse:
    """The sources as an OPML file: those that are on, or with `all` every one."""
    rows = opml.ours(every=request.GET.get("all") == "yes")
    response = HttpResponse(opml.write(rows, f"{settings.SITE_NAME} sources"), content_type="text/x-opml+xml")
    response["Content-Disposition"] = 'attachment; filename="sources.opml"'
    return response
