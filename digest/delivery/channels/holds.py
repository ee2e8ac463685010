"""Holds a channel and releases it: for an operator, the circuit breaker or the restore guard.

A hold takes effect before the next letter; a hand-over that has begun ends normally.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db.models import Q

from digest.models import Channel
from subscriptions.clock import monotonic

log = logging.getLogger(__name__)

OPERATOR, BREAKER, RESTORE = "operator", "breaker", "restore"
LOOK_AGAIN = 1.0  # seconds between two looks at the hold while letters are handed over
HALF_OPEN_AFTER = timedelta(minutes=5)
LEAST_FREE = 0.05  # of the disk: below it nothing new is begun, so that what was begun can be written down


def channel(name: str) -> Channel:
    """The channel's row; it is stored when it is first asked for."""
    Channel.objects.bulk_create([Channel(name=name)], ignore_conflicts=True)
    return Channel.objects.get(name=name)


def hold(name: str, by: str, reason: str, now: datetime, half_open_after: timedelta | None = None) -> bool:
    """Stop the channel; False if it is held already and that hold stays.

    An operator's hold replaces a breaker's. A hold that waits for a person replaces one that becomes half-open.
    """
    channel(name)
    free = Q(held_by="")
    if by in {OPERATOR, RESTORE}:
        free |= Q(held_by=BREAKER)
    elif half_open_after is None:
        free |= Q(held_by=BREAKER, probe_at__isnull=False)
    probe_at = None
    if half_open_after:
        probe_at = now + half_open_after
    held = Channel.objects.filter(free, name=name).update(
        held_by=by,
        held_reason=reason[:300],
        held_at=now,
        probe_at=probe_at,
    )
    if held:
        log.warning("channel %s is held by %s: %s", name, by, reason)
    return bool(held)


def resume(name: str, now: datetime) -> bool:
    """Release the hold; bounces, complaints and errors are counted anew from here. False if it was not held."""
    held = Channel.objects.filter(name=name).exclude(held_by="")
    return bool(held.update(held_by="", held_reason="", held_at=None, probe_at=None, watched_at=now, streak=0))


def reason(name: str, now: datetime) -> str:
    """The reason why nothing may be sent now; empty if something may."""
    row = channel(name)
    if row.held_by and not (row.probe_at and row.probe_at <= now):
        return row.held_reason
    return low_disk()


class HoldWatch:
    """Whether the channel was held since a chunk began; asks the database at most once a second."""

    def __init__(self, name: str, now: datetime) -> None:
        self.name, self.now = name, now
        self._asked, self._held = -LOOK_AGAIN, False

    def is_held(self) -> bool:
        if monotonic() - self._asked >= LOOK_AGAIN:
            self._asked, self._held = monotonic(), bool(reason(self.name, self.now))
        return self._held


def is_half_open(name: str, now: datetime) -> bool:
    """Whether the circuit breaker is half-open: the hold's time is over, and one letter is tried (`close_or_wait`)."""
    row = channel(name)
    return bool(row.held_by and row.probe_at and row.probe_at <= now)


def close_or_wait(name: str, good: bool, now: datetime) -> None:
    """After the one letter of a half-open breaker: resume where it went, else wait again."""
    if good:
        resume(name, now)
    else:
        Channel.objects.filter(name=name).exclude(held_by="").update(probe_at=now + HALF_OPEN_AFTER)


def low_disk() -> str:
    """A sentence if a disk that is written to while sending is nearly full."""
    for folder in (Path(settings.VAR_DIR), Path(tempfile.gettempdir())):
        try:
            usage = shutil.disk_usage(folder)
        except OSError:
            continue
        if usage.free < LEAST_FREE * usage.total:
            free = f"{usage.free // 2**20} MB free"
            return f"The disk under {folder} is nearly full ({free}). Make room; sending goes on by itself."
    return ""
