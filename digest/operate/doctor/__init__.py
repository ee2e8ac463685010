"""Looks at every setting, server, key, heartbeat and DNS record that digests depend on, and says how to mend it."""

from __future__ import annotations

from datetime import datetime

from digest.operate.doctor import dns, jobs, services, settings, visitors
from digest.operate.doctor.finding import BAD, OK, WARN, Finding, merged, worst

__all__ = ["BAD", "OK", "WARN", "Finding", "examine", "merged", "worst"]


def examine(now: datetime) -> list[Finding]:
    """Every finding, room by room. Looks only: it sends nothing and changes nothing."""
    found = [*settings.look(), *services.look()]
    if not any(one.state == BAD and one.area == "database" for one in found):
        found += [*visitors.look(now), *jobs.look(now)]
    return merged([*found, *dns.look()])
