"""When a source is asked next: after its publisher's own hour, later and later while it fails. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from zlib import crc32

from digest.models import Outcome
from digest.sources import calendar
from digest.sources.parsers import registry

FIRST_RETRY, LONGEST_RETRY = timedelta(minutes=10), timedelta(hours=6)
ASK_AGAIN = timedelta(hours=1)  # a stale or empty working day, an answer cut short


def spread_of(slug: str) -> float:
    """A source's own place between 0 and 1, always the same."""
    return crc32(slug.encode()) % 1_000 / 1_000


def next_pull(
    kind: str,
    outcome: Outcome,
    failures: int,
    pull_every: timedelta,
    now: datetime,
    *,
    satisfied: bool = True,
    spread: float = 0.0,
) -> datetime:
    """The next moment to ask. `satisfied`: the publisher's newest due day is in; `failures` are those in a row.

    `spread` (0 to 1, a source's own) makes a wait up to a tenth longer, so that many sources that failed
    together do not come back together.
    """
    longer = 1 + 0.1 * spread
    if outcome in {Outcome.FAILED, Outcome.FORMAT_ERROR}:
        return now + min(FIRST_RETRY * 2 ** min(failures - 1, 10), LONGEST_RETRY) * longer
    if not registry.of(kind).is_one_day:
        if outcome == Outcome.TRUNCATED:
            pull_every = min(pull_every, ASK_AGAIN)
        return now + pull_every * longer
    if outcome in {Outcome.STALE, Outcome.TRUNCATED} or (outcome == Outcome.EMPTY and not satisfied):
        return min(now + ASK_AGAIN, calendar.next_ready(kind, now))
    if not satisfied:
        return now + ASK_AGAIN
    return calendar.next_ready(kind, now)
