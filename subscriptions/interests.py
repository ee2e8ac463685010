"""What a reader wants to see: topics and filters in their own words, read, checked and kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction

from subscriptions import query
from subscriptions.models import Consent, Filter, Interest, Subscriber, Topic

MOST_FILTERS = 20
WEIGHTS = {"less": 0.5, "normal": 1.0, "more": 2.0}


class InterestError(ValueError):
    """A wish that cannot be read: `number` counts the reader's lines from 1, `column` its characters (0: the whole)."""

    def __init__(self, message: str, number: int = 0, column: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.number = number
        self.column = column


@dataclass(frozen=True)
class Wish:
    """One interest not yet stored: a topic, or the words typed; `canonical` is its filter's text."""

    canonical: str
    topic: Topic | None = None
    text: str = ""
    weight: float = 1.0
    muted: bool = False

    @property
    def label(self) -> str:
        return self.topic.name if self.topic else self.text

    @property
    def kind(self) -> str:
        """A topic, or what the words ask for: one person, one category, or anything else."""
        if self.topic:
            return Interest.Kind.TOPIC
        tree = query.parse(self.canonical, longest=len(self.canonical))
        kinds = {"author": Interest.Kind.AUTHOR, "cat": Interest.Kind.CATEGORY}
        return kinds.get(tree.field, Interest.Kind.FILTER) if isinstance(tree, query.Term) else Interest.Kind.FILTER


def read(topics: Iterable[str] = (), queries: Sequence[str] = ()) -> list[Wish]:
    """Wishes out of topic slugs and typed lines, each filter once; raises `InterestError`."""
    wishes = [Wish(topic.filter.text, topic) for topic in _topics(topics)]
    lines = [(number, line.strip()) for number, line in enumerate(queries, start=1) if line.strip()]
    if len(lines) > MOST_FILTERS:
        raise InterestError(f"You wrote {len(lines)} filters; {MOST_FILTERS} is the most. Join some of them with OR.")
    wishes += [Wish(_canonical(line, number), text=line) for number, line in lines]
    return list({wish.canonical: wish for wish in reversed(wishes)}.values())[::-1]


def weigh(wishes: Sequence[Wish], weights: dict[str, str], muted: Iterable[str]) -> list[Wish]:
    """The wishes with the reader's emphasis: `weights` and `muted` speak of canonical texts."""
    silent = set(muted)
    return [
        replace(wish, weight=WEIGHTS.get(weights.get(wish.canonical, ""), wish.weight), muted=wish.canonical in silent)
        for wish in wishes
    ]


def store(subscriber: Subscriber, wishes: Sequence[Wish]) -> None:
    """Make these the reader's interests; those that stay keep their row."""
    with transaction.atomic():
        filters = _filters({wish.canonical for wish in wishes})
        subscriber.interests.exclude(filter__text__in=filters).delete()
        for wish in wishes:
            subscriber.interests.update_or_create(
                filter=filters[wish.canonical],
                defaults={
                    "kind": wish.kind,
                    "topic": wish.topic,
                    "text": "" if wish.topic else wish.text,
                    "weight": wish.weight,
                    "muted": wish.muted,
                },
            )


def change(subscriber: Subscriber, wishes: Sequence[Wish], now: datetime) -> None:
    """Store, and keep the proof that the reader asked for it."""
    with transaction.atomic():
        store(subscriber, wishes)
        Consent.objects.create(subscriber=subscriber, act="changed", at=now, wording="interests")


def of(subscriber: Subscriber) -> list[Interest]:
    """The reader's interests in the order they were added."""
    return list(subscriber.interests.select_related("topic", "filter").order_by("id"))


def groups(topics: Iterable[Topic]) -> list[tuple[str, list[Topic]]]:
    """Topics by group, in the order of their positions."""
    found: dict[str, list[Topic]] = {}
    for topic in topics:
        found.setdefault(topic.group, []).append(topic)
    return list(found.items())


def _topics(slugs: Iterable[str]) -> list[Topic]:
    wanted = list(dict.fromkeys(slugs))
    found = {
        topic.slug: topic for topic in Topic.objects.filter(slug__in=wanted, is_active=True).select_related("filter")
    }
    for slug in wanted:
        if slug not in found:
            raise InterestError(f"There is no topic called “{slug}”. Choose from the list of topics.")
    return [found[slug] for slug in wanted]


def _canonical(line: str, number: int) -> str:
    try:
        return query.canonical(line)
    except query.QueryError as error:
        raise InterestError(error.message, number, error.column) from error


def _filters(texts: set[str]) -> dict[str, Filter]:
    Filter.objects.bulk_create([Filter(text=text) for text in sorted(texts)], ignore_conflicts=True)
    return {row.text: row for row in Filter.objects.filter(text__in=texts)}
