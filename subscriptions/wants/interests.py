"""What a reader wants to see: topics and filters in their own words, read, checked and kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction

from subscriptions import query
from subscriptions.models import Consent, Filter, Interest, Subscriber, Topic
from subscriptions.query import tokenizer

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
    def said(self) -> str:
        """The label, and whether it is wanted or not."""
        return f"Not: {self.label}" if self.muted else self.label

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
    wishes, errors = read_each(topics, queries)
    if errors:
        raise errors[0]
    return wishes


def read_each(topics: Iterable[str] = (), queries: Sequence[str] = ()) -> tuple[list[Wish], list[InterestError]]:
    """The wishes that can be read, each filter once, and what is wrong with the others."""
    chosen, errors = _topics(topics)
    wishes = [Wish(topic.filter.text, topic) for topic in chosen]
    lines = [(number, line.strip()) for number, line in enumerate(queries, start=1) if line.strip()]
    if len(lines) > MOST_FILTERS:
        many = f"You wrote {len(lines)} filters; {MOST_FILTERS} is the most. Join some of them with OR."
        errors.append(InterestError(many))
    for number, line in lines[:MOST_FILTERS]:
        try:
            wishes.append(_filter(line))
        except query.QueryError as error:
            errors.append(InterestError(error.message, number, error.column))
    return list({wish.canonical: wish for wish in reversed(wishes)}.values())[::-1], errors


def weigh(wishes: Sequence[Wish], weights: dict[str, str]) -> list[Wish]:
    """The wishes with the reader's emphasis: `weights` speak of canonical texts."""
    return [replace(wish, weight=WEIGHTS.get(weights.get(wish.canonical, ""), wish.weight)) for wish in wishes]


def mute(wishes: Sequence[Wish], unwanted: Iterable[str], before: Iterable[str] = ()) -> list[Wish]:
    """The wishes, muted where the line itself says so or their canonical text is among the `unwanted`.

    Those muted `before` were shown in both ways, so either of them takes it back: the minus or the tick.
    """
    ticked, shown = set(unwanted), set(before)
    silent = {wish.canonical for wish in wishes if wish.muted}
    muted = (silent & ticked) | ((silent | ticked) - shown)
    return [replace(wish, muted=wish.canonical in muted) for wish in wishes]


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


def as_typed(interest: Interest) -> str:
    """The line that is read as this filter again: a mute has its minus, many plain words have an AND between them."""
    if interest.muted:
        return query.format(query.negated(query.parse(interest.filter.text, longest=len(interest.filter.text))))
    if not query.is_prose(interest.text):
        return interest.text
    tree = query.parse(interest.filter.text, longest=len(interest.filter.text))
    return " AND ".join(query.format(part) for part in (tree.parts if isinstance(tree, query.And) else (tree,)))


def groups(topics: Iterable[Topic]) -> list[tuple[str, list[Topic]]]:
    """Topics by group, in the order of their positions."""
    found: dict[str, list[Topic]] = {}
    for topic in topics:
        found.setdefault(topic.group, []).append(topic)
    return list(found.items())


def _filter(line: str) -> Wish:
    """A typed line; one that only leaves out (`-survey`) mutes what it names. Raises QueryError."""
    for column, letter in enumerate(line, start=1):
        if not tokenizer.is_storable(letter):
            raise query.QueryError("This line holds a character that no text has. Type it anew, without.", column)
    unwanted = query.left_out(line)
    return Wish(unwanted, text=unwanted, muted=True) if unwanted else Wish(query.canonical(line), text=line)


def _topics(slugs: Iterable[str]) -> tuple[list[Topic], list[InterestError]]:
    wanted = list(dict.fromkeys(slugs))
    known = [slug for slug in wanted if tokenizer.is_storable(slug)]  # PostgreSQL refuses to be asked for others
    found = {
        topic.slug: topic for topic in Topic.objects.filter(slug__in=known, is_active=True).select_related("filter")
    }
    unknown = (slug for slug in wanted if slug not in found)
    errors = [InterestError(f"There is no topic called “{slug}”. Choose from the list of topics.") for slug in unknown]
    return [found[slug] for slug in wanted if slug in found], errors


def _filters(texts: set[str]) -> dict[str, Filter]:
    Filter.objects.bulk_create([Filter(text=text) for text in sorted(texts)], ignore_conflicts=True)
    return {row.text: row for row in Filter.objects.filter(text__in=texts)}
