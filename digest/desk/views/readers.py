"""Readers: found by address, one page each, imported and exported; and the log of who did what."""

from __future__ import annotations

import io
import json
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management import CommandError, call_command
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone

from digest.delivery import reasons
from digest.desk import charts, log, people, settling, tallies
from digest.desk.access import door
from digest.desk.models import Act
from digest.desk.roles import Right
from digest.desk.views.pages import act, page
from subscriptions.models import Subscriber

MONTH = 30
MOST_BYTES = 1_000_000
ACTS_SHOWN = 200


@door(Right.OPERATE)
def readers(request: HttpRequest) -> HttpResponse:
    now, text, state = timezone.now(), request.GET.get("q", ""), request.GET.get("state", "")
    tallies.fresh(now)
    since, until = now.date() - timedelta(days=MONTH - 1), now.date()
    days = people.growth(since, until, tallies.series("joined", since, until), tallies.series("left", since, until))
    return page(
        request, "readers.html", current="readers", q=text, state=state, found=people.search(text, state),
        states=Subscriber.State.choices, numbers=tallies.read("readers", until), most=people.FOUND,
        chart=charts.stacked("Readers who came and went", ("joined", "left"), days),
    )  # fmt: skip


@door(Right.OPERATE)
def reader(request: HttpRequest, reader: UUID) -> HttpResponse:
    row = get_object_or_404(Subscriber, uuid=reader)
    now = timezone.now()
    letters = [(one, reasons.sentence(one.reason) if one.reason else "") for one in people.letters(row)]
    return page(
        request, "reader.html", current="readers", reader=row, now=now, letters=letters, events=people.events(row),
        interests=row.interests.select_related("topic", "filter"), why=people.why_nothing_today(row, now),
        consents=row.consents.order_by("-at")[:20],
    )  # fmt: skip


@door(get=False, post=Right.OPERATE)
def change(request: HttpRequest, reader: UUID, verb: str) -> HttpResponse:
    """Ask again, suppress, lift."""
    row, now = get_object_or_404(Subscriber, uuid=reader), timezone.now()
    back = reverse("desk-reader", args=[row.uuid])
    verbs = {
        "ask": (lambda: people.ask_again(request, row, now), "Asked again by mail."),
        "suppress": (lambda: settling.suppress(request, row.email, request.POST.get("detail", ""), now), "Suppressed."),
        "lift": (lambda: settling.lift(request, row.email, now), "Lifted: they are asked to confirm anew."),
    }
    if verb not in verbs:
        raise Http404(f"There is no act called {verb!r}.")
    do, done = verbs[verb]
    return act(request, done, back, do)


@door(get=False, post=Right.ADMINISTER)
def erase(request: HttpRequest, reader: UUID) -> HttpResponse:
    row, now = get_object_or_404(Subscriber, uuid=reader), timezone.now()
    back = reverse("desk-reader", args=[row.uuid])
    return act(request, "Erased.", back, lambda: people.erase(request, row, request.POST.get("typed", ""), now))


@door(Right.ADMINISTER, post=Right.ADMINISTER)
def bring_in(request: HttpRequest) -> HttpResponse:
    """Many readers out of a CSV file: first tried, then done."""
    answer: dict[str, Any] = {}
    problem = ""
    if request.method == "POST":
        answer, problem = _import(request)
    return page(request, "import.html", 400 if problem else 200, current="readers", answer=answer, problem=problem)


def _import(request: HttpRequest) -> tuple[dict[str, Any], str]:
    file = request.FILES.get("file")
    if file is None or (file.size or 0) > MOST_BYTES:
        return {}, "Choose a CSV file of at most 1 MB."
    dry = request.POST.get("really") != "yes"
    with tempfile.TemporaryDirectory(prefix="offprint-import-") as folder:
        path = Path(folder) / "readers.csv"
        path.write_bytes(file.read())
        answer = _command("import_subscribers", str(path), *(["--dry-run"] if dry else []))
    if "error" in answer:
        return {}, str(answer["error"])
    if not dry:
        kept = {name: answer[name] for name in ("new", "known", "refused")}
        log.record(request, "import readers", "readers", timezone.now(), {}, kept)
    return answer, ""


def _command(*words: str) -> dict[str, Any]:
    """A command's JSON answer, whether it went well or not."""
    out = io.StringIO()
    try:
        call_command(*words, "--json", stdout=out)
    except (SystemExit, CommandError) as end:
        if not out.getvalue():
            return {"error": str(end)}
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


@door(get=False, post=Right.ADMINISTER)
def export(request: HttpRequest) -> StreamingHttpResponse:
    """Every reader as CSV; a POST, since it is written down who took it."""
    log.record(request, "export readers", "readers", timezone.now())
    response = StreamingHttpResponse(people.rows(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="readers.csv"'
    return response


@door(Right.ADMINISTER)
def log_page(request: HttpRequest) -> HttpResponse:
    """Who did what, the newest first."""
    acts = Act.objects.order_by("-id")
    actor, verb = request.GET.get("actor", "").strip(), request.GET.get("verb", "").strip()
    if actor:
        acts = acts.filter(actor=actor)
    if verb:
        acts = acts.filter(verb=verb)
    return page(request, "log.html", current="log", acts=acts[:ACTS_SHOWN], actor=actor, verb=verb, most=ACTS_SHOWN)
