"""The ORM's side of matching: a window of editions as plain papers, and readers' interests as plain wants."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import QuerySet

from digest.matching import embeddings, profiles
from digest.matching.interest_query import DESCRIPTION, LIKED, InterestQuery
from digest.matching.paper_text import PaperText
from digest.models import Announcement, Edition, EditionPaper, Paper
from subscriptions.models import Description, Interest, Subscriber

_COLUMNS = ("id", "identifier", "title", "abstract", "authors", "categories", "upvotes", "comments")

_RELATED = ("edition", "paper", "paper__merged_into")
_NEEDED = (
    "is_pinned",
    "edition__date",
    *(f"{paper}__{name}" for paper in _RELATED[1:] for name in (*_COLUMNS, "is_withdrawn")),
    "paper__merged_into_id",
)


def papers_of(editions: Iterable[Edition]) -> list[PaperText]:
    """What these editions hold, hidden and withdrawn papers left out: newest edition first, pins first in each.

    Two queries, however many editions.
    """
    entries = EditionPaper.objects.filter(edition__in=[edition.pk for edition in editions], is_hidden=False)
    entries = entries.order_by("-edition__date", "-is_pinned", "position", "id")
    rows = [(_kept(one), one.edition.date, one.is_pinned) for one in entries.select_related(*_RELATED).only(*_NEEDED)]
    sources = _sources([paper.pk for paper, _, _ in rows])
    held: dict[int, PaperText] = {}
    for paper, day, pinned in rows:  # a late riser or a merged paper stands in two editions: the newer counts
        if not paper.is_withdrawn:
            columns = [getattr(paper, name) for name in _COLUMNS]
            held.setdefault(paper.pk, _paper(columns, sources[paper.pk], day=day, pinned=pinned))
    return embeddings.with_embeddings(list(held.values()))


def _kept(entry: EditionPaper) -> Paper:
    """The paper of an entry, or the one it was merged into since."""
    return entry.paper.merged_into or entry.paper


def papers_announced(papers: QuerySet[Paper]) -> list[PaperText]:
    """Any papers, in no edition or any: `day` is when they were published. Two queries."""
    shown = papers.filter(is_withdrawn=False).order_by("-published_on", "id")
    rows = list(shown.values_list(*_COLUMNS, "published_on"))
    sources = _sources([row[0] for row in rows])
    return [_paper(row[:8], sources[row[0]], day=row[8], pinned=False) for row in rows]


def interests_of(subscribers: Sequence[int]) -> dict[int, list[InterestQuery]]:
    """Every reader's wants: interests in the order they asked, then descriptions, then what their likes say.

    Three queries, one more where somebody has a profile. Readers without any are there with an empty list.
    """
    wants: dict[int, list[InterestQuery]] = {pk: [] for pk in subscribers}
    rows = Interest.objects.filter(subscriber__in=subscribers).order_by("subscriber", "id")
    columns = ("subscriber_id", "kind", "text", "topic__name", "filter__text", "weight", "muted")
    for subscriber, kind, text, topic, query, weight, muted in rows.values_list(*columns).iterator():
        wants[subscriber].append(InterestQuery(topic or text, kind, query, weight, muted))
    for row in Description.objects.filter(subscriber__in=subscribers, weight__gt=0):
        wants[row.subscriber_id].append(InterestQuery(row.label, DESCRIPTION, row.text, row.weight))
    learned = profiles.learned(subscribers)
    weights = Subscriber.objects.filter(pk__in=learned).values_list("pk", "likes_weight") if learned else ()
    for pk, weight in weights:
        wants[pk].append(InterestQuery("Papers you like", LIKED, "", weight, learned=learned[pk]))
    return wants


def _paper(row: Sequence[Any], sources: tuple[str, ...], day: Any, pinned: bool) -> PaperText:
    pk, identifier, title, abstract, authors, categories, upvotes, comments = row
    return PaperText(
        id=pk,
        title=title,
        abstract=abstract,
        authors=tuple(authors),
        categories=tuple(categories),
        sources=sources,
        identifier=identifier,
        day=day,
        upvotes=upvotes or 0,
        comments=comments or 0,
        pinned=pinned,
    )


def _sources(papers: Sequence[int]) -> defaultdict[int, tuple[str, ...]]:
    """Which sources announced each paper. Asked for by range, since databases bound the length of a list."""
    found: defaultdict[int, tuple[str, ...]] = defaultdict(tuple)
    if papers:
        wanted = set(papers)
        rows = Announcement.objects.filter(paper_id__gte=min(papers), paper_id__lte=max(papers))
        for paper, slug in rows.values_list("paper_id", "source__slug").distinct().order_by("source__slug"):
            if paper in wanted:
                found[paper] += (slug,)
    return found
