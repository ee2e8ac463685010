"""What the public pages read: released editions and their papers, a handful of queries a page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import Count, F, Prefetch, Q, QuerySet

from digest.archive import withheld
from digest.models import Announcement, Edition, EditionPaper, Paper
from digest.site import areas
from digest.site.listing import Listed, listed

PAGE = 40
COMMUNITY_PICKS = 5
AREAS_SHOWN = 14


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The days before and after that have an edition; None at the ends."""

    before: date | None
    after: date | None


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
    """What the public sees, each with who announced it. (One merged into another is among them.)"""
    return with_announcements(Paper.objects.exclude(pk__in=withheld().values("paper")))


def with_announcements(papers: QuerySet[Paper]) -> QuerySet[Paper]:
    return papers.prefetch_related(Prefetch("announcements", _announcements()))


def _announcements() -> QuerySet[Announcement]:
    return Announcement.objects.select_related("source").order_by("day", "id")


def places(edition: Edition) -> QuerySet[EditionPaper]:
    """The edition's papers as they are shown: hidden ones left out, pinned ones first."""
    return (
        edition.entries.filter(is_hidden=False)
        .select_related("paper")
        .prefetch_related(Prefetch("paper__announcements", _announcements()))
        .order_by("-is_pinned", "position", "id")
    )


def as_listed(entries: Iterable[EditionPaper]) -> list[Listed]:
    return [listed(entry.paper, entry) for entry in entries]


def shown(edition: Edition, page: int = 1, area: str = "") -> Shown:
    """One page of `edition`, of one area (`cs.CL`) or of all. The first page opens with pins and community picks."""
    entries = places(edition)
    if area:
        entries = entries.filter(paper__primary_category=area)
        return _paged([], [], entries, entries.count(), page)
    total = edition.entries.filter(is_hidden=False).count()
    picks = _community(edition)
    others = entries.filter(is_pinned=False).exclude(pk__in=picks)
    if page > 1:
        return _paged([], [], others, total, page, apart=total - others.count())
    first = list(entries.filter(Q(is_pinned=True) | Q(pk__in=picks)))
    community = {entry.pk: entry for entry in first if not entry.is_pinned}
    pinned = [entry for entry in first if entry.is_pinned]
    return _paged(as_listed(pinned), as_listed(community[pk] for pk in picks), others, total, page, apart=len(first))


def _community(edition: Edition) -> list[int]:
    """The places that readers elsewhere raised most, without those the curator pinned."""
    raised = edition.entries.filter(is_hidden=False, is_pinned=False, paper__upvotes__gt=0)
    best = raised.order_by(F("paper__upvotes").desc(), "position").values_list("pk", flat=True)
    return list(best[:COMMUNITY_PICKS])


def _paged(
    pinned: list[Listed],
    community: list[Listed],
    others: QuerySet[EditionPaper],
    total: int,
    page: int,
    apart: int = 0,
) -> Shown:
    start = (page - 1) * PAGE
    pages = max(1, -(-(total - apart) // PAGE))
    return Shown(pinned, community, as_listed(others[start : start + PAGE]), total, page, pages, apart + start + 1)


def counted_areas(edition: Edition) -> list[tuple[str, str, int]]:
    """The edition's areas with the most papers, as (`cs.CL`, `Computation and language`, how many)."""
    counted = (
        edition.entries.filter(is_hidden=False)
        .exclude(paper__primary_category="")
        .values_list("paper__primary_category")
        .annotate(papers=Count("id"))
        .order_by("-papers", "paper__primary_category")
    )
    return [(code, areas.name(code), papers) for code, papers in counted[:AREAS_SHOWN]]


def edition_of(paper: Paper) -> Edition | None:
    """The released edition the paper came in first."""
    return released().filter(entries__paper=paper, entries__is_hidden=False).order_by("date").first()


def collecting() -> int:
    """How many papers wait in editions that are not out yet."""
    return EditionPaper.objects.exclude(edition__state=Edition.State.RELEASED).filter(is_hidden=False).count()
