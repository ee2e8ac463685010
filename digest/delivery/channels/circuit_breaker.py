"""The circuit breaker: holds a channel with too many hard bounces, complaints or provider errors.

The limits are the mailbox providers' own: complaints below 0.1 %, never 0.3 % (Google 81126, Yahoo);
permanent bounces at most a few in a hundred. Each limit has a least number, because small numbers prove nothing.

Reports that would end the letters of too many readers within an hour may be forged by somebody who has the secret of
`/hooks/`. The first are applied. The others are kept, and the channel is held until an operator confirms or drops them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, F, Max, Min, QuerySet

from digest.delivery.channels import holds
from digest.models import Attempt, Channel, Delivery, ProviderEvent
from subscriptions.models import Subscriber

WINDOW = timedelta(hours=24)
RECENT = timedelta(minutes=10)
MOST_BOUNCES, LEAST_BOUNCES = 0.05, 10
MOST_COMPLAINTS, LEAST_COMPLAINTS = 0.003, 3
MOST_ERRORS, LEAST_ERRORS = 0.5, 20
SURGE_WINDOW = timedelta(hours=1)
SURGE_SHARE, SURGE_LEAST = 0.02, 20  # of the readers who get letters; and how many a site of any size may lose in it
SURGE = (
    "Reports would end the letters of too many readers within an hour: real trouble, or forged. "
    "Look at the provider's own log, then resume and say which."
)


class SurgeError(Exception):
    """This report is one too many: it is not applied now."""


@dataclass(frozen=True)
class Counts:
    """What happened on a channel: letters accepted, hard bounces, complaints; requests and failed ones."""

    accepted: int = 0
    bounced: int = 0
    complained: int = 0
    requests: int = 0
    errors: int = 0


def reason_to_hold(counts: Counts) -> str:
    """Why to hold, in a sentence; empty if all is well. Pure."""
    sent = max(counts.accepted, 1)
    if counts.complained >= LEAST_COMPLAINTS and counts.complained / sent > MOST_COMPLAINTS:
        return f"{counts.complained} of {counts.accepted} letters were reported as spam (limit 0.3 %)."
    if counts.bounced >= LEAST_BOUNCES and counts.bounced / sent > MOST_BOUNCES:
        return f"{counts.bounced} of {counts.accepted} letters bounced for good (limit 5 %)."
    if counts.errors >= LEAST_ERRORS and counts.errors / max(counts.requests, 1) > MOST_ERRORS:
        return f"{counts.errors} of the last {counts.requests} requests to the provider failed."
    return ""


STREAK = 10  # letters in a row that did not go: the trouble is not theirs


def record(name: str, went: int, failed: int, detail: str, now: datetime) -> None:
    """Count the letters of a chunk that went and failed; hold the channel after `STREAK` failures in a row."""
    row = Channel.objects.filter(name=name)
    if went:
        row.update(streak=0, accepted_at=now)
    elif failed:
        row.update(streak=F("streak") + failed)
        if row.filter(streak__gte=STREAK).exists():
            reason = f"{STREAK} letters in a row did not go. The last answer: {detail or 'none'}"
            holds.hold(name, holds.BREAKER, reason, now, holds.HALF_OPEN_AFTER)


def check(name: str, now: datetime) -> str:
    """Hold the channel if need be; returns the reason. After provider errors it becomes half-open by itself."""
    counts = count(name, now)
    reason = reason_to_hold(counts)
    if _kept(name).exists():
        reason = SURGE
    if reason.endswith("failed."):
        holds.hold(name, holds.BREAKER, reason, now, holds.HALF_OPEN_AFTER)
    elif reason:
        holds.hold(name, holds.BREAKER, reason, now)
    return reason


def count(name: str, now: datetime) -> Counts:
    """Since the last resume, and no longer ago than the window."""
    since = _since_resume(name, now - WINDOW)
    recent = max(now - RECENT, since)
    letters = Delivery.objects.filter(attempt__channel=name, settled_at__gt=since)
    events = ProviderEvent.objects.filter(channel=name, received_at__gt=since).exclude(delivery=None)
    attempts = Attempt.objects.filter(channel=name, started_at__gt=recent, intent_at__isnull=False)
    return Counts(
        accepted=letters.filter(state=Delivery.State.ACCEPTED).count(),
        bounced=events.filter(raw__severity="hard").values("delivery").distinct().count()
        + letters.filter(state=Delivery.State.REJECTED).count(),
        complained=events.filter(type="complained").values("delivery").distinct().count(),
        requests=attempts.count(),
        errors=attempts.filter(outcome__in=["unclear", "blocked", "worker lost"]).count(),
    )


def _since_resume(name: str, start: datetime) -> datetime:
    """`start`, or the last resume of the channel where that was later."""
    resumed = holds.channel(name).watched_at
    if resumed is None:
        return start
    return max(start, resumed)


# -- a surge of reports that end readers' letters -------------------------------------------------


@dataclass(frozen=True)
class Waiting:
    """The reports of one channel that wait for an operator: how many, about how many readers, received when (UTC)."""

    reports: int
    readers: int
    first: datetime
    last: datetime


def admit(row: ProviderEvent, now: datetime) -> None:
    """Let a report end a reader's letters, and count it. Raises SurgeError where too many did, or others wait."""
    if not row.waits and _is_surge(row.channel, now):
        raise SurgeError
    ProviderEvent.objects.filter(pk=row.pk).update(ended=True)


def _is_surge(channel: str, now: datetime) -> bool:
    if _kept(channel).exists():
        return True
    since = _since_resume(channel, now - SURGE_WINDOW)
    count = ProviderEvent.objects.filter(channel=channel, ended=True, applied_at__gt=since).count()
    if count < SURGE_LEAST:
        return False
    enough = int(count / SURGE_SHARE)  # with so many readers it is a small share: the others need no counting
    active = Subscriber.objects.filter(state=Subscriber.State.ACTIVE).order_by().values("pk")
    return not active[enough : enough + 1].exists()


def keep_back(row: ProviderEvent, now: datetime) -> None:
    """Let the report wait for an operator, and hold the channel."""
    with transaction.atomic():
        if ProviderEvent.objects.filter(pk=row.pk, applied_at=None, waits=False).update(waits=True):
            holds.hold(row.channel, holds.BREAKER, SURGE, now)


def waiting(channel: str) -> Waiting | None:
    """The reports that wait for an operator; None where there are none."""
    found = _kept(channel).aggregate(
        reports=Count("pk"),
        readers=Count("delivery__subscriber", distinct=True),
        first=Min("received_at"),
        last=Max("received_at"),
    )
    if not found["reports"]:
        return None
    return Waiting(**found)


def drop(channel: str, now: datetime) -> int:
    """Keep the reports that wait without applying them, because they are forged; returns how many."""
    return _kept(channel).update(waits=False, applied_at=now)


def _kept(channel: str) -> QuerySet[ProviderEvent]:
    return ProviderEvent.objects.filter(channel=channel, waits=True)
