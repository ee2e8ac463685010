"""Claim, send, settle, resolve, audit: the life of a letter after it was planned (`machine` has the table)."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta


def deliver(now: datetime, budget: timedelta | None = None) -> Counter[str]:
    """Send what waits (`run.deliver`); answers outcomes by name."""
    from digest.delivery import run  # here, so that the room's small modules can be had without all of it

    return run.deliver(now, budget)
