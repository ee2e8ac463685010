"""The only writer of a letter's state. Every move is one compare-and-set that `states` allows.

A move leaves out the rows that are in no state from which the event may happen; its result says how many moved.
"""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict, Unpack

from django.db.models import QuerySet

from digest.delivery import states
from digest.delivery.states import Event
from digest.models import Attempt, Delivery


class LetterColumns(TypedDict, total=False):
    """The columns of a delivery that may be written together with its state."""

    reason: str
    tries: int
    next_at: datetime
    due_at: datetime
    attempt: Attempt


class AttemptColumns(TypedDict, total=False):
    """The columns of an attempt that may be written together with its state."""

    outcome: str
    detail: str
    http_status: int | None
    provider_ids: dict[str, str]
    lease_until: datetime
    intent_at: datetime
    ambiguous_at: datetime
    closed_at: datetime


def move(rows: QuerySet[Delivery], event: Event, now: datetime, **columns: Unpack[LetterColumns]) -> int:
    """Move every letter of `rows` to where `event` leads; returns how many letters moved.

    `settled_at` becomes `now` for a final state and empty for any other.
    """
    target = states.target(event)
    settled_at = None
    if target in states.FINAL:
        settled_at = now
    sources = {states.DELIVERY[state] for state in states.sources(event)}
    movable = rows.filter(state__in=sources)
    return movable.update(state=states.DELIVERY[target], settled_at=settled_at, **columns)


def move_attempts(rows: QuerySet[Attempt], to: Attempt.State, **columns: Unpack[AttemptColumns]) -> int:
    """Move every attempt of `rows` to the state `to`; returns how many moved."""
    sources = states.ATTEMPT_TRANSITIONS[to]
    movable = rows.filter(state__in=sources)
    return movable.update(state=to, **columns)


def begin_skipped(row: Delivery, reason: str, now: datetime) -> None:
    """Set a letter that is not stored yet to SKIPPED: there is nothing to send."""
    row.state = Delivery.State.SKIPPED
    row.reason = reason
    row.settled_at = now
