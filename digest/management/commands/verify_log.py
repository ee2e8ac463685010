"""`manage.py verify_log`: does the log of the desk's acts hold together?"""

from __future__ import annotations

from typing import Any

from digest.commands import Command as BaseCommand
from digest.commands import current
from digest.desk import log


class Command(BaseCommand):
    help = "Walk the hash chain of the desk's log from its first act to its last."

    def run(self, **options: Any) -> dict[str, Any]:
        found = log.check(current(None))
        self.failed = bool(found.broken)
        return {"whole": False, "broken": found.broken} if found.broken else {"whole": True, "acts": found.acts}
