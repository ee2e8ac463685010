"""A curator's acts on topics: writing and merging them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.text import slugify

from digest.desk import audit_log
from digest.desk.actor import Actor
from digest.desk.acts.paper_acts import CuratingError
from subscriptions import query
from subscriptions.models import Topic
from subscriptions.wants import topic_editing

TYPED = ("name", "group", "description", "query")
FIELDS = (*TYPED, "position", "is_active")


def write(actor: Actor, topic: Topic, form: dict[str, str], now: datetime) -> Topic:
    """Keep what the form says. Raises CuratingError with a plain sentence."""
    before = values_of(topic) if topic.pk else {}
    for name in TYPED:
        setattr(topic, name, form[name].strip())
    if not topic.name or not topic.group:
        raise CuratingError("A topic has a name and a group.")
    for field in Topic._meta.fields:
        most = field.max_length
        if field.name in TYPED and most and len(getattr(topic, field.name)) > most:
            raise CuratingError(f"The {field.name} has at most {most} characters. Shorten it.")
    topic.slug = topic.slug or free_slug(topic.name)
    topic.is_active = form.get("is_active") == "yes"
    try:
        with transaction.atomic():
            topic_editing.write(topic)
            audit_log.record(actor, "write topic", f"topic {topic.slug}", now, before, values_of(topic))
    except query.QueryError as error:
        raise CuratingError(f"{error.message} (column {error.column})") from error
    return topic


def values_of(topic: Topic) -> dict[str, Any]:
    return {name: getattr(topic, name) for name in FIELDS}


def free_slug(name: str) -> str:
    """The name as a slug, with a number behind it where another topic has it."""
    base = slugify(name)[:50] or "topic"
    slug = base
    number = 1
    while Topic.objects.filter(slug=slug).exists():
        number += 1
        slug = f"{base}-{number}"
    return slug


def merge(actor: Actor, topic: Topic, into: Topic, now: datetime) -> int:
    """Retire a topic and give its readers another; returns how many they are."""
    before = {"is_active": topic.is_active}
    try:
        with transaction.atomic():
            moved = topic_editing.merge(topic, into)
            after = {"into": into.slug, "readers": moved}
            audit_log.record(actor, "merge topic", f"topic {topic.slug}", now, before, after)
    except topic_editing.OfferError as error:
        raise CuratingError(str(error)) from error
    return moved
