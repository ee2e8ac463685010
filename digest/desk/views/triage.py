"""The day's papers, one key each: pin, hide, note, merge, undo. Without JavaScript every key is a button."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone

from digest import risers
from digest.desk import adding, curating, duplicates, joining, openness, reach
from digest.desk.access import door
from digest.desk.duplicates import Looked
from digest.desk.reach import Reach
from digest.desk.roles import Right
from digest.desk.views.pages import act, edition_of, page
from digest.matching import Day
from digest.matching.reading import papers_announced
from digest.models import Edition, EditionPaper, Paper
from subscriptions import query

A_PAGE = 50
VIEWS = {"all": "All", "open": "Undecided", "pinned": "Pinned", "hidden": "Hidden", "unread": "Nobody's"}


@dataclass(frozen=True)
class Row:
    """One paper as the curator sees it."""

    entry: EditionPaper
    abstract: str
    reach: Reach
    sources: list[str]
    twins: list[EditionPaper]
    is_divisible: bool


@door(Right.VIEW)
def triage(request: HttpRequest, day: date) -> HttpResponse:
    edition, now = edition_of(day), timezone.now()
    reach.fresh(edition, now)
    reached = reach.of(edition)
    entries = list(_entries(edition))
    twins = _twins(edition, entries)
    wanted, problem = _asked(request.GET.get("q", ""), edition)
    shown = _shown(entries, request.GET.get("show", "all"), wanted, reached)
    pages = Paginator(shown, A_PAGE)
    part = pages.get_page(request.GET.get("page"))
    names = curating.announcers([entry.paper_id for entry in part])
    divisible = joining.divisible([entry.paper_id for entry in part])
    abstracts = dict(Paper.objects.filter(pk__in=[entry.paper_id for entry in part]).values_list("pk", "abstract"))
    rows = [
        Row(
            entry, abstracts[entry.paper_id], reached.get(entry.paper_id, Reach()), names.get(entry.paper_id, []),
            twins.get(entry.paper_id, []), entry.paper_id in divisible,
        )
        for entry in part
    ]  # fmt: skip
    return page(
        request, "triage.html", current="triage", edition=edition, rows=rows, part=part, found=len(shown),
        is_open=edition.state in curating.OPEN, closed=openness.closed(edition, now),
        empty="" if entries else openness.empty(edition, now), q=request.GET.get("q", ""), problem=problem,
        show=request.GET.get("show", "all"), views=VIEWS, counts=_counts(entries),
        risers=risers.late_risers(day)[:5] if edition.state in curating.OPEN else [],
        undoable=curating.last_undoable(request.user.get_username(), edition), here=request.get_full_path(),
    )  # fmt: skip


def _entries(edition: Edition) -> QuerySet[EditionPaper]:
    """The day's papers without their abstracts: a page shows fifty of them, a day may have thousands."""
    rows = edition.entries.select_related("paper").order_by("-is_pinned", "position", "id")
    shown = ("title", "authors", "url", "primary_category", "upvotes")
    return rows.only(*(f.name for f in EditionPaper._meta.concrete_fields), *(f"paper__{name}" for name in shown))


def _counts(entries: list[EditionPaper]) -> dict[str, int]:
    return {
        "all": len(entries),
        "pinned": sum(entry.is_pinned for entry in entries),
        "hidden": sum(entry.is_hidden for entry in entries),
    }


def _asked(text: str, edition: Edition) -> tuple[set[int] | None, str]:
    """The ids of the papers a filter finds, or what is wrong with it."""
    if not text.strip():
        return None, ""
    day = Day.build(papers_announced(Paper.objects.filter(placements__edition=edition)))
    try:
        hits = day.hits(query.canonical(text))
    except query.QueryError as error:
        return None, f"{error.message} (column {error.column})"
    return {day.papers[place].id for place in hits.places.tolist()}, ""


def _shown(
    entries: list[EditionPaper], show: str, wanted: set[int] | None, reached: dict[int, Reach]
) -> list[EditionPaper]:
    keep = {
        "open": lambda entry: not entry.is_pinned and not entry.is_hidden,
        "pinned": lambda entry: entry.is_pinned,
        "hidden": lambda entry: entry.is_hidden,
        "unread": lambda entry: not reached.get(entry.paper_id, Reach()).readers,
    }.get(show, lambda entry: True)
    return [entry for entry in entries if keep(entry) and (wanted is None or entry.paper_id in wanted)]


