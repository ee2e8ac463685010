"""Late risers: papers whose readers raised them after their edition had gone out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import date, timedelta

from digest.models import Delivery, Edition, EditionPaper, Paper, VoteSnapshot

WINDOW = timedelta(days=14)
MOST = 3  # in one edition, so that old papers never crowd out the day's own
NEVER_LEFT = (Delivery.State.SKIPPED, Delivery.State.EXPIRED, Delivery.State.DEAD, Delivery.State.REJECTED)


def bring_back(edition: Edition) -> list[Paper]:
    """Give the day's highest climbers a second place, in this edition; they come back once only."""
    papers = late_risers(edition.date)[:MOST]
    last = edition.entries.count()
    rows = []
    for position, paper in enumerate(papers, last):
        rows.append(EditionPaper(edition=edition, paper=paper, position=position, is_late_riser=True))
    EditionPaper.objects.bulk_create(rows, ignore_conflicts=True)
    return papers


def returning(editions: Iterable[Edition]) -> frozenset[int]:
    """Ids of the papers that stand in these editions for the second time."""
    ids = [edition.pk for edition in editions]
    rows = EditionPaper.objects.filter(edition__in=ids, is_late_riser=True, is_hidden=False)
    return frozenset(rows.values_list("paper_id", flat=True))


def already_had(readers: Sequence[int], papers: Collection[int]) -> dict[int, frozenset[int]]:
    """Reader id -> which of these papers were in a letter of theirs before. No query where there are no papers."""
    if not papers:
        return {}
    first = EditionPaper.objects.filter(paper__in=papers, is_late_riser=False).values_list("edition__serial", flat=True)
    serials = [serial for serial in first if serial is not None]
    if not serials:
        return {}
    letters = Delivery.objects.filter(subscriber__in=readers, edition__serial__gte=min(serials), since__lt=max(serials))
    found: dict[int, set[int]] = defaultdict(set)
    for reader, chosen in letters.exclude(state__in=NEVER_LEFT).values_list("subscriber_id", "papers"):
        found[reader].update(one["paper"] for one in chosen if one["paper"] in papers)
    return {reader: frozenset(ids) for reader, ids in found.items()}


def late_risers(day: date, climb: int = 20, factor: float = 2.0) -> list[Paper]:
    """Papers announced in the two weeks before `day` whose votes climbed since, the highest climb first.

    They have `climb` votes more than at the first look and `factor` times as many, were in an edition, and
    have not come back before. What is done with them is the edition's business.
    """
    first = _first_votes(day)
    out = {"placements__is_late_riser": False, "placements__edition__serial__isnull": False}
    papers = Paper.objects.filter(pk__in=list(first), is_withdrawn=False, **out)
    climbed = []
    for paper in papers.exclude(placements__is_late_riser=True).distinct():
        before = first[paper.pk]
        if paper.upvotes is not None and paper.upvotes >= max(before + climb, before * factor):
            climbed.append((before - paper.upvotes, paper.pk, paper))
    return [paper for _, _, paper in sorted(climbed)]


def _first_votes(day: date) -> dict[int, int]:
    """Votes at the first look at each paper announced in the window."""
    rows = VoteSnapshot.objects.filter(
        announcement__day__gte=day - WINDOW, announcement__day__lt=day, upvotes__isnull=False
    ).order_by("at")
    first: dict[int, int] = {}
    for paper, votes in rows.values_list("announcement__paper_id", "upvotes"):
        first.setdefault(paper, votes or 0)
    return first
