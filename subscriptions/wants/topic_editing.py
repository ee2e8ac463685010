"""What a curator does to the topics on offer: write one, and let one take over another's readers."""

from __future__ import annotations

from django.db import transaction
from django.db.models import QuerySet

from subscriptions import query
from subscriptions.models import Filter, Interest, Topic


class OfferError(ValueError):
    """The topic cannot be kept so; the message says why."""


def write(topic: Topic) -> Topic:
    """Keep a new or changed topic. Its readers chose the topic, not the words of its query, so they come along.

    Raises QueryError where the query cannot be read.
    """
    with transaction.atomic():
        topic.filter = Filter.objects.get_or_create(text=query.canonical(topic.query))[0]
        topic.is_starter = False  # from here on the file of starter topics has no say in it
        topic.save()
        _hand_over(Interest.objects.filter(topic=topic), topic)
    return topic


def merge(topic: Topic, into: Topic) -> int:
    """`topic` is no longer offered; its readers get `into`. Answers how many readers moved."""
    if topic.pk == into.pk:
        raise OfferError("That is the same topic twice. Choose another.")
    if not into.is_active:
        raise OfferError(f"{into.name} is retired. Choose a topic that is offered.")
    with transaction.atomic():
        moved = _hand_over(Interest.objects.filter(topic=topic), into)
        Interest.objects.filter(topic=topic).delete()  # those readers have the other one already
        Topic.objects.filter(pk=topic.pk).update(is_active=False, is_starter=False)
    return moved


def _hand_over(interests: QuerySet[Interest], topic: Topic) -> int:
    """A reader has each filter once: whoever holds it already is left as they are."""
    held = Interest.objects.filter(filter=topic.filter).values("subscriber")
    return interests.exclude(subscriber__in=held).update(topic=topic, filter=topic.filter)
