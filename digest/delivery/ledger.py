"""The only writer of a letter's state: every move is one compare-and-set that `machine` allows.

A move leaves alone the rows that are in no state from which the event may happen; the answer says how many moved.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from digest.delivery import states
from digest.delivery.states import Event
from digest.models import Attempt, Delivery


def move(rows: QuerySet[Delivery], event: Event, now: datetime, **columns: Any) -> int:
    """Move every letter of `rows` to where `event` leads; returns how many letters moved.

    `columns` are written with the state. `settled_at` is `now` for a final state, and empty for any other.
    """
    target = states.target(event)
    settled_at = now if target in states.FINAL else None
    sources = {states.DELIVERY[state] for state in states.sources(event)}
    movable = rows.filter(state__in=sources)
    return movable.update(state=states.DELIVERY[target], settled_at=settled_at, **columns)


def turn(attempts: QuerySet[Attempt], to: Attempt.State, **columns: Any) -> int:
    """Move every attempt of `attempts` on to `to`; returns how many moved. `machine.TURNS` lists what is allowed."""
    sources = states.TURNS[to]
    movable = attempts.filter(state__in=sources)
    return movable.update(state=to, **columns)


def begin_skipped(row: Delivery, reason: str, now: datetime) -> None:
    """Let a letter that is not stored yet begin as a skipped one: there is nothing to send."""
    row.state, row.reason, row.settled_at = Delivery.State.SKIPPED, reason, now
