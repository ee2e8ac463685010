"""One edition: its note, its pins in order, holding it, and letting it go after second thoughts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from digest.desk import counters
from digest.desk.access import requires
from digest.desk.acts import edition_acts, parsing, undo
from digest.desk.acts.paper_acts import OPEN, ConflictError, CuratingError
from digest.desk.pages import dashboard
from digest.desk.pages import difference as dry_run
from digest.desk.pages.base import act, actor_of, edition_of, page
from digest.desk.roles import Right
from digest.editions import coverage, lifecycle
from digest.models import Edition, Outcome

STEPS = {
    "freeze": (edition_acts.freeze, "Frozen: its content is fixed."),
    "hold": (edition_acts.hold, "Held: it stays until you let it go."),
    "let-go": (edition_acts.let_go, "Let go: it collects again, and goes out when it is complete."),
    "take-back": (edition_acts.take_back, "Taken back: no letter has gone. It is held until you let it go."),
}
RELEASED = "Released: letters begin to go in five minutes. Until then you can take it back."


@dataclass(frozen=True, slots=True)
class Draft:
    """A note as it was sent, and its signature."""

    note: str
    curator: str


@requires(Right.VIEW)
def edition(request: HttpRequest, day: date) -> HttpResponse:
    return edition_page(request, edition_of(day))


def edition_page(request: HttpRequest, row: Edition, status: int = 200, draft: Draft | None = None) -> HttpResponse:
    """`draft` is a note that was sent and could not be kept: the form shows it again."""
    now = timezone.now()
    row.refresh_from_db()
    is_out = row.state == Edition.State.RELEASED
    next_hour = (now + timedelta(minutes=90)).replace(minute=0, second=0, microsecond=0)
    return page(
        request,
        "edition.html",
        status,
        current="editions",
        edition=row,
        now=now,
        pins=row.entries.filter(is_pinned=True).select_related("paper"),
        shown=row.entries.filter(is_hidden=False).count(),
        hidden=row.entries.filter(is_hidden=True).count(),
        is_open=row.state in OPEN,
        is_out=is_out,
        leaves_at=None if is_out else row.release_at,
        deadline=lifecycle.deadline(row.date),
        suggested=next_hour,  # at least half an hour away: what the form for a time begins with
        outcomes=dict(Outcome.choices),
        undoable=undo.last(request.user.get_username(), row),
        coverage=row.coverage or coverage.coverage(row.date, now).receipt,
        account=dashboard.account(counters.read("letters", row.date)),
        draft=draft,
        earlier=Edition.objects.filter(date__lt=row.date).order_by("-date").first(),
        later=Edition.objects.filter(date__gt=row.date).order_by("date").first(),
    )


@requires(get=False, post=Right.CURATE)
def note(request: HttpRequest, day: date) -> HttpResponse:
    row = edition_of(day)
    draft = Draft(request.POST.get("note", ""), request.POST.get("curator", ""))
    try:
        edition_acts.write_note(
            actor_of(request), row, draft.note, draft.curator, seen_revision(request), timezone.now()
        )
    except ConflictError as error:
        messages.error(request, str(error))
        return edition_page(request, row, 409, draft)
    except CuratingError as error:
        messages.error(request, str(error))
        return edition_page(request, row, 400, draft)
    messages.success(request, "The note is kept.")
    return redirect("desk-edition", day)


def seen_revision(request: HttpRequest) -> int:
    """The revision that the form was made from; one that never was, if it does not say."""
    seen = parsing.number(request.POST.get("revision", ""))
    if seen is None:
        return -1
    return seen


@requires(get=False, post=Right.CURATE)
def step(request: HttpRequest, day: date, verb: str) -> HttpResponse:
    """Freeze, hold, let go, take back."""
    if verb not in STEPS:
        raise Http404(f"There is no act called {verb!r}.")
    row, (do, done) = edition_of(day), STEPS[verb]
    return act(request, done, reverse("desk-edition", args=[day]), do, row, timezone.now())


@requires(get=False, post=Right.CURATE)
def release_at(request: HttpRequest, day: date) -> HttpResponse:
    """A time (UTC) at which it goes out by itself."""
    row = edition_of(day)
    back = reverse("desk-edition", args=[day])
    try:
        at = datetime.fromisoformat(request.POST.get("at", "")).replace(tzinfo=UTC)
    except ValueError:
        messages.error(request, "Write the time as day and hour, such as 2026-06-03 07:30 (UTC).")
        return redirect(back)
    done = f"It goes out on {at:%-d %B at %H:%M} UTC."
    return act(request, done, back, edition_acts.release_at, row, at, timezone.now())


@requires(Right.CURATE, post=Right.CURATE)
def release(request: HttpRequest, day: date) -> HttpResponse:
    """First what would happen, then the act; five minutes later it happens."""
    row = edition_of(day)
    now = timezone.now()
    problem = ""
    if request.method == "POST":
        typed = request.POST.get("typed", "")
        try:
            edition_acts.release(actor_of(request), row, seen_revision(request), typed, now)
        except CuratingError as error:
            problem = str(error)
        else:
            messages.success(request, RELEASED)
            return redirect("desk-edition", day)
    return page(
        request,
        "release.html",
        400 if problem else 200,
        current="editions",
        edition=row,
        problem=problem,
        letters=edition_acts.letters_ahead(now),
        typed_above=edition_acts.TYPED_ABOVE,
        shown=row.entries.filter(is_hidden=False).count(),
        hidden=row.entries.filter(is_hidden=True).count(),
        pins=row.entries.filter(is_pinned=True).count(),
        missing=coverage.coverage(row.date, now).missing,
    )


@requires(Right.VIEW)
def difference(request: HttpRequest, day: date) -> HttpResponse:
    """The dry run: whose letter the curator's acts change."""
    row = edition_of(day)
    return page(
        request,
        "difference.html",
        current="editions",
        edition=row,
        difference=dry_run.difference(row, timezone.now()),
        acts=row.entries.filter(Q(is_pinned=True) | Q(is_hidden=True)).exists(),
    )
