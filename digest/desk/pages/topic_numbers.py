"""What topics bring: readers, papers a day over thirty days, overlap with others, and what a query would find."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import combinations

from django.db.models import Count

from digest.desk import counters
from digest.matching import PaperIndex
from digest.matching.load import papers_of
from digest.models import Edition
from subscriptions import query
from subscriptions.models import Topic

DAYS = 30
MOST_OVERLAPS = 5
MOST_TRIED = 4000  # papers a query is tried on: enough to judge by, and quick
MOST_TITLES = 8
STALE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Line:
    """One topic in the list: readers, papers over the last thirty days, and papers a day."""

    topic: Topic
    readers: int
    papers: int
    a_day: float


def count(edition: Edition, now: datetime) -> None:
    """How many of this edition's papers each topic finds; kept under the edition's day."""
    index = PaperIndex.build(papers_of([edition]))
    numbers: counters.Numbers = {}
    found: dict[str, int] = {}  # slug -> one bit a paper
    for topic in Topic.objects.filter(is_active=True).select_related("filter").order_by("slug"):
        try:
            bits = index.bits(index.tree(topic.filter.text))
        except query.QueryError:
            bits = 0
        numbers[topic.slug] = bits.bit_count()
        found[topic.slug] = bits
    counters.put("topic papers", edition.date, numbers, now)
    shared: counters.Numbers = {}
    for (one, first), (two, second) in combinations(sorted(found.items()), 2):
        papers = (first & second).bit_count()
        if papers:
            shared[f"{one}|{two}"] = papers
    counters.put("topic overlap", edition.date, shared, now)


def lines(today: date) -> list[Line]:
    """Every topic, offered ones first, grouped."""
    days = counters.series("topic papers", today - timedelta(days=DAYS), today)
    readers = counters.read("topic readers", today)
    found = []
    for topic in Topic.objects.order_by("-is_active", "group", "position", "name"):
        papers = sum(numbers.get(topic.slug, 0) for numbers in days.values())
        a_day = papers / max(1, len(days))
        found.append(Line(topic, readers.get(topic.slug, 0), papers, a_day))
    return found


def overlaps(topic: Topic, today: date) -> list[tuple[str, int]]:
    """The topics that share most papers with this one over thirty days, with how many."""
    shared: dict[str, int] = {}
    for numbers in counters.series("topic overlap", today - timedelta(days=DAYS), today).values():
        for key, papers in numbers.items():
            pair = key.split("|")
            if topic.slug in pair:
                pair.remove(topic.slug)
                shared[pair[0]] = shared.get(pair[0], 0) + papers
    return sorted(shared.items(), key=lambda pair: (-pair[1], pair[0]))[:MOST_OVERLAPS]


@dataclass(frozen=True, slots=True)
class Change:
    """What a query finds beside the kept one: papers before, how many come and go, and the first titles of each."""

    before: int
    gained: int
    lost: int
    gains: list[str]
    losses: list[str]


@dataclass(frozen=True, slots=True)
class Trial:
    """What a query finds: papers a day, how many in all, over how many days, and the first titles."""

    counts: list[tuple[date, int]]
    found: int
    days: int
    titles: list[str]
    change: Change | None = None


def kept(topic: Topic, today: date) -> Trial:
    """What the topic found, as it was counted edition by edition."""
    days = counters.series("topic papers", today - timedelta(days=DAYS), today)
    counts = [(day, numbers.get(topic.slug, 0)) for day, numbers in days.items()]
    return Trial(counts, sum(papers for _, papers in counts), len(counts), [])


def tried(text: str, today: date, instead_of: str = "") -> Trial:
    """What a query would have found in the last thirty days' editions, or as many of them as hold `MOST_TRIED` papers.

    `instead_of` is the canonical query it is compared with, over the same editions. Raises QueryError with the column.
    """
    canonical = query.canonical(text)
    editions = latest_editions(today)
    index = index_of(editions)
    places = index.hits(canonical).places.tolist()
    counts = dict.fromkeys((edition.date for edition in editions), 0)
    for place in places:
        day = index.papers[place].day
        if day in counts:
            counts[day] += 1
    change = change_between(index, instead_of, places) if instead_of else None
    return Trial(list(counts.items()), sum(counts.values()), len(editions), titles_at(index, places), change)


def change_between(index: PaperIndex, kept_query: str, after: list[int]) -> Change | None:
    """None where the kept query can be read no more. `after` are the places that the new query finds."""
    try:
        before = index.hits(kept_query).places.tolist()
    except query.QueryError:
        return None
    old = set(before)
    new = set(after)
    gained = [place for place in after if place not in old]
    lost = [place for place in before if place not in new]
    return Change(len(before), len(gained), len(lost), titles_at(index, gained), titles_at(index, lost))


def titles_at(index: PaperIndex, places: list[int]) -> list[str]:
    return [index.papers[place].title for place in places[:MOST_TITLES]]


def latest_editions(today: date) -> list[Edition]:
    """The last editions, oldest first, the newest always among them."""
    rows = Edition.objects.filter(date__gt=today - timedelta(days=DAYS), date__lte=today).order_by("-date")
    taken: list[Edition] = []
    room = MOST_TRIED
    for edition in rows.annotate(papers=Count("entries")):
        room -= edition.papers
        if taken and room < 0:
            break
        taken.append(edition)
    return taken[::-1]


# One index a process, made anew when an edition was changed or came in.
known_indexes: dict[tuple[tuple[object, ...], ...], PaperIndex] = {}


def index_of(editions: Sequence[Edition]) -> PaperIndex:
    """`editions` are annotated with the number of their `papers`."""
    key = tuple((row.pk, row.revision, row.papers, row.state) for row in editions)  # type: ignore[attr-defined]
    if key not in known_indexes:
        known_indexes.clear()
        known_indexes[key] = PaperIndex.build(papers_of(editions))
    return known_indexes[key]
