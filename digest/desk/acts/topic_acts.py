"""Topics with what they bring: readers, papers a day over thirty days, and overlap with others; and changing them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count
from django.utils.text import slugify

from digest.desk import audit_log, counters
from digest.desk.actor import Actor
from digest.desk.acts.paper_acts import CuratingError
from digest.matching import PaperIndex
from digest.matching.load import papers_of
from digest.models import Edition
from subscriptions import query
from subscriptions.models import Topic
from subscriptions.wants import topic_editing

DAYS = 30
TYPED = ("name", "group", "description", "query")
FIELDS = (*TYPED, "position", "is_active")
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
    day = PaperIndex.build(papers_of([edition]))
    numbers, found = {}, {}
    for topic in Topic.objects.filter(is_active=True).select_related("filter"):
        bits = _bits(day, topic.filter.text)
        numbers[topic.slug], found[topic.slug] = bits.bit_count(), bits
    counters.put("topic papers", edition.date, numbers, now)
    counters.put("topic overlap", edition.date, _overlaps(found), now)


def _bits(day: PaperIndex, text: str) -> int:
    try:
        return day.bits(day.tree(text))
    except query.QueryError:
        return 0


def _overlaps(found: dict[str, int]) -> dict[str, int]:
    """Papers that two topics share, for every pair that shares any."""
    slugs = sorted(slug for slug, bits in found.items() if bits)
    return {
        f"{one}|{two}": shared
        for place, one in enumerate(slugs)
        for two in slugs[place + 1 :]
        if (shared := (found[one] & found[two]).bit_count())
    }


def lines(today: date) -> list[Line]:
    """Every topic, offered ones first, grouped."""
    days = counters.series("topic papers", today - timedelta(days=DAYS), today)
    readers = counters.read("topic readers", today)
    topics = Topic.objects.order_by("-is_active", "group", "position", "name")
    return [
        Line(topic, readers.get(topic.slug, 0), papers, papers / max(1, len(days)))
        for topic in topics
        for papers in [sum(numbers.get(topic.slug, 0) for numbers in days.values())]
    ]


def overlaps(topic: Topic, today: date) -> list[tuple[str, int]]:
    """The topics that share most papers with this one over thirty days, with how many."""
    shared: dict[str, int] = {}
    for numbers in counters.series("topic overlap", today - timedelta(days=DAYS), today).values():
        for key, papers in numbers.items():
            one, _, two = key.partition("|")
            if topic.slug in {one, two}:
                other = two if one == topic.slug else one
                shared[other] = shared.get(other, 0) + papers
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
    return Trial(counts, sum(count for _, count in counts), len(counts), [])


def tried(text: str, today: date, instead_of: str = "") -> Trial:
    """What a query would have found in the last thirty days' editions, or as many of them as hold `MOST_TRIED` papers.

    `instead_of` is the canonical query it is compared with, over the same editions. Raises QueryError with the column.
    """
    canonical = query.canonical(text)
    editions = _lately(today)
    day = _index(editions)
    places = day.hits(canonical).places.tolist()
    counts = dict.fromkeys((edition.date for edition in editions), 0)
    for place in places:
        when = day.papers[place].day
        if when in counts:
            counts[when] += 1
    change = _change(day, instead_of, places) if instead_of else None
    return Trial(list(counts.items()), sum(counts.values()), len(editions), _titles(day, places), change)


def _change(day: PaperIndex, kept: str, after: list[int]) -> Change | None:
    """None where the kept query can be read no more."""
    try:
        before = day.hits(kept).places.tolist()
    except query.QueryError:
        return None
    old, new = set(before), set(after)
    gained, lost = [one for one in after if one not in old], [one for one in before if one not in new]
    return Change(len(before), len(gained), len(lost), _titles(day, gained), _titles(day, lost))


def _titles(day: PaperIndex, places: list[int]) -> list[str]:
    return [day.papers[place].title for place in places[:MOST_TITLES]]


def _lately(today: date) -> list[Edition]:
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
_known: dict[tuple[Any, ...], PaperIndex] = {}


def _index(editions: Sequence[Edition]) -> PaperIndex:
    key = tuple((row.pk, row.revision, row.papers, row.state) for row in editions)  # type: ignore[attr-defined]
    if key not in _known:
        _known.clear()
        _known[key] = PaperIndex.build(papers_of(editions))
    return _known[key]


def write(actor: Actor, topic: Topic, form: dict[str, str], now: datetime) -> Topic:
    """Keep what the form says. Raises CuratingError with a plain sentence."""
    before = _values(topic) if topic.pk else {}
    for name in TYPED:
        setattr(topic, name, form[name].strip())
    if not topic.name or not topic.group:
        raise CuratingError("A topic has a name and a group.")
    for field in Topic._meta.fields:
        most = field.max_length
        if field.name in TYPED and most and len(getattr(topic, field.name)) > most:
            raise CuratingError(f"The {field.name} has at most {most} characters. Shorten it.")
    topic.slug = topic.slug or _free_slug(topic.name)
    topic.is_active = form.get("is_active") == "yes"
    try:
        with transaction.atomic():
            topic_editing.write(topic)
            audit_log.record(actor, "write topic", f"topic {topic.slug}", now, before, _values(topic))
    except query.QueryError as error:
        raise CuratingError(f"{error.message} (column {error.column})") from error
    return topic


def _values(topic: Topic) -> dict[str, Any]:
    return {name: getattr(topic, name) for name in FIELDS}


def _free_slug(name: str) -> str:
    base = slugify(name)[:50] or "topic"
    taken = set(Topic.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    names: Sequence[str] = [base, *(f"{base}-{number}" for number in range(2, len(taken) + 3))]
    return next(one for one in names if one not in taken)


def merge(actor: Actor, topic: Topic, into: Topic, now: datetime) -> int:
    try:
        with transaction.atomic():
            moved = topic_editing.merge(topic, into)
            after = {"into": into.slug, "readers": moved}
            audit_log.record(actor, "merge topic", f"topic {topic.slug}", now, {"is_active": topic.is_active}, after)
    except topic_editing.OfferError as error:
        raise CuratingError(str(error)) from error
    return moved
