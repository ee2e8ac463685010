"""Go on sending after a hold."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.management.base import CommandError, CommandParser

from digest.delivery import blockers
from digest.delivery.accounts import restore_guard
from digest.delivery.channels import circuit_breaker, evidence, holds, traits
from subscriptions.commands import Command as Base
from subscriptions.commands import current, moment


class Command(Base):
    help = "Go on sending. A database that was put back or moved needs --restored or --moved."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--channel", default="", help="the configured one, if left out")
        parser.add_argument("--restored", action="store_true", help="the database was put back; re-send nobody")
        word = parser.add_mutually_exclusive_group()
        word.add_argument("--apply-reports", action="store_true", help="the reports that wait are real")
        word.add_argument("--drop-reports", action="store_true", help="they are forged: nothing comes of them")
        parser.add_argument("--moved", action="store_true", help="nothing was sent since the database was copied")
        parser.add_argument("--now", type=moment, help="act as if it were this moment (ISO, UTC)")

    def run(
        self,
        channel: str = "",
        restored: bool = False,
        apply_reports: bool = False,
        drop_reports: bool = False,
        moved: bool = False,
        now: datetime | None = None,
        **options: Any,
    ) -> dict[str, Any]:
        name, at = channel or traits.current(), current(now)
        held = holds.channel(name)
        if held.held_by == holds.RESTORE and not restored and not moved:
            raise CommandError(f"{held.held_reason} {blockers.way_out(held)}")
        if moved and restore_guard.judge(at) == restore_guard.BEHIND:
            raise CommandError(f"{restore_guard.BEHIND} {blockers.RESTORED}")
        reports = {}
        if apply_reports:
            reports = {"applied": evidence.apply_kept(name, at)}
        elif drop_reports:
            reports = {"dropped": circuit_breaker.drop(name, at)}
        elif waiting := circuit_breaker.waiting(name):
            raise CommandError(
                f"{waiting.reports} reports about {waiting.readers} readers wait, "
                f"from {waiting.first:%Y-%m-%d %H:%M} to {waiting.last:%Y-%m-%d %H:%M} UTC. "
                "Look at the provider's own log. If they are real, run the same again with --apply-reports; "
                "if they are forged, with --drop-reports."
            )
        answer: dict[str, Any] = restore_guard.reconcile(at) if restored else {}
        if moved:
            restore_guard.settle_here()
        return {"channel": name, "held": False, "changed": holds.resume(name, at), **reports, **answer}
