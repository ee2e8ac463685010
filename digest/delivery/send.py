"""Handing claimed letters over: render, fence, intent, hand over, settle. No transaction is open on the way."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import uuid5

from digest.delivery import settle, states
from digest.delivery.accounts import restore_guard
from digest.delivery.channels import circuit_breaker, holds, throttle, traits
from digest.delivery.claim import Claimed
from digest.delivery.failpoints import failpoint
from digest.letters.letters import finished
from digest.letters.letters import letters as render_all
from digest.models import Attempt, Delivery
from subscriptions.clock import monotonic
from subscriptions.mail import outgoing
from subscriptions.mail.outgoing import Letter, Outcome, Receipt

log = logging.getLogger(__name__)

FAILURES = frozenset(
    {Outcome.REFUSED, Outcome.POISON, Outcome.UNWELCOME, Outcome.LATER, Outcome.BLOCKED, Outcome.UNCLEAR}
)
NEEDED = outgoing.DEADLINE + 30.0  # seconds of lease that one hand-over and its settling may take


def send(claims: Sequence[Claimed], now: datetime, postbox: Any) -> Counter[str]:
    """Send what was claimed; answers the outcomes by name. Stops early where the channel blocks."""
    outcomes: Counter[str] = Counter()
    written = _render(claims, now)
    unwritten = sum(len(one.deliveries) for one in claims if one.attempt.pk not in written)
    if unwritten and not written:
        circuit_breaker.tell(claims[0].attempt.channel, 0, unwritten, "the letters cannot be written", now)
    watch = holds.HoldWatch(claims[0].attempt.channel, now)
    for one in claims:
        letters = written.get(one.attempt.pk)
        if letters is None or outcomes[Outcome.BLOCKED] or watch.is_held():
            settle.give_back(one, now)
            continue
        outcomes.update(receipt.outcome.value for _, receipt in _hand_over(one, letters, now, postbox, watch))
    return outcomes


# -- rendering ----------------------------------------------------------------------------------


def _render(claims: Sequence[Claimed], now: datetime) -> dict[int, list[Letter]]:
    """Attempt id -> its letters. One that cannot be written is set aside; the others go."""
    failpoint("render.begun")
    rows = [row for one in claims for row in one.deliveries]
    written = _write_each(rows, now)
    failpoint("render.done")
    found: dict[int, list[Letter]] = {}
    for one in claims:
        if all(row.pk in written for row in one.deliveries):
            found[one.attempt.pk] = [_addressed(written[row.pk], row, one.attempt) for row in one.deliveries]
    return found


def _write_each(rows: Sequence[Delivery], now: datetime) -> dict[int, Letter]:
    """Delivery id -> letter; where the whole cannot be rendered, halves are tried until the one is found."""
    if not rows:
        return {}
    try:
        return dict(zip((row.pk for row in rows), _written(rows, now), strict=True))
    except Exception as error:  # one bad paper or template must not keep everyone's letters back
        if len(rows) == 1:
            settle.set_aside(rows[0], f"{type(error).__name__}: {error}", now)
            log.error("letter %s cannot be written: %s", rows[0].uuid, type(error).__name__)
            return {}
    half = len(rows) // 2
    return {**_write_each(rows[:half], now), **_write_each(rows[half:], now)}


def _written(rows: Sequence[Delivery], now: datetime) -> list[Letter]:
    """Mail servers and files take finished bytes; providers take the parts, and write the mail themselves."""
    if traits.current() in outgoing.READY:
        return finished(rows, now)
    return render_all(rows, now)


def _addressed(letter: Letter, row: Delivery, attempt: Attempt) -> Letter:
    """The letter with what lets its evidence be found again, and what lets it be offered twice."""
    key = str(attempt.key)
    metadata = {**letter.metadata, "attempt": key, "delivery": str(row.uuid)}
    tags = (key,) if traits.of(attempt.channel).tag else letter.tags
    return replace(letter, metadata=metadata, tags=tags, key=str(uuid5(attempt.key, str(row.pk))))


# -- handing over -------------------------------------------------------------------------------


def _hand_over(
    one: Claimed, letters: Sequence[Letter], now: datetime, postbox: Any, watch: holds.HoldWatch
) -> list[settle.Result]:
    if not states.may_send(one.until - monotonic(), NEEDED):
        settle.give_back(one, now)
        return []
    going = settle.intend(one, letters, now)
    if not going:
        return []
    restore_guard.remember(one.attempt.pk)
    results = offer(one.attempt, going, one.until, postbox, watch)
    if not settle.settle(one.attempt, results, now):
        settle.late_answers(one.attempt, results, now)
    _react(one.attempt.channel, results, now)
    return results


def offer(
    attempt: Attempt, going: Sequence[tuple[Delivery, Letter]], until: float, postbox: Any, watch: holds.HoldWatch
) -> list[settle.Result]:
    """Offer the letters, the fence before each one. A letter that was not begun is `LATER`, at no cost."""
    failpoint("post.before")
    receipts = outgoing.send_each([letter for _, letter in going], postbox, before=_fence(until, watch))
    results = [(row, receipt) for (row, _), receipt in zip(going, _stopping(receipts), strict=False)]
    unsent = Receipt(Outcome.LATER, detail="the channel was blocked", retry_after=0)
    results += [(row, unsent) for row, _ in going[len(results) :]]
    failpoint("post.after")
    return results


def _fence(until: float, watch: holds.HoldWatch) -> Callable[[Letter], bool]:
    return lambda letter: states.may_send(until - monotonic(), NEEDED) and not watch.is_held()


def _stopping(receipts: Iterator[Receipt]) -> Iterator[Receipt]:
    """After the first letter that finds the channel blocked the others are not offered."""
    for receipt in receipts:
        yield receipt
        if receipt.outcome is Outcome.BLOCKED:
            return


def _react(channel: str, results: Sequence[settle.Result], now: datetime) -> None:
    """What the answers say about the channel, not about a letter."""
    went = [receipt for _, receipt in results if receipt.outcome is Outcome.ACCEPTED]
    failed = [receipt for _, receipt in results if receipt.outcome in FAILURES]
    circuit_breaker.tell(channel, len(went), len(failed), failed[-1].detail if failed else "", now)
    throttled = [(row, receipt) for row, receipt in results if settle.asks_for_less(receipt)]
    blocked = next((receipt for _, receipt in results if receipt.outcome is Outcome.BLOCKED), None)
    if blocked is not None:
        reason = f"The provider refuses this account: {blocked.detail}"
        holds.hold(channel, holds.BREAKER, reason, now, holds.PROBE_AFTER)
    for row, receipt in throttled:
        if receipt.status == 421:
            domain = row.subscriber.email.rpartition("@")[2]
            throttle.pause_domain(domain, now + throttle.DOMAIN_PAUSE, receipt.detail)
    if throttled:
        throttle.fall(channel)
    elif results:
        throttle.rise(channel)
