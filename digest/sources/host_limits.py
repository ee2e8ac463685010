"""Turns at a publisher's machines, counted over all our workers by the limiter (`subscriptions/limits/limiter.py`).

arXiv asks for one request every three seconds and one connection at a time, over all machines and all
of its interfaces together (info.arxiv.org/help/api/tou.html). Other hosts have no turns, but a host that
asked us to stay away is left alone by every source that lives there.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.utils import timezone

from subscriptions.limits import limiter

IN_TURN = frozenset({"arxiv.org"})
SPACING = timedelta(seconds=3)
LEASE = timedelta(seconds=75)  # longer than one fetch may take: a worker that died gives its turn back by it
PATIENCE = 180.0  # seconds to wait for a turn


class BusyError(Exception):
    """There was no turn within the time we wait for one; come back later."""


def name(url: str) -> str:
    """Who is asked: one name for all of arXiv's machines, else the host."""
    host = (urlsplit(url).hostname or "").lower()
    if host.endswith(".arxiv.org"):
        return "arxiv.org"
    return host


def waits_until(url: str, now: datetime) -> datetime | None:
    """Until when this host asked to be left alone, if that is still to come."""
    return limiter.held_until("host", name(url), now)


def back_off(url: str, until: datetime) -> None:
    """Remember that the host asked for a pause."""
    limiter.hold("host", name(url), until)


@contextmanager
def wait_for_turn(host: str, patience: float = PATIENCE, lease: timedelta = LEASE) -> Iterator[None]:
    """Hold the one connection to `host`; the next may start SPACING after this one ends. Raises BusyError.

    Reads the clock: turns are taken in real time, whatever day is being replayed.
    """
    gives_up = time.monotonic() + patience
    while not limiter.begin_turn(host, timezone.now(), lease):
        if time.monotonic() >= gives_up:
            raise BusyError(f"No turn at {host} within {patience:.0f} seconds; other workers are asking it.")
        time.sleep(0.1)
    try:
        yield
    finally:
        limiter.end_turn(host, timezone.now() + SPACING)
