"""`manage.py doctor`: is everything in order that digests depend on?"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from digest.operate import doctor
from subscriptions.commands import Command as BaseCommand
from subscriptions.commands import current

MARKS = {doctor.OK: "ok  ", doctor.WARN: "warn", doctor.BAD: "BAD "}


class Command(BaseCommand):
    help = "Look at every setting, server, key, heartbeat and DNS record that digests depend on; say how to mend it."
    requires_system_checks: list[str] = []  # what they find is part of the answer

    def run(self, **options: Any) -> dict[str, Any]:
        findings = doctor.examine(current(None))
        state = doctor.worst(findings)
        self.failed = state == doctor.BAD
        counts = {kind: sum(one.state == kind for one in findings) for kind in MARKS}
        return {"state": state, **counts, "findings": [asdict(one) for one in findings]}

    def show(self, answer: dict[str, Any]) -> None:
        area = ""
        for one in answer["findings"]:
            if one["area"] != area:
                area = one["area"]
                self.stdout.write(f"\n{area}")
            self.stdout.write(f"  {MARKS[one['state']]} {one['name']}: {one['detail']}")
            if one["fix"]:
                self.stdout.write(f"         -> {one['fix']}")
        self.stdout.write(f"\n{answer['ok']} ok, {answer['warn']} to look at, {answer['bad']} bad")