def _twins(edition: Edition, entries: list[EditionPaper]) -> dict[int, list[EditionPaper]]:
    """Papers that look like the same one, by id."""
    by_id = {entry.paper_id: entry for entry in entries}
    found: dict[int, list[EditionPaper]] = {}
    for one, two in _pairs(edition, entries):
        found.setdefault(one, []).append(by_id[two])
        found.setdefault(two, []).append(by_id[one])
    return found


# One edition's pairs a process: titles do not change between two presses of a key.
_known: dict[tuple[int, ...], list[tuple[int, int]]] = {}


def _pairs(edition: Edition, entries: list[EditionPaper]) -> list[tuple[int, int]]:
    key = (edition.pk, *sorted(entry.paper_id for entry in entries))
    if key not in _known:
        looked = [Looked(entry.paper_id, entry.paper.title, tuple(entry.paper.authors)) for entry in entries]
        _known.clear()
        _known[key] = duplicates.suggested(looked)
    return _known[key]


@door(get=False, post=Right.CURATE)
def change(request: HttpRequest, day: date, entry: int) -> HttpResponse:
    """One act on one paper."""
    row = get_object_or_404(EditionPaper.objects.select_related("edition"), pk=entry, edition__date=day)
    verb, now = request.POST.get("verb", ""), timezone.now()
    back = f"{_back(request, day)}#p{row.pk}"
    if verb in {"up", "down"}:
        step = -1 if verb == "up" else 1
        return act(request, "", back, lambda: curating.order_pins(request, row.edition, row, step, now))
    if verb not in curating.VERBS:
        raise Http404(f"There is no act called {verb!r}.")
    note, seen = request.POST.get("note", ""), request.POST.get("seen")
    return act(request, "", back, lambda: curating.change(request, row, verb, now, note, seen))


@door(get=False, post=Right.CURATE)
def undo(request: HttpRequest, day: date) -> HttpResponse:
    edition = edition_of(day)
    return act(request, "Undone.", _back(request, day), lambda: _undone(request, edition))


def _undone(request: HttpRequest, edition: Edition) -> None:
    last = curating.last_undoable(request.user.get_username(), edition)
    if last is not None and last.verb in joining.VERBS:
        joining.undo(request, edition, last, timezone.now())
    else:
        curating.undo(request, edition, timezone.now())


@door(get=False, post=Right.CURATE)
def merge(request: HttpRequest, day: date) -> HttpResponse:
    """Two rows that are one paper become one."""
    edition = edition_of(day)
    numbers = [int(text) for text in (request.POST.get("one", ""), request.POST.get("two", "")) if text.isdigit()]
    papers = list(Paper.objects.filter(pk__in=numbers))
    if len(papers) != 2:
        raise Http404("Those papers are not there.")
    one, two = papers
    done = "Merged: they are one paper now."
    return act(request, done, _back(request, day), lambda: joining.merge(request, edition, one, two, timezone.now()))


@door(get=False, post=Right.CURATE)
def bring_back(request: HttpRequest, day: date, paper: int) -> HttpResponse:
    edition, row = edition_of(day), get_object_or_404(Paper, pk=paper)
    done = "It comes once more, marked as a late riser."
    return act(request, done, _back(request, day), lambda: curating.bring_back(request, edition, row, timezone.now()))


@door(Right.CURATE, post=Right.CURATE)
def add(request: HttpRequest, day: date) -> HttpResponse:
    """A paper by its arXiv id or link; one that is not known by its link alone is described by hand."""
    edition, now = edition_of(day), timezone.now()
    if request.method != "POST":
        return page(
            request,
            "add.html",
            current="triage",
            edition=edition,
            form=dict.fromkeys(adding.FORM, ""),
            problem="",
            by_hand=False,
        )
    form = {name: request.POST.get(name, "").strip() for name in adding.FORM}
    try:
        paper = adding.find(form["what"], now) or adding.make(form, day, now)
        curating.add(request, edition, paper, now)
    except adding.NotKnownError as error:
        return page(
            request, "add.html", 400, current="triage", edition=edition, form=form, problem=str(error), by_hand=True
        )
    except curating.CuratingError as error:
        return page(
            request, "add.html", 400, current="triage", edition=edition, form=form, problem=str(error), by_hand=False
        )
    return redirect(reverse("desk-triage", args=[day]))


def _back(request: HttpRequest, day: date) -> str:
    """The triage page as it was asked for; nothing but that page."""
    here = request.POST.get("here", "")
    own = reverse("desk-triage", args=[day])
    return here if here == own or here.startswith(f"{own}?") else own
