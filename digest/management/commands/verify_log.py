"""`manage.py verify_log`: does the log of the desk's acts hold together?"""

from __future__ import annotations

from typing import Any

from digest.desk import audit_log
from subscriptions.commands import Command as BaseCommand
from subscriptions.commands import current


class Command(BaseCommand):
    help = "Walk the hash chain of the desk's log from its first act to its last."

    def run(self, **options: Any) -> dict[str, Any]:
        found = audit_log.check(current(None))
        self.failed = bool(found.broken)
        return {"whole": False, "broken": found.broken} if found.broken else {"whole": True, "acts": found.acts}
