"""The day's papers, one key each: pin, hide, note, merge, undo. Without JavaScript every key is a button."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone

from digest.desk.access import requires
from digest.desk.actor import Actor
from digest.desk.acts import add_paper, edition_acts, edition_status, paper_acts, parsing
from digest.desk.acts import merge as act_merge
from digest.desk.acts import undo as act_undo
from digest.desk.pages import audience, duplicates, paper_filter
from digest.desk.pages.audience import Reach
from digest.desk.pages.base import actor_of, carry_out, edition_of, fields, page
from digest.desk.pages.duplicates import Looked
from digest.desk.pages.paper_filter import Asked, PaperFilter
from digest.desk.roles import Right
from digest.editions import late_risers
from digest.models import Edition, EditionPaper, Paper


@dataclass(frozen=True)
class Row:
    """One paper as the curator sees it; `reach` is None while it is being counted."""

    entry: EditionPaper
    abstract: str
    reach: Reach | None
    sources: list[str]
    twins: list[EditionPaper]
    is_divisible: bool


@requires(Right.VIEW)
def review_list(request: HttpRequest, day: date) -> HttpResponse:
    edition = edition_of(day)
    now = timezone.now()
    audience.fresh(edition, now)
    found = paper_filter.filtered(edition, Asked.of(request.GET))
    is_open = edition.state in paper_acts.OPEN
    counts = {
        "all": len(found.entries),
        "pinned": sum(entry.is_pinned for entry in found.entries),
        "hidden": sum(entry.is_hidden for entry in found.entries),
    }
    return page(
        request,
        "review_list.html",
        current="papers",
        edition=edition,
        rows=rows_of(edition, found),
        part=found.part,
        found=len(found.shown),
        is_open=is_open,
        closed=edition_status.closed(edition, now),
        asked=found.asked,
        empty="" if found.entries else edition_status.empty(edition, now),
        problem=found.problem,
        everybody=edition_acts.letters_ahead(now),
        views=paper_filter.VIEWS,
        orders=paper_filter.ORDERS,
        counts=counts,
        risers=late_risers.late_risers(day)[:5] if is_open else [],
        undoable=act_undo.last(request.user.get_username(), edition),
        here=request.get_full_path(),
    )


def rows_of(edition: Edition, found: PaperFilter) -> list[Row]:
    """The papers of the page that is looked at, with what is read for these papers only."""
    papers = [entry.paper_id for entry in found.part]
    sources = paper_acts.announcers(papers)
    divisible = act_merge.divisible(papers)
    abstracts = dict(Paper.objects.filter(pk__in=papers).values_list("pk", "abstract"))
    twins = twins_of(edition, found.entries)
    rows = []
    for entry in found.part:
        paper = entry.paper_id
        row = Row(
            entry=entry,
            abstract=abstracts[paper],
            reach=found.reached.get(paper),
            sources=sources.get(paper, []),
            twins=twins.get(paper, []),
            is_divisible=paper in divisible,
        )
        rows.append(row)
    return rows


# One edition's pairs a process: titles do not change between two presses of a key.
known_pairs: dict[tuple[int, ...], list[tuple[int, int]]] = {}


def twins_of(edition: Edition, entries: list[EditionPaper]) -> dict[int, list[EditionPaper]]:
    """Papers that look like the same one, by id."""
    by_id = {entry.paper_id: entry for entry in entries}
    key = (edition.pk, *sorted(by_id))
    if key not in known_pairs:
        titles = [Looked(entry.paper_id, entry.paper.title, tuple(entry.paper.authors)) for entry in entries]
        known_pairs.clear()
        known_pairs[key] = duplicates.suggested(titles)
    found: dict[int, list[EditionPaper]] = {}
    for one, two in known_pairs[key]:
        found.setdefault(one, []).append(by_id[two])
        found.setdefault(two, []).append(by_id[one])
    return found


@requires(get=False, post=Right.CURATE)
def change(request: HttpRequest, day: date, entry: int) -> HttpResponse:
    """One act on one paper."""
    row = get_object_or_404(EditionPaper.objects.select_related("edition"), pk=entry, edition__date=day)
    verb, now = request.POST.get("verb", ""), timezone.now()

    def do(actor: Actor) -> None:
        if verb == "up":
            paper_acts.order_pins(actor, row.edition, row, -1, now)
        elif verb == "down":
            paper_acts.order_pins(actor, row.edition, row, 1, now)
        else:
            paper_acts.change(actor, row, verb, now, request.POST.get("note", ""), request.POST.get("seen"))

    if verb not in {"up", "down", *paper_acts.VERBS}:
        raise Http404(f"There is no act called {verb!r}.")
    if _is_from_edition(request, row.edition):
        carry_out(request, "", do)
        return _to_edition(row.edition)
    return _act_on(request, row.edition, row.pk, "", do)


@requires(get=False, post=Right.CURATE)
def merge(request: HttpRequest, day: date) -> HttpResponse:
    """Two rows that are one paper become one."""
    edition = edition_of(day)
    numbers = parsing.numbers([request.POST.get("one", ""), request.POST.get("two", "")])
    papers = list(Paper.objects.filter(pk__in=numbers))
    if len(papers) != 2:
        raise Http404("Those papers are not there.")
    one, two = papers
    entry = _entry_of(edition, numbers[0])
    done = "Merged: they are one paper now."
    return _act_on(request, edition, entry, done, act_merge.merge, edition, one, two, timezone.now())


@requires(get=False, post=Right.CURATE)
def bring_back(request: HttpRequest, day: date, paper: int) -> HttpResponse:
    edition = edition_of(day)
    row = get_object_or_404(Paper, pk=paper)
    done = "It comes once more, marked as a late riser."
    carry_out(request, done, paper_acts.bring_back, edition, row, timezone.now())
    return redirect(_address_of(request, edition, row.pk))


@requires(get=False, post=Right.CURATE)
def undo(request: HttpRequest, day: date) -> HttpResponse:
    edition = edition_of(day)
    last = act_undo.last(request.user.get_username(), edition)

    def do(actor: Actor) -> str:
        undone = act_undo.undo(actor, edition, timezone.now())
        return f"Undone: {act_undo.description(undone)}."

    carry_out(request, "", do)
    if _is_from_edition(request, edition):
        return _to_edition(edition)
    return redirect(_address_of(request, edition, act_undo.paper_of(last) if last else None))


def _is_from_edition(request: HttpRequest, edition: Edition) -> bool:
    """The edition's page offers the pins, too: what was pressed there comes back there."""
    return request.POST.get("here") == reverse("desk-edition", args=[edition.date])


