"""One round of delivery: heal, repeat, expire, then claim and send until nothing waits or the time is up."""

from __future__ import annotations

import time
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from digest.delivery import claim, resolve, send, settle
from digest.delivery.accounts import restore_guard
from digest.delivery.channels import circuit_breaker, evidence, holds, throttle, traits
from digest.delivery.failpoints import failpoint
from subscriptions.clock import monotonic
from subscriptions.mail import outgoing
from subscriptions.mail.outgoing import Outcome

CHUNK = 100
MOST_IDLE = 200  # chunks in a row without a single letter


def deliver(now: datetime, budget: timedelta | None = None) -> Counter[str]:
    """Send what waits; answers outcomes by name. Safe beside any number of others doing the same.

    `budget` ends the round early, between two chunks; the rest goes with the next wake-up.
    """
    channel = traits.current()
    if restore_guard.check(channel, now):
        return Counter()
    end = monotonic() + budget.total_seconds() if budget is not None else None
    counts = sweep(now, end)
    if holds.why(channel, now):
        return counts
    with outgoing.connection() as postbox:
        if holds.is_probing(channel, now):
            return counts + _probe(now, channel, postbox)
        counts += resolve.repeat(now, channel, postbox, end)
        return counts + _rounds(now, channel, postbox, end)


def _rounds(now: datetime, channel: str, postbox: Any, end: float | None) -> Counter[str]:
    """Chunk after chunk, waiting for the channel's pace, until nothing waits that could go.

    A round may last an hour, so the moment moves on with it: a letter's time is when it went, not when the round began.
    """
    counts: Counter[str] = Counter()
    began, idle = (now, monotonic()), 0
    while (end is None or monotonic() < end) and idle < MOST_IDLE and not holds.why(channel, now):
        allowed = throttle.take(channel, CHUNK)
        if not allowed:
            if not claim.waiting(now).exists():
                break
            time.sleep(throttle.next_token(channel))
            now = _moment(*began)
            continue
        outcomes = _round(now, channel, postbox, allowed)
        counts += outcomes
        if not outcomes and not claim.waiting(now).exists():
            break
        idle = 0 if outcomes else idle + 1  # a chunk of readers who left, or all taken by other workers
        now = _moment(*began)
        circuit_breaker.watch(channel, now)
    return counts


def _moment(begun_at: datetime, begun: float) -> datetime:
    """The present, for a round that began at `begun_at` when the clock that never stops stood at `begun`."""
    return begun_at + timedelta(seconds=monotonic() - begun)


def sweep(now: datetime, end: float | None = None) -> Counter[str]:
    """What needs no postbox: dead workers, evidence, ends of patience. Heals lost wake-ups."""
    counts: Counter[str] = Counter(resolve.recover(now))
    counts += evidence.apply_waiting(now, end)
    circuit_breaker.watch(traits.current(), now)
    counts += evidence.release(now, end)
    counts[Outcome.UNCLEAR.value + " given up"] += resolve.expire_lease(now)
    counts["expired"] += resolve.expire(now)
    return +counts


def _round(now: datetime, channel: str, postbox: Any, allowed: int) -> Counter[str]:
    """One chunk; empty when nothing went."""
    claims = claim.claim(now, channel, allowed)
    failpoint("claim.committed")
    throttle.give_back(channel, allowed - sum(len(one.deliveries) for one in claims))
    if not claims:
        return Counter()
    return send.send(claims, now, postbox)


def _probe(now: datetime, channel: str, postbox: Any) -> Counter[str]:
    """One letter tells whether the provider is well again."""
    claims = claim.claim(now, channel, 1)
    outcomes = send.send(claims, now, postbox)
    if claims:
        holds.probed(channel, outcomes[Outcome.ACCEPTED] > 0, now)
    return outcomes


__all__ = ["deliver", "settle", "sweep"]
