"""What the public pages read: released editions and their papers, a handful of queries a page."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import Count, F, Q, QuerySet

from digest.models import Announcement, Edition, EditionPaper, Paper
from digest.search import withheld
from digest.site import areas
from digest.site.paper_rows import Listed, listed

PAGE = 40
COMMUNITY_PICKS = 5
AREAS_SHOWN = 14
OTHER = "other"  # the area of what is in none of those shown


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The days before and after that have an edition; None at the ends."""

    before: date | None
    after: date | None


@dataclass(frozen=True, slots=True)
class Area:
    """A part of an edition: its code (`cs.CL`), what it is called, and how many papers it has."""

    code: str
    name: str
    papers: int


@dataclass(frozen=True, slots=True)
class Shown:
    """One page of an edition: what the curator pinned, what the community raised, and the others."""

    pinned: list[Listed]
    community: list[Listed]
    others: list[Listed]
    total: int
    page: int
    pages: int
    first: int


def released() -> QuerySet[Edition]:
    return Edition.objects.filter(state=Edition.State.RELEASED)


def newest() -> Edition | None:
    return released().order_by("-date").first()


def neighbours(day: date) -> Neighbours:
    days = released().values_list("date", flat=True)
    return Neighbours(
        days.filter(date__lt=day).order_by("-date").first(), days.filter(date__gt=day).order_by("date").first()
    )


def public_papers() -> QuerySet[Paper]:
    """What the public sees. (One merged into another is among them.)"""
    return Paper.objects.exclude(pk__in=withheld().values("paper"))


def announcements(papers: Collection[int]) -> QuerySet[Announcement]:
    """Who announced these papers and when, earliest first."""
    return Announcement.objects.filter(paper__in=papers).order_by("day", "id")


def sources_of(papers: Collection[int]) -> dict[int, tuple[str, ...]]:
    """The names of who announced each paper, each once, earliest first."""
    names: dict[int, dict[str, None]] = {}
    for paper, name in announcements(papers).values_list("paper", "source__name"):
        names.setdefault(paper, {})[name] = None
    return {paper: tuple(found) for paper, found in names.items()}


def places(edition: Edition) -> QuerySet[EditionPaper]:
    """The edition's papers as they are shown: hidden ones left out, pinned ones first."""
    return edition.entries.filter(is_hidden=False).select_related("paper").order_by("-is_pinned", "position", "id")


def first_places(papers: Collection[int]) -> dict[int, EditionPaper]:
    """Each paper's place in the released edition it came in first."""
    places = EditionPaper.objects.filter(paper__in=papers, is_late_riser=False, edition__in=released())
    return {place.paper_id: place for place in places.select_related("edition")}


def as_listed(entries: Iterable[EditionPaper]) -> list[Listed]:
    """The entries' papers in their order, with who announced them: one question for all."""
    entries = list(entries)
    sources = sources_of([entry.paper_id for entry in entries])
    return [listed(entry.paper, sources.get(entry.paper_id, ()), entry) for entry in entries]


def shown(edition: Edition, page: int = 1) -> Shown:
    """One page of `edition`, past the end the last. The first page opens with pins and community picks."""
    entries = places(edition)
    pinned = Count("id", filter=Q(is_pinned=True))
    counts = edition.entries.filter(is_hidden=False).aggregate(total=Count("id"), pinned=pinned)
    raised = edition.entries.filter(is_hidden=False, is_pinned=False, paper__upvotes__gt=0)
    best = raised.order_by(F("paper__upvotes").desc(), "position").values_list("pk", flat=True)
    picks = list(best[:COMMUNITY_PICKS])
    others = entries.filter(is_pinned=False).exclude(pk__in=picks)
    total, apart = counts["total"], counts["pinned"] + len(picks)
    page = min(page, _pages(total - apart))
    if page > 1:
        return _paged([], [], others, total, page, apart)
    first = list(entries.filter(Q(is_pinned=True) | Q(pk__in=picks)))
    community = {entry.pk: entry for entry in first if not entry.is_pinned}
    return _paged(
        [entry for entry in first if entry.is_pinned], [community[pk] for pk in picks], others, total, page, apart
    )


def shown_in_area(edition: Edition, area: str, named: Collection[Area], page: int = 1) -> Shown:
    """One page of the edition's papers of one area; `named` are those that `OTHER` leaves out."""
    entries = places(edition)
    if area == OTHER:
        entries = entries.exclude(paper__primary_category__in=[one.code for one in named if one.code != OTHER])
    else:
        entries = entries.filter(paper__primary_category=area)
    total = entries.count()
    return _paged([], [], entries, total, min(page, _pages(total)))


def _pages(papers: int) -> int:
    return max(1, -(-papers // PAGE))


def _paged(
    pinned: list[EditionPaper],
    community: list[EditionPaper],
    others: QuerySet[EditionPaper],
    total: int,
    page: int,
    apart: int = 0,
) -> Shown:
    start = (page - 1) * PAGE
    every = as_listed([*pinned, *community, *others[start : start + PAGE]])
    picks, rest = len(pinned), len(pinned) + len(community)
    return Shown(every[:picks], every[picks:rest], every[rest:], total, page, _pages(total - apart), apart + start + 1)


def counted_areas(edition: Edition) -> list[Area]:
    """The edition's areas with the most papers, and what is in none of them: together the whole edition."""
    counted = (
        edition.entries.filter(is_hidden=False)
        .values_list("paper__primary_category")
        .annotate(papers=Count("id"))
        .order_by("-papers", "paper__primary_category")
    )
    counts = list(counted)
    named = [Area(code, areas.name(code), papers) for code, papers in counts if code][:AREAS_SHOWN]
    rest = sum(papers for _, papers in counts) - sum(one.papers for one in named)
    if named and rest:
        named.append(Area(OTHER, "Other areas, or none", rest))
    return named


def edition_of(paper: Paper) -> Edition | None:
    """The released edition the paper came in first."""
    return released().filter(entries__paper=paper, entries__is_hidden=False).order_by("date").first()


def collecting() -> int:
    """How many papers wait in editions that are not out yet."""
    return EditionPaper.objects.exclude(edition__state=Edition.State.RELEASED).filter(is_hidden=False).count()
