"""Stop sending, at once, until `resume`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from digest.delivery.channels import holds, traits
from subscriptions.commands import Command as Base
from subscriptions.commands import current


class Command(Base):
    help = "Stop sending before the next letter, and keep why; `resume` goes on."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("reason", help="for whoever wonders why nothing goes out")
        parser.add_argument("--channel", default="", help="the configured one, if left out")

    def run(self, reason: str = "", channel: str = "", **options: Any) -> dict[str, Any]:
        name = channel or traits.current()
        held = holds.hold(name, holds.OPERATOR, reason, current(None))
        return {"channel": name, "held": True, "changed": held, "reason": holds.channel(name).held_reason}
