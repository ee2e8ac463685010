"""Sends claimed letters: write them, commit the intent, hand them over, settle. No transaction is open meanwhile."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
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
from subscriptions.mail.mail_backend import MailBackend
from subscriptions.mail.outgoing import Letter, Outcome, Receipt

log = logging.getLogger(__name__)

FAILURES = frozenset(
    {
        Outcome.REFUSED,
        Outcome.MESSAGE_REJECTED,
        Outcome.POLICY_REJECTED,
        Outcome.LATER,
        Outcome.BLOCKED,
        Outcome.UNCLEAR,
    }
)
NEEDED = outgoing.DEADLINE + 30.0  # seconds of lease that one hand-over and its settling may take


@dataclass(frozen=True)
class LeaseCheck:
    """Whether one more hand-over may begin: the lease lasts long enough, and the channel is not held.

    `until` is the end of the lease in seconds of `clock.monotonic()`.
    """

    until: float
    watch: holds.HoldWatch

    def __call__(self, letter: Letter | None = None) -> bool:
        return states.may_send(self.until - monotonic(), NEEDED) and not self.watch.is_held()


def send(claims: Sequence[Claimed], now: datetime, backend: MailBackend) -> Counter[str]:
    """Send what was claimed; returns the number of letters by outcome. Stops where the channel is blocked or held."""
    outcomes: Counter[str] = Counter()
    if not claims:
        return outcomes
    channel = claims[0].attempt.channel
    written = _write_letters(claims, now)
    unwritten = sum(len(one.deliveries) for one in claims if one.attempt.pk not in written)
    if unwritten and not written:
        circuit_breaker.record(channel, 0, unwritten, "the letters cannot be written", now)
    watch = holds.HoldWatch(channel, now)
    for one in claims:
        letters = written.get(one.attempt.pk)
        may_begin = LeaseCheck(one.until, watch)
        if letters is None or outcomes[Outcome.BLOCKED] or not may_begin():
            settle.give_back(one, now)
            continue
        going = settle.intend(one, letters, now)
        if not going:
            continue
        restore_guard.remember(one.attempt.pk)
        results = offer(one.attempt, going, may_begin, backend)
        if not settle.settle(one.attempt, results, now):
            settle.late_answers(one.attempt, results, now)
        _update_channel(channel, results, now)
        outcomes.update(receipt.outcome.value for _, receipt in results)
    return outcomes


# -- writing ------------------------------------------------------------------------------------


def _write_letters(claims: Sequence[Claimed], now: datetime) -> dict[int, list[Letter]]:
    """Attempt id -> its letters. An attempt with a letter that cannot be written is left out.

    Each letter gets the metadata, the tag and the key by which its provider's reports and a repeat are recognised.
    """
    failpoint("render.begun")
    rows = [row for one in claims for row in one.deliveries]
    written = _write_each(rows, now)
    failpoint("render.done")
    found: dict[int, list[Letter]] = {}
    for one in claims:
        letters = []
        key = str(one.attempt.key)
        has_tag = traits.of(one.attempt.channel).tag
        for row in one.deliveries:
            letter = written.get(row.pk)
            if letter is None:
                break
            metadata = {**letter.metadata, "attempt": key, "delivery": str(row.uuid)}
            letter = replace(letter, metadata=metadata, key=str(uuid5(one.attempt.key, str(row.pk))))
            if has_tag:
                letter = replace(letter, tags=(key,))
            letters.append(letter)
        if len(letters) == len(one.deliveries):
            found[one.attempt.pk] = letters
    return found


def _write_each(rows: Sequence[Delivery], now: datetime) -> dict[int, Letter]:
    """Delivery id -> letter. Where writing fails, each half is tried, until the one bad letter is found and set aside.

    Mail servers and files take finished bytes; providers take the parts and write the mail themselves.
    """
    if not rows:
        return {}
    write = render_all
    if traits.current() in outgoing.READY:
        write = finished
    try:
        letters = write(rows, now)
    except Exception as error:  # one bad paper or template must not keep everyone's letters back
        if len(rows) > 1:
            half = len(rows) // 2
            return {**_write_each(rows[:half], now), **_write_each(rows[half:], now)}
        settle.set_aside(rows[0], f"{type(error).__name__}: {error}", now)
        log.error("letter %s cannot be written: %s", rows[0].uuid, type(error).__name__)
        return {}
    return {row.pk: letter for row, letter in zip(rows, letters, strict=True)}


# -- handing over -------------------------------------------------------------------------------


def offer(
    attempt: Attempt, going: Sequence[settle.Going], may_begin: LeaseCheck, backend: MailBackend
) -> list[settle.Result]:
    """Offer the letters one by one; `may_begin` is asked before each one.

    After the first letter that finds the channel blocked the others are not offered: they are `LATER`, at no cost.
    """
    failpoint("post.before")
    results: list[settle.Result] = []
    receipts = outgoing.send_each([letter for _, letter in going], backend, before=may_begin)
    for (row, _), receipt in zip(going, receipts, strict=False):
        results.append((row, receipt))
        if receipt.outcome is Outcome.BLOCKED:
            break
    unsent = Receipt(Outcome.LATER, detail="the channel was blocked", retry_after=0)
    for row, _ in going[len(results) :]:
        results.append((row, unsent))
    failpoint("post.after")
    return results


def _update_channel(channel: str, results: Sequence[settle.Result], now: datetime) -> None:
    """Draw from the answers what they say about the channel: failures in a row, a blocked account, the rate."""
    receipts = [receipt for _, receipt in results]
    failed = [receipt for receipt in receipts if receipt.outcome in FAILURES]
    last_detail = ""
    if failed:
        last_detail = failed[-1].detail
    accepted = sum(receipt.outcome is Outcome.ACCEPTED for receipt in receipts)
    circuit_breaker.record(channel, accepted, len(failed), last_detail, now)
    is_throttled = False
    for row, receipt in results:
        if receipt.outcome is Outcome.BLOCKED:
            reason = f"The provider refuses this account: {receipt.detail}"
            holds.hold(channel, holds.BREAKER, reason, now, holds.HALF_OPEN_AFTER)
        if settle.asks_for_less(receipt):
            is_throttled = True
            if receipt.status == 421:
                domain = row.subscriber.email.rpartition("@")[2]
                throttle.pause_domain(domain, now + throttle.DOMAIN_PAUSE, receipt.detail)
    if is_throttled:
        throttle.slow_down(channel)
    elif results:
        throttle.speed_up(channel)
