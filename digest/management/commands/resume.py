"""Go on sending after a hold."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.management.base import CommandError, CommandParser

from digest.commands import Command as Base
from digest.commands import current, moment
from digest.delivery import channels, flood, holds, restore


class Command(Base):
    help = "Go on sending. After a restored backup only with --restored, which counts everybody as served."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--channel", default="", help="the configured one, if left out")
        parser.add_argument("--restored", action="store_true", help="the database was put back; re-send nobody")
        parser.add_argument("--now", type=moment, help="act as if it were this moment (ISO, UTC)")

    def run(
        self, channel: str = "", restored: bool = False, now: datetime | None = None, **options: Any
    ) -> dict[str, Any]:
        name, at = channel or channels.current(), current(now)
        if holds.channel(name).held_by == holds.RESTORE and not restored:
            raise CommandError(
                "This database was put back from a backup. Pull and release the missing days first, "
                "then run: manage.py resume --restored"
            )
        if not flood.is_settled(name):
            raise CommandError(f"{flood.UNSETTLED} Run: manage.py reports")
        answer: dict[str, Any] = restore.reconcile(at) if restored else {}
        return {"channel": name, "held": False, "changed": holds.resume(name, at), **answer}
