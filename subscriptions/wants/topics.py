"""The starter topics: read from topics.toml and kept in step with the table, without taking anyone's away."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from django.db import transaction

from subscriptions import query
from subscriptions.models import Filter, Topic

FILE = Path(__file__).with_name("topics.toml")


class TopicsError(ValueError):
    """A topic in the file cannot be used; the message names it and says what is wrong."""


@dataclass(frozen=True, slots=True)
class StarterTopic:
    slug: str
    name: str
    group: str
    description: str
    query: str
    canonical: str


def read_starter_topics(file: Path = FILE) -> list[StarterTopic]:
    """The topics of the file, in its order. Raises TopicsError."""
    try:
        rows = tomllib.loads(file.read_text(encoding="utf-8")).get("topic", [])
    except tomllib.TOMLDecodeError as error:
        raise TopicsError(f"{file.name}: {error}") from error
    topics = [_topic(row) for row in rows]
    slugs = [topic.slug for topic in topics]
    twice = sorted({slug for slug in slugs if slugs.count(slug) > 1})
    if twice:
        raise TopicsError(f"{file.name}: these slugs stand there twice: {', '.join(twice)}")
    return topics


def load_starter_topics(file: Path = FILE) -> int:
    """Write the file's topics into the table; how many there are. Running it again changes nothing.

    A topic that left the file is no longer offered, but its readers keep it. A topic whose query changed takes
    its readers along, since they chose the topic and not the query.
    """
    topics = read_starter_topics(file)
    with transaction.atomic():
        for position, topic in enumerate(topics):
            _save(topic, position)
        Topic.objects.exclude(slug__in=[topic.slug for topic in topics]).filter(is_starter=True).update(is_active=False)
    return len(topics)


def _topic(row: dict[str, str]) -> StarterTopic:
    slug = row.get("slug", "?")
    try:
        return StarterTopic(**row, canonical=query.canonical(row["query"]))
    except query.QueryError as error:
        raise TopicsError(f"topic {slug}: {error}") from error
    except (KeyError, TypeError) as error:
        raise TopicsError(f"topic {slug}: needs slug, name, group, description and query, nothing else") from error


def _save(topic: StarterTopic, position: int) -> None:
    filter_row, _ = Filter.objects.get_or_create(text=topic.canonical)
    values = {
        "name": topic.name,
        "group": topic.group,
        "description": topic.description,
        "query": topic.query,
        "filter": filter_row,
        "position": position,
        "is_starter": True,
    }
    row, created = Topic.objects.get_or_create(slug=topic.slug, defaults=values | {"is_active": True})
    is_edited = not created and not row.is_starter  # a curator wrote it anew: their words stay
    if created or is_edited or all(getattr(row, name) == value for name, value in values.items()):
        return
    Topic.objects.filter(pk=row.pk).update(**values, is_active=True)
    if row.filter_id != filter_row.pk:
        row.interests.exclude(subscriber__interests__filter=filter_row).update(filter=filter_row)
