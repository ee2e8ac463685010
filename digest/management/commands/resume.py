"""Go on sending after a hold."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.management.base import CommandError, CommandParser

from digest.delivery.accounts import restore_guard
from digest.delivery.channels import holds, traits
from digest.delivery.reports import surge_review
from subscriptions.commands import Command as Base
from subscriptions.commands import current, moment


class Command(Base):
    help = "Go on sending. After a restored backup only with --restored, which counts everybody as served."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--channel", default="", help="the configured one, if left out")
        parser.add_argument("--restored", action="store_true", help="the database was put back; re-send nobody")
        parser.add_argument("--now", type=moment, help="act as if it were this moment (ISO, UTC)")

    def run(
        self, channel: str = "", restored: bool = False, now: datetime | None = None, **options: Any
    ) -> dict[str, Any]:
        name, at = channel or traits.current(), current(now)
        if holds.channel(name).held_by == holds.RESTORE and not restored:
            raise CommandError(
                "This database was put back from a backup. Pull and release the missing days first, "
                "then run: manage.py resume --restored"
            )
        if not surge_review.is_settled(name):
            raise CommandError(f"{surge_review.UNSETTLED} Run: manage.py reports")
        answer: dict[str, Any] = restore_guard.reconcile(at) if restored else {}
        return {"channel": name, "held": False, "changed": holds.resume(name, at), **answer}
