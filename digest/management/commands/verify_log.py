"""`manage.py verify_log`: does the log of the desk's acts hold together?"""

from __future__ import annotations

from typing import Any

from digest.commands import Command as BaseCommand
from digest.desk import log


class Command(BaseCommand):
    help = "Walk the hash chain of the desk's log from its first act to its last."

    def run(self, **options: Any) -> dict[str, Any]:
        try:
            return {"whole": True, "acts": log.verify()}
        except log.ChainError as broken:
            self.failed = True
            return {"whole": False, "broken": str(broken)}
