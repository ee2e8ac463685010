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
from digest.desk.access import requires
from digest.desk.actor import Actor
from digest.desk.acts import delivery_acts, parsing, reader_acts
from digest.desk.acts.paper_acts import CuratingError
from digest.desk.pages import charts
from digest.desk.pages.base import act, actor_of, page, uploaded
from digest.desk.roles import Right
from subscriptions import kept_upload
from subscriptions.models import Subscriber

MONTH = 30
MOST_BYTES = 1_000_000


@requires(Right.OPERATE)
def readers(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    text = request.GET.get("q", "")
    state = request.GET.get("state", "")
    found = reader_acts.search(text, state, parsing.number(request.GET.get("before", "")))
    counters.fresh(now)
    until = now.date()
    since = until - timedelta(days=MONTH - 1)
    came = counters.series("joined", since, until)
    went = counters.series("left", since, until)
    days = reader_acts.growth(since, until, came, went)
    numbers = counters.read("readers", until)
    joined = sum(counts["joined"] for _, counts in days)
    left = sum(counts["left"] for _, counts in days)
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


@requires(Right.OPERATE)
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


@requires(get=False, post=Right.OPERATE)
def change(request: HttpRequest, reader: UUID, verb: str) -> HttpResponse:
    """Ask again, suppress, lift."""
    row = get_object_or_404(Subscriber, uuid=reader)
    now = timezone.now()
    back = reverse("desk-reader", args=[row.uuid])
    if verb == "ask":
        return act(request, "Asked again by mail.", back, reader_acts.ask_again, row, now)
    if verb == "suppress":
        return act(request, "Suppressed.", back, delivery_acts.suppress, row.email, request.POST.get("detail", ""), now)
    if verb == "lift":
        return act(request, "", back, delivery_acts.lift, row.email, now)
    raise Http404(f"There is no act called {verb!r}.")


@requires(get=False, post=Right.ADMINISTER)
def erase(request: HttpRequest, reader: UUID) -> HttpResponse:
    row = get_object_or_404(Subscriber, uuid=reader)
    now = timezone.now()
    back = reverse("desk-reader", args=[row.uuid])
    return act(request, "Erased.", back, reader_acts.erase, row, request.POST.get("typed", ""), now)


@requires(Right.ADMINISTER, post=Right.ADMINISTER)
def bring_in(request: HttpRequest) -> HttpResponse:
    """Many readers out of a CSV file: first tried, then done."""
    answer: dict[str, Any] = {}
    problem = carried = ""
    if request.method == "POST":
        is_trial = request.POST.get("really") != "yes"
        try:
            body = uploaded(request, MOST_BYTES)
            answer = import_readers(actor_of(request), body, is_trial)
        except CuratingError as error:
            problem = str(error)
        else:
            if is_trial and answer["new"]:
                carried = kept_upload.packed(body)
    return page(
        request,
        "reader_import.html",
        400 if problem else 200,
        current="readers",
        answer=answer,
        problem=problem,
        carried=carried,
    )


def import_readers(actor: Actor, body: bytes, is_trial: bool) -> dict[str, Any]:
    """The answer of `import_subscribers`. Raises CuratingError where it says an error."""
    if not body or len(body) > MOST_BYTES:
        raise CuratingError("Choose a CSV file of at most 1 MB.")
    out = io.StringIO()
    with tempfile.TemporaryDirectory(prefix="offprint-import-") as folder:
        path = Path(folder) / "readers.csv"
        path.write_bytes(body)
        try:
            call_command("import_subscribers", str(path), dry_run=is_trial, json=True, stdout=out)
        except (SystemExit, CommandError) as error:
            if not out.getvalue():
                raise CuratingError(str(error)) from error
    answer: dict[str, Any] = json.loads(out.getvalue())
    if "error" in answer:
        raise CuratingError(str(answer["error"]))
    if not is_trial:
        counts = {name: answer[name] for name in ("new", "known", "refused", "left_out")}
        audit_log.record(actor, "import readers", "readers", timezone.now(), {}, counts)
    return answer


@requires(get=False, post=Right.ADMINISTER)
def export(request: HttpRequest) -> StreamingHttpResponse:
    """Every reader as CSV; a POST, since it is written down who took it."""
    audit_log.record(actor_of(request), "export readers", "readers", timezone.now())
    response = StreamingHttpResponse(reader_acts.rows(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="readers.csv"'
    return response
