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
    letters = dashboard.account(counters.read("letters", edition.date)) if edition else {}
    if edition is None or not letters["pending"]:
        return None
    done, total = letters["planned"] - letters["pending"], letters["planned"]
    if reason := stopped(now):
        return Progress(done, total, 0.0, None, f"Stopped: {reason.rstrip('.')}.")
    looks = _looks(edition)
    begun = since(looks)
    if begun is None:
        return Progress(done, total, 0.0, None, _still(looks))
    rate = pace(looks, begun)
    if not rate:
        return Progress(done, total, 0.0, None, "Just begun: the pace shows within a minute.")
    ends = max(now, looks[-1][0] + timedelta(minutes=letters["pending"] / rate))
    return Progress(done, total, rate, ends, _ahead(rate, ends, now))


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
            begun = begun if begun is not None and done > before else (at, done)
            still_since = at
        before = done
    return begun


def pace(looks: Sequence[Look], begun: Look) -> float:
    """Letters a minute from `begun`, or the first look of the window, to the last look; 0 while that is too short."""
    at, done = looks[-1]
    first = next(look for look in looks if look[0] >= max(begun[0], at - WINDOW))
    span = at - first[0]
    return max(0.0, (done - first[1]) / (span / timedelta(minutes=1))) if span >= LEAST else 0.0


def _looks(edition: Edition) -> list[Look]:
    kept = counters.read("progress", edition.date)
    return sorted((datetime.fromisoformat(at), done) for at, done in kept.items())


def _still(looks: Sequence[Look]) -> str:
    """Nothing moves: since when, as far as is known."""
    if not looks or not looks[-1][1]:
        return "None has gone yet."
    last = next(at for at, done in looks if done == looks[-1][1])
    return f"None has gone since {last:%H:%M} UTC."


def _ahead(rate: float, ends: datetime, now: datetime) -> str:
    clock = f"{ends:%H:%M}" if ends.date() == now.date() else f"{ends:%-d %B %H:%M}"
    a_minute = f"{round(rate)} a minute" if rate >= 1 else "less than one a minute"
    return f"{a_minute.capitalize()}; {roughly(ends - now)} left, over at about {clock} UTC."
