"""Late risers: papers whose readers raised them after their edition had gone out."""

from __future__ import annotations

from datetime import date, timedelta

from digest.models import Paper, Signal

WINDOW = timedelta(days=14)


def late_risers(day: date, climb: int = 20, factor: float = 2.0) -> list[Paper]:
    """Papers announced in the two weeks before `day` whose votes climbed since, the highest climb first.

    They have `climb` votes more than at the first look and `factor` times as many, were in an edition, and
    have not come back before. What is done with them is the edition's business.
    """
    first = _first_votes(day)
    papers = Paper.objects.filter(pk__in=list(first), placements__is_late_riser=False, is_withdrawn=False)
    climbed = [
        (paper.upvotes - first[paper.pk], paper)
        for paper in papers.exclude(placements__is_late_riser=True).distinct()
        if paper.upvotes is not None and paper.upvotes >= max(first[paper.pk] + climb, first[paper.pk] * factor)
    ]
    return [paper for _, paper in sorted(climbed, key=lambda pair: (-pair[0], pair[1].pk))]


def _first_votes(day: date) -> dict[int, int]:
    """Votes at the first look at each paper announced in the window."""
    rows = Signal.objects.filter(
        announcement__day__gte=day - WINDOW, announcement__day__lt=day, upvotes__isnull=False
    ).order_by("at")
    first: dict[int, int] = {}
    for paper, votes in rows.values_list("announcement__paper_id", "upvotes"):
        first.setdefault(paper, votes or 0)
    return first
