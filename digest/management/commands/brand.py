"""A site's own letter templates: `brand check FOLDER`, `brand activate FOLDER`, `brand reset`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from digest.letters import brand
from subscriptions.commands import Command as Base
from subscriptions.commands import UsageError


class Command(Base):
    help = "Check changed letter templates against fifty made-up papers, and take them into use."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=("check", "activate", "reset"))
        parser.add_argument("folder", nargs="?", type=Path, metavar="FOLDER")

    def run(self, **options: Any) -> dict[str, Any]:
        action, folder = options["action"], options["folder"]
        if action == "reset":
            brand.reset()
            return {"action": action, "problems": []}
        if folder is None:
            raise UsageError(f"Say which folder: brand {action} FOLDER")
        wrong = brand.activate(folder) if action == "activate" else brand.check(folder)
        self.failed = bool(wrong)
        return {"action": action, "problems": wrong}
