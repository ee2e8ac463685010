"""Check the ledger's invariants and accounting."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.core.management.base import CommandParser

from digest.delivery.accounts import audit
from digest.models import Edition
from subscriptions.commands import Command as Base
from subscriptions.commands import UsageError, day


class Command(Base):
    help = "Check that the promise is kept: every invariant of the ledger, and that its accounts come out even."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--edition", type=day, metavar="DATE", help="only what belongs to this edition")

    def run(self, edition: date | None = None, **options: Any) -> dict[str, Any]:
        report = audit.audit(_edition(edition))
        self.failed = not report.good
        return report.as_json()

    def show(self, answer: dict[str, Any]) -> None:
        for one in answer["broken"]:
            self.stdout.write(f"{one['name']} is broken ({one['rows']} rows): {one['says']}")
            self.stdout.write(f"    look at: {', '.join(one['examples'])}")
        for line in answer["editions"]:
            self.stdout.write(_line(line))
        if answer["uncertain"]:
            self.stdout.write(f"Perhaps sent, never known ({len(answer['uncertain'])}): see `manage.py doubts`.")
        self.stdout.write("All is well." if answer["good"] else "Something is broken.")


def _edition(at: date | None) -> Edition | None:
    if at is None:
        return None
    found = Edition.objects.filter(date=at).first()
    if found is None:
        raise UsageError(f"There is no edition of {at}. Leave --edition out to check everything.")
    return found


def _line(line: dict[str, Any]) -> str:
    counts = []
    for name, value in line.items():
        if name not in {"edition", "planned", "even"}:
            counts.append(f"{name} {value}")
    told = f"{line['edition']}: planned {line['planned']} = {', '.join(counts)}"
    if not line["even"]:
        told += "  (does not come out even)"
    return told
