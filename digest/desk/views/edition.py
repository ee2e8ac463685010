"""One edition: its note, its pins in order, holding it, and letting it go after second thoughts."""

from __future__ import annotations

from datetime import UTC, date, datetime

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from digest import editions
from digest.desk import issuing, pipeline, tallies
from digest.desk.access import door
from digest.desk.curating import ConflictError, CuratingError
from digest.desk.roles import Right
from digest.desk.views.pages import act, edition_of, page
from digest.models import Edition
from digest.sources import health

STEPS = {
    "freeze": (issuing.freeze, "Frozen: its content is fixed."),
    "hold": (issuing.hold, "Held: it stays until you let it go."),
    "let-go": (issuing.let_go, "Let go: it collects again, and goes out when it is complete."),
    "take-back": (issuing.take_back, "Taken back: no letter has gone. It is held until you let it go."),
}


@door(Right.VIEW)
def edition(request: HttpRequest, day: date) -> HttpResponse:
    return _show(request, edition_of(day))


def _show(request: HttpRequest, row: Edition, status: int = 200, mine: str | None = None) -> HttpResponse:
    now = timezone.now()
    row.refresh_from_db()
    states = Edition.State
    return page(
        request, "edition.html", status, current="edition", edition=row, now=now,
        pins=row.entries.filter(is_pinned=True).select_related("paper"),
        shown=row.entries.filter(is_hidden=False).count(), hidden=row.entries.filter(is_hidden=True).count(),
        is_open=row.state in {states.COLLECTING, states.HELD}, is_out=row.state == states.RELEASED,
        leaves_at=row.release_at if row.release_at and row.state != states.RELEASED else None,
        deadline=editions.deadline(row.date), coverage=row.coverage or health.coverage(row.date, now).receipt,
        account=pipeline.account(tallies.read("letters", row.date)), mine=mine,
        earlier=Edition.objects.filter(date__lt=row.date).order_by("-date").first(),
        later=Edition.objects.filter(date__gt=row.date).order_by("date").first(),
    )  # fmt: skip


@door(get=False, post=Right.CURATE)
def note(request: HttpRequest, day: date) -> HttpResponse:
    row, text = edition_of(day), request.POST.get("note", "")
    seen = request.POST.get("revision", "")
    try:
        curator = request.POST.get("curator", "")
        issuing.write_note(request, row, text, curator, int(seen) if seen.isdigit() else -1, timezone.now())
    except ConflictError as error:
        messages.error(request, str(error))
        return _show(request, row, 409, mine=text)
    except CuratingError as error:
        messages.error(request, str(error))
        return _show(request, row, 400, mine=text)
    messages.success(request, "The note is kept.")
    return redirect("desk-edition", day)


@door(get=False, post=Right.CURATE)
def step(request: HttpRequest, day: date, verb: str) -> HttpResponse:
    """Freeze, hold, let go, take back."""
    if verb not in STEPS:
        raise Http404(f"There is no act called {verb!r}.")
    row, (do, done) = edition_of(day), STEPS[verb]
    return act(request, done, reverse("desk-edition", args=[day]), lambda: do(request, row, timezone.now()))


@door(get=False, post=Right.CURATE)
def release_at(request: HttpRequest, day: date) -> HttpResponse:
    """A time (UTC) at which it goes out by itself."""
    row, back = edition_of(day), reverse("desk-edition", args=[day])
    try:
        at = datetime.fromisoformat(request.POST.get("at", "")).replace(tzinfo=UTC)
    except ValueError:
        messages.error(request, "Write the time as day and hour, such as 2026-06-03 07:30 (UTC).")
        return redirect(back)
    done = f"It goes out on {at:%-d %B at %H:%M} UTC."
    return act(request, done, back, lambda: issuing.release_at(request, row, at, timezone.now()))


@door(Right.CURATE, post=Right.CURATE)
def release(request: HttpRequest, day: date) -> HttpResponse:
    """First what would happen, then the act; five minutes later it happens."""
    row, now = edition_of(day), timezone.now()
    problem = ""
    if request.method == "POST":
        seen = request.POST.get("revision", "")
        try:
            issuing.release(request, row, int(seen) if seen.isdigit() else -1, request.POST.get("typed", ""), now)
        except CuratingError as error:
            problem = str(error)
        else:
            messages.success(request, "Released: letters begin to go in five minutes. Until then you can take it back.")
            return redirect("desk-edition", day)
    return page(
        request, "release.html", 400 if problem else 200, current="edition", edition=row, problem=problem,
        letters=issuing.letters_ahead(now), typed_above=issuing.TYPED_ABOVE,
        shown=row.entries.filter(is_hidden=False).count(), hidden=row.entries.filter(is_hidden=True).count(),
        pins=row.entries.filter(is_pinned=True).count(),
        missing=health.coverage(row.date, now).missing,
    )  # fmt: skip


@door(Right.VIEW)
def difference(request: HttpRequest, day: date) -> HttpResponse:
    """The dry run: whose letter the curator's acts change."""
    row = edition_of(day)
    return page(
        request, "difference.html", current="edition", edition=row, difference=issuing.difference(row, timezone.now())
    )
