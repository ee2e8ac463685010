"""How fast letters go and when a send will be over, read from the kept looks at how many were done when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from digest.delivery.channels import holds, traits
from digest.desk import counters
from digest.desk.pages import dashboard
from digest.desk.pages.formats import roughly
from digest.models import Channel, Edition

WINDOW = timedelta(minutes=5)  # so far back a pace looks
LEAST = timedelta(seconds=20)  # shorter spans say nothing: letters are settled by the handful
IDLE = timedelta(seconds=90)  # nothing moved for so long: whatever moves next has begun anew

Look = tuple[datetime, int]


@dataclass(frozen=True, slots=True)
class Progress:
    """A send that is under way: letters done of all, letters a minute (0: unknown), when it will be over, in words."""

    done: int
    total: int
    a_minute: float
    ends_at: datetime | None
    says: str


def progress(edition: Edition | None, now: datetime) -> Progress | None:
    """The send of this edition, while letters wait."""
    if edition is None:
        return None
    letters = dashboard.account(counters.read("letters", edition.date))
    total = letters["planned"]
    done = total - letters["pending"]
    if done == total:
        return None
    reason = stopped(now)
    if reason:
        return Progress(done, total, 0.0, None, f"Stopped: {reason.rstrip('.')}.")
    kept = counters.read("progress", edition.date)
    looks = sorted((datetime.fromisoformat(at), count) for at, count in kept.items())
    begun = since(looks)
    if begun is None:
        return Progress(done, total, 0.0, None, standing_still(looks))
    rate = pace(looks, begun)
    if not rate:
        return Progress(done, total, 0.0, None, "Just begun: the pace shows within a minute.")
    ends = max(now, looks[-1][0] + timedelta(minutes=letters["pending"] / rate))
    return Progress(done, total, rate, ends, outlook(rate, ends, now))


def stopped(now: datetime) -> str:
    """Why nothing is sent at the moment; empty while it may be. Reads only, unlike `holds.reason`."""
    row = Channel.objects.filter(name=traits.current()).exclude(held_by="").first()
    if row is not None and not (row.probe_at and row.probe_at <= now):
        return row.held_reason or "an operator holds it"
    return holds.low_disk()


def since(looks: Sequence[Look]) -> Look | None:
    """The look at which the letters were first seen to move, after they last stood still; None while they do.

    What moved before that look is left out, for nobody knows when it began.
    """
    begun: Look | None = None
    still_since, before = None, 0
    for at, done in looks:
        if done == before:
            still_since = still_since or at
            if at - still_since >= IDLE:
                begun = None
        else:
            if begun is None or done < before:
                begun = (at, done)
            still_since = at
        before = done
    return begun


def pace(looks: Sequence[Look], begun: Look) -> float:
    """Letters a minute from `begun`, or the first look of the window, to the last look; 0 while that is too short."""
    at, done = looks[-1]
    start = max(begun[0], at - WINDOW)
    first_at, first_done = next(look for look in looks if look[0] >= start)
    span = at - first_at
    if span < LEAST:
        return 0.0
    return max(0.0, (done - first_done) / (span / timedelta(minutes=1)))


def standing_still(looks: Sequence[Look]) -> str:
    """Since when nothing moves, as far as is known."""
    if not looks or not looks[-1][1]:
        return "None has gone yet."
    last = next(at for at, done in looks if done == looks[-1][1])
    return f"None has gone since {last:%H:%M} UTC."


def outlook(rate: float, ends: datetime, now: datetime) -> str:
    """How fast the letters go and when the last will have gone."""
    clock = f"{ends:%-d %B %H:%M}"
    if ends.date() == now.date():
        clock = f"{ends:%H:%M}"
    speed = "Less than one a minute"
    if rate >= 1:
        speed = f"{round(rate)} a minute"
    return f"{speed}; {roughly(ends - now)} left, over at about {clock} UTC."
