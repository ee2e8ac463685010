"""Plan and send what is due, with no broker: by hand, or from cron."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

from django.core.management.base import CommandParser
from django.db.models import Count

from digest import delivery
from digest.delivery import plan
from digest.delivery.accounts import audit
from digest.delivery.channels import holds, traits
from digest.models import Delivery
from digest.operate import heartbeats
from subscriptions.commands import Command as Base
from subscriptions.commands import current, moment
from subscriptions.mail import notices
from subscriptions.signup import requests


class Command(Base):
    help = "Plan and send the digests that are due, and the one-off mail that waits. Needs no broker."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--now", type=moment, help="act as if it were this moment (ISO, UTC)")

    def run(self, now: datetime | None = None, **options: Any) -> dict[str, Any]:
        at = current(now)
        before = _ends()
        requests.process(at)
        notices.send_waiting(at)
        planned = plan.plan(at)
        delivery.deliver(at)
        heartbeats.beat("command:send_due", at)
        return _answer(planned, _ends() - before, holds.reason(traits.current(), at))


def _ends() -> Counter[tuple[str, str]]:
    """How many letters have ended so far, by state and (for skips) reason."""
    rows = Delivery.objects.filter(state__in=audit.ENDS).values_list("state", "reason").annotate(n=Count("id"))
    counts: Counter[tuple[str, str]] = Counter()
    for state, reason, letters in rows.order_by():
        if state != Delivery.State.SKIPPED:
            reason = ""
        counts[state, reason] += letters
    return counts


def _answer(planned: plan.Planned, ended: Counter[tuple[str, str]], held: str) -> dict[str, Any]:
    """Numbers of letters: planned, accepted, skipped by reason, each other end, and those still on their way."""
    skipped: Counter[str] = Counter()
    answer: dict[str, Any] = {
        "planned": planned.planned,
        "accepted": 0,
        "skipped": {},
    }
    for name in audit.ENDS:
        if name != Delivery.State.SKIPPED:
            answer[name] = ended[name, ""]
    for (state, reason), letters in ended.items():
        if state == Delivery.State.SKIPPED:
            skipped[reason] = letters
    answer["skipped"] = dict(skipped | planned.skipped)
    answer["pending"] = Delivery.objects.filter(state__in=audit.ON_THEIR_WAY).count()
    if held:
        answer["held"] = held
    return answer
