"""One round of delivery: recover, settle doubts, expire, then claim and send until nothing waits or time is up."""

from __future__ import annotations

import time
from collections import Counter
from datetime import datetime, timedelta

from digest.delivery import claim, resolve, send
from digest.delivery.accounts import restore_guard
from digest.delivery.channels import circuit_breaker, evidence, holds, throttle, traits
from digest.delivery.failpoints import failpoint
from subscriptions.clock import monotonic
from subscriptions.mail import outgoing
from subscriptions.mail.mail_backend import MailBackend
from subscriptions.mail.outgoing import Outcome

CHUNK = 100
MOST_IDLE = 200  # chunks in a row without a single letter


def deliver(now: datetime, budget: timedelta | None = None) -> Counter[str]:
    """Send what waits; returns the number of letters by outcome. Safe beside any number of others doing the same.

    `budget` ends the round early, between two chunks; the rest goes with the next wake-up.
    """
    channel = traits.current()
    if restore_guard.check(channel, now):
        return Counter()
    end = None
    if budget is not None:
        end = monotonic() + budget.total_seconds()
    counts = sweep(now, end)
    if holds.reason(channel, now):
        return counts
    with outgoing.connection() as backend:
        if holds.is_half_open(channel, now):
            return counts + _send_one(now, channel, backend)
        counts += resolve.repeat(now, channel, backend, end)
        return counts + _send_waiting(now, channel, backend, end)


def _send_waiting(now: datetime, channel: str, backend: MailBackend, end: float | None) -> Counter[str]:
    """Send chunk after chunk at the channel's rate, until nothing waits that could go.

    A round may last an hour, so `now` moves on with it: a letter's time is when it went, not when the round began.
    """
    counts: Counter[str] = Counter()
    started_at, started = now, monotonic()
    idle = 0  # chunks in a row of readers who left, or taken by other workers
    while idle < MOST_IDLE and not holds.reason(channel, now):
        if end is not None and monotonic() >= end:
            break
        outcomes: Counter[str] = Counter()
        allowed = throttle.take(channel, CHUNK)
        if allowed:
            claims = claim.claim(now, channel, allowed)
            failpoint("claim.committed")
            throttle.give_back(channel, allowed - sum(len(one.deliveries) for one in claims))
            outcomes = send.send(claims, now, backend)
            counts += outcomes
        if not outcomes and not claim.waiting(now).exists():
            break
        if not allowed:
            time.sleep(throttle.next_token(channel))
        now = started_at + timedelta(seconds=monotonic() - started)
        if allowed:
            idle = 0 if outcomes else idle + 1
            circuit_breaker.check(channel, now)
    return counts


def sweep(now: datetime, end: float | None = None) -> Counter[str]:
    """Do what needs no mail backend: recover, apply evidence, mark uncertain, expire. Makes good lost wake-ups."""
    counts: Counter[str] = Counter(resolve.recover(now))
    counts += evidence.apply_waiting(now, end)
    circuit_breaker.check(traits.current(), now)
    counts += evidence.release(now, end)
    counts[Outcome.UNCLEAR.value + " given up"] += resolve.mark_uncertain(now)
    counts["expired"] += resolve.expire(now)
    return +counts


def _send_one(now: datetime, channel: str, backend: MailBackend) -> Counter[str]:
    """Half-open: the outcome of one letter tells whether the channel works again."""
    claims = claim.claim(now, channel, 1)
    outcomes = send.send(claims, now, backend)
    if claims:
        holds.close_or_wait(channel, outcomes[Outcome.ACCEPTED] > 0, now)
    return outcomes
