"""Letters that a provider accepted and never spoke of again: dropped without a word, or its reports do not arrive.

Reports come within minutes as a rule; after `PATIENCE` a letter without any counts as silent. A few are
normal (a report may be lost); more than one in two hundred is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q

from digest.delivery.channels import traits
from digest.models import Delivery

PATIENCE = timedelta(hours=6)
WINDOW = timedelta(hours=24)
MOST, LEAST = 0.005, 3  # the share that alarms, and the fewest letters that prove anything
SAMPLE = 10_000  # the newest letters of the window: enough for a share, and quick on a site of any size


@dataclass(frozen=True)
class MissingReports:
    """Of so many accepted letters (of one day, the last hours left out), so many were never spoken of."""

    channel: str
    accepted: int = 0
    silent: int = 0

    @property
    def share(self) -> float:
        return self.silent / self.accepted if self.accepted else 0.0

    @property
    def alarm(self) -> str:
        """What is wrong, in a sentence; empty if all is well."""
        if self.silent < LEAST or self.share <= MOST:
            return ""
        if self.silent == self.accepted:
            return (
                f"{self.channel} reported on none of the {self.accepted} letters it accepted: "
                f"its reports do not reach /hooks/{self.channel}/"
            )
        return (
            f"{self.channel} accepted {self.accepted} letters and never spoke again of {self.silent} ({self.share:.1%})"
        )


def look(now: datetime, channel: str = "") -> MissingReports:
    """Count the channel in use, or the one named; nothing where a channel makes no reports."""
    name = channel or traits.current()
    if not traits.makes_reports(name):
        return MissingReports(name)
    until = now - PATIENCE
    letters = Delivery.objects.filter(
        state=Delivery.State.ACCEPTED, attempt__channel=name, settled_at__gt=until - WINDOW, settled_at__lte=until
    )
    newest = letters.order_by("-settled_at")[:SAMPLE]
    return MissingReports(name, **newest.aggregate(accepted=Count("pk"), silent=Count("pk", filter=Q(fate=""))))
