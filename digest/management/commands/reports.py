"""Reports of the provider that wait because too many would end readers' letters at once."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from digest.delivery.channels import traits
from digest.delivery.reports import surge_review
from subscriptions.commands import Command as Base
from subscriptions.commands import current


class Command(Base):
    help = "List the provider's reports that wait for a person's word; say that they are real, or forged."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--channel", default="", help="the configured one, if left out")
        word = parser.add_mutually_exclusive_group()
        word.add_argument("--believe", action="store_true", help="they are real: the next sweep ends those letters")
        word.add_argument("--refuse", action="store_true", help="they are forged: keep them without consequences")

    def run(self, channel: str = "", believe: bool = False, refuse: bool = False, **options: Any) -> dict[str, Any]:
        name = channel or traits.current()
        if believe:
            return {"channel": name, "believed": surge_review.confirm(name)}
        if refuse:
            return {"channel": name, "refused": surge_review.refuse(name, current(None))}
        return {"waiting": [_line(one) for one in surge_review.waiting()]}

    def show(self, answer: dict[str, Any]) -> None:
        if "waiting" not in answer:
            super().show(answer)
        elif not answer["waiting"]:
            self.stdout.write("No report waits for a word.")
        for one in answer.get("waiting", []):
            self.stdout.write(
                f"{one['channel']}: {one['reports']} reports about {one['readers']} readers, {one['first']} to "
                f"{one['last']} UTC. Look at the provider's own log, then: reports --believe, or reports --refuse"
            )


def _line(one: surge_review.Waiting) -> dict[str, Any]:
    return {
        "channel": one.channel,
        "reports": one.reports,
        "readers": one.readers,
        "first": f"{one.first:%Y-%m-%d %H:%M}",
        "last": f"{one.last:%Y-%m-%d %H:%M}",
    }
