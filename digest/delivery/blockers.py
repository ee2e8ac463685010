"""Everything that stops sending now, each with how to end it: what `doctor`, `up`, `/readyz` and the desk show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from digest.delivery.accounts import restore_guard
from digest.delivery.channels import circuit_breaker, holds, traits
from digest.models import Channel

DISK = "disk"
RESTORED = (
    "Pull and release the missing days (manage.py pull, manage.py release --date DAY), then run "
    "manage.py resume --restored: everybody counts as served so far."
)
MOVED = " If the database is whole, because nothing was sent after it was copied: manage.py resume --moved."
REPORTS = (
    "Compare with the provider's own log, then run manage.py resume --apply-reports where they are real, "
    "or manage.py resume --drop-reports where they are forged."
)
WAITING = (
    " Reports that end readers' letters wait, too: add --apply-reports where the provider's own log shows them, "
    "--drop-reports where they are forged."
)
OPERATOR = "Run manage.py resume, or press “Let it go on” on the desk's Deliverability page."
HARM = "Find out why, then run manage.py resume: bounces and complaints are counted anew from there."


@dataclass(frozen=True)
class Blocker:
    """One thing that stops a channel. `by` is operator, breaker, restore or disk.

    `reason` may quote the provider; `way_out` does not.
    """

    channel: str
    by: str
    reason: str
    way_out: str
    since: datetime | None = None


def find(now: datetime) -> list[Blocker]:
    """Every hold of every channel, a ledger that would be held at the next turn, and a full disk."""
    found = []
    current = traits.current()
    is_held = False
    for row in Channel.objects.exclude(held_by="").order_by("name"):
        found.append(Blocker(row.name, row.held_by, row.held_reason, way_out(row), row.held_at))
        is_held = is_held or row.name == current
    if not is_held:
        reason = restore_guard.judge(now)
        if reason:
            found.append(Blocker(current, holds.RESTORE, reason, _after_restore(reason)))
    full = holds.low_disk()
    if full:
        found.append(Blocker(current, DISK, full, "Make room on the disk; sending goes on by itself."))
    return found


def way_out(row: Channel) -> str:
    """What ends this hold, in a sentence. A channel that is no longer the configured one has to be named."""
    if row.name == traits.current():
        return _way_out(row)
    return _way_out(row).replace("manage.py resume", f"manage.py resume --channel {row.name}")


def _way_out(row: Channel) -> str:
    reports_wait = circuit_breaker.waiting(row.name) is not None
    if row.held_by == holds.RESTORE:
        also = WAITING if reports_wait else ""
        return _after_restore(row.held_reason) + also
    if reports_wait or row.held_reason == circuit_breaker.SURGE:
        return REPORTS
    if row.held_by == holds.OPERATOR:
        return OPERATOR
    if row.probe_at is None:
        return HARM
    return f"One letter is tried at {row.probe_at:%H:%M} UTC; if it goes, sending goes on by itself."


def _after_restore(reason: str) -> str:
    if reason.startswith(restore_guard.ELSEWHERE):
        return RESTORED + MOVED
    return RESTORED