def _to_edition(edition: Edition) -> HttpResponse:
    return redirect(reverse("desk-edition", args=[edition.date]) + "#pins")


def _act_on(
    request: HttpRequest, edition: Edition, entry: int | None, done: str, act: Callable[..., object], *args: object
) -> HttpResponse:
    """Carry out an act on a paper of the list, and come back to where the curator stood in it."""
    before = paper_filter.filtered(edition, _asked(request, edition))
    carry_out(request, done, act, *args)
    after = before.again(edition)
    stands = None
    if entry is not None:
        stands = paper_filter.next_stand(_ids(before.shown), _ids(after.shown), entry, _ids(after.part))
    return redirect(_address(edition, before.asked, after.part.number, stands))


def _address_of(request: HttpRequest, edition: Edition, paper: int | None) -> str:
    """The page of the list on which a paper stands, at it; if it is not there, where the curator stood before."""
    asked = _asked(request, edition)
    found = paper_filter.filtered(edition, asked)
    entry = _entry_of(edition, paper)
    if entry is not None:
        number = found.page_of(entry)
        if number is not None:
            return _address(edition, asked, number, entry)
    stood = parsing.number(request.POST.get("at", ""))
    if stood not in _ids(found.part):
        stood = None
    return _address(edition, asked, found.part.number, stood)


def _ids(rows: Iterable[EditionPaper]) -> list[int]:
    return [row.pk for row in rows]


def _entry_of(edition: Edition, paper: int | None) -> int | None:
    return edition.entries.filter(paper=paper).values_list("pk", flat=True).first()


def _address(edition: Edition, asked: Asked, number: int, entry: int | None) -> str:
    url = reverse("desk-triage", args=[edition.date]) + asked.address(number)
    if entry is None:
        return url
    return f"{url}#p{entry}"


def _asked(request: HttpRequest, edition: Edition) -> Asked:
    """What the page showed from which an act was asked; everything, if it was another page."""
    path, _, text = request.POST.get("here", "").partition("?")
    if path != reverse("desk-triage", args=[edition.date]):
        return Asked()
    return Asked.of(QueryDict(text))


@requires(Right.CURATE, post=Right.CURATE)
def add(request: HttpRequest, day: date) -> HttpResponse:
    """A paper by its arXiv id or link; one that is not known by its link alone is described by hand."""
    edition = edition_of(day)
    now = timezone.now()
    form = fields(request.POST, add_paper.FORM)
    problem = ""
    by_hand = False
    if request.method == "POST":
        try:
            paper_acts.require_open(edition)  # before anything is fetched or stored
            paper = add_paper.find(form["what"], now) or add_paper.make(form, day, now)
            paper_acts.add(actor_of(request), edition, paper, now)
        except paper_acts.CuratingError as error:
            problem = str(error)
            by_hand = isinstance(error, add_paper.NotKnownError)
        else:
            messages.success(request, f"Added: “{paper.title}”.")
            return redirect(_address_of(request, edition, paper.pk))
    return page(
        request,
        "add_paper.html",
        400 if problem else 200,
        current="papers",
        edition=edition,
        form=form,
        problem=problem,
        by_hand=by_hand,
    )
