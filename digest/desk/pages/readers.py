"""Readers: found by address, one page each, imported and exported."""

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

from digest.desk import audit_log, counters
from digest.desk.access import door
from digest.desk.acts import delivery_acts, parsing, reader_acts
from digest.desk.acts.paper_acts import CuratingError
from digest.desk.pages import charts
from digest.desk.pages.base import act, actor_of, page
from digest.desk.roles import Right
from subscriptions import kept_upload
from subscriptions.models import Subscriber

MONTH = 30
MOST_BYTES = 1_000_000


@door(Right.OPERATE)
def readers(request: HttpRequest) -> HttpResponse:
    now, text, state = timezone.now(), request.GET.get("q", ""), request.GET.get("state", "")
    found = reader_acts.search(text, state, parsing.number(request.GET.get("before", "")))
    counters.fresh(now)
    since, until = now.date() - timedelta(days=MONTH - 1), now.date()
    days = reader_acts.growth(
        since, until, counters.series("joined", since, until), counters.series("left", since, until)
    )
    numbers = counters.read("readers", until)
    joined, left = (sum(counts[word] for _, counts in days) for word in ("joined", "left"))
    return page(
        request,
        "readers.html",
        current="readers",
        q=text,
        state=state,
        found=found,
        joined=joined,
        left=left,
        churn=reader_acts.churn(left, numbers.get("active", 0)),
        month=MONTH,
        states=Subscriber.State.choices,
        numbers=numbers,
        older=found[-1].pk if len(found) == reader_acts.FOUND else None,
        chart=charts.stacked("Readers who came and went", ("joined", "left"), days),
    )


@door(Right.OPERATE)
def reader(request: HttpRequest, reader: UUID) -> HttpResponse:
    row = get_object_or_404(Subscriber, uuid=reader)
    now = timezone.now()
    return page(
        request,
        "reader.html",
        current="readers",
        reader=row,
        now=now,
        letters=reader_acts.letters(row),
        events=reader_acts.events(row),
        interests=row.interests.select_related("topic", "filter"),
        why=reader_acts.why_nothing_today(row, now),
        suppression=reader_acts.suppression(row),
        consents=row.consents.order_by("-at")[:20],
    )


@door(get=False, post=Right.OPERATE)
def change(request: HttpRequest, reader: UUID, verb: str) -> HttpResponse:
    """Ask again, suppress, lift."""
    row, now = get_object_or_404(Subscriber, uuid=reader), timezone.now()
    back = reverse("desk-reader", args=[row.uuid])
    if verb == "ask":
        return act(request, "Asked again by mail.", back, reader_acts.ask_again, row, now)
    if verb == "suppress":
        return act(request, "Suppressed.", back, delivery_acts.suppress, row.email, request.POST.get("detail", ""), now)
    if verb == "lift":
        return act(request, "", back, delivery_acts.lift, row.email, now)
    raise Http404(f"There is no act called {verb!r}.")


@door(get=False, post=Right.ADMINISTER)
def erase(request: HttpRequest, reader: UUID) -> HttpResponse:
    row, now = get_object_or_404(Subscriber, uuid=reader), timezone.now()
    back = reverse("desk-reader", args=[row.uuid])
    return act(request, "Erased.", back, reader_acts.erase, row, request.POST.get("typed", ""), now)


@door(Right.ADMINISTER, post=Right.ADMINISTER)
def bring_in(request: HttpRequest) -> HttpResponse:
    """Many readers out of a CSV file: first tried, then done."""
    answer: dict[str, Any] = {}
    problem = carried = ""
    if request.method == "POST":
        try:
            body = _brought(request)
            answer = _import(request, body, dry=request.POST.get("really") != "yes")
            carried = kept_upload.packed(body) if answer["dry_run"] and answer["new"] else ""
        except CuratingError as error:
            problem = str(error)
    return page(
        request,
        "import.html",
        400 if problem else 200,
        current="readers",
        answer=answer,
        problem=problem,
        carried=carried,
    )


def _brought(request: HttpRequest) -> bytes:
    """The file, or what the trial's page carried on."""
    file = request.FILES.get("file")
    try:
        body = (
            file.read(MOST_BYTES + 1) if file else kept_upload.unpacked(request.POST.get("carried", ""), MOST_BYTES + 1)
        )
    except ValueError as error:
        raise CuratingError("The file was lost on the way. Choose it again.") from error
    if not body or len(body) > MOST_BYTES:
        raise CuratingError("Choose a CSV file of at most 1 MB.")
    return bytes(body)


def _import(request: HttpRequest, body: bytes, dry: bool) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="offprint-import-") as folder:
        path = Path(folder) / "readers.csv"
        path.write_bytes(body)
        answer = _command("import_subscribers", str(path), *(["--dry-run"] if dry else []))
    if "error" in answer:
        raise CuratingError(str(answer["error"]))
    if not dry:
        kept = {name: answer[name] for name in ("new", "known", "refused", "left_out")}
        audit_log.record(actor_of(request), "import readers", "readers", timezone.now(), {}, kept)
    return answer


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
    audit_log.record(actor_of(request), "export readers", "readers", timezone.now())
    response = StreamingHttpResponse(reader_acts.rows(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="readers.csv"'
    return response
