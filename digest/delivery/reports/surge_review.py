"""Reports that would end too many readers' letters at once: real trouble, or forged by somebody who has the secret.

The first of them are believed. Beyond `SHARE` of the readers within `WINDOW` the channel is held, so that nobody who
complained is written to meanwhile, and the others wait until a person has said what they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, Max, Min, QuerySet

from digest.delivery.channels import holds
from digest.models import ProviderEvent
from subscriptions.models import Subscriber

WINDOW = timedelta(hours=1)
SHARE, LEAST = 0.02, 20  # of the readers who get letters; and how many a site of any size may lose in that time
REASON = "Reports would end the letters of too many readers at once. Say whether they are real or forged."
UNSETTLED = (
    "Reports that end readers' letters wait for a word, or are being worked in: "
    "before that, somebody who complained could be written to."
)

Review = ProviderEvent.Review


class SurgeError(Exception):
    """One report too many: its consequences are not drawn now."""


def review(row: ProviderEvent, now: datetime) -> None:
    """Let a report end a reader's letters, and count it. Raises FloodError where too many did of late."""
    if not row.review and _is_full(row.channel, now):
        raise SurgeError
    ProviderEvent.objects.filter(pk=row.pk).update(ended=True)


def _is_full(channel: str, now: datetime) -> bool:
    watched = holds.channel(channel).watched_at
    since = max(now - WINDOW, watched) if watched else now - WINDOW
    count = ProviderEvent.objects.filter(channel=channel, ended=True, review="", applied_at__gt=since).count()
    if count < LEAST:
        return False
    enough = int(count / SHARE)  # with so many readers it would be a small share; the others need no counting
    active = Subscriber.objects.filter(state=Subscriber.State.ACTIVE).order_by().values("pk")
    return not active[enough : enough + 1].exists()


def keep_back(row: ProviderEvent, now: datetime) -> None:
    """The report waits, and so does the channel."""
    with transaction.atomic():
        waits = ProviderEvent.objects.filter(pk=row.pk, applied_at=None, review="").update(review=Review.WAITING)
        if waits:
            holds.hold(row.channel, holds.BREAKER, REASON, now)


# -- what a person does about them ----------------------------------------------------------------


@dataclass(frozen=True)
class Waiting:
    """The reports of one channel that wait for a word: how many, about how many readers, from when to when."""

    channel: str
    reports: int
    readers: int
    first: datetime
    last: datetime


def waiting() -> list[Waiting]:
    """Every channel whose reports wait."""
    found = _waiting().order_by().values("channel").annotate(
        reports=Count("pk"), readers=Count("delivery__subscriber", distinct=True),
        first=Min("received_at"), last=Max("received_at"),
    )  # fmt: skip
    return [Waiting(**line) for line in found.order_by("channel")]


def confirm(channel: str) -> int:
    """They are real: the next sweep draws their consequences. Answers how many."""
    return _waiting().filter(channel=channel).update(review=Review.BELIEVED)


def refuse(channel: str, now: datetime) -> int:
    """They are forged: kept, but without consequences. Answers how many."""
    return _waiting().filter(channel=channel).update(review=Review.REFUSED, applied_at=now)


def is_settled(channel: str) -> bool:
    """Whether nothing waits for a word, and nothing believed waits for its consequences."""
    open_ones = ProviderEvent.objects.filter(channel=channel, applied_at=None)
    return not open_ones.filter(review__in=[Review.WAITING, Review.BELIEVED]).exists()


def _waiting() -> QuerySet[ProviderEvent]:
    return ProviderEvent.objects.filter(review=Review.WAITING)
