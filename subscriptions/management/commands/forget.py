"""`forget EMAIL`: erase one person."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from subscriptions import services
from subscriptions.commands import Command as BaseCommand
from subscriptions.commands import current, moment
from subscriptions.management.commands.export_subscriber import find


class Command(BaseCommand):
    help = "Erase one person: a keyed hash of the address stays, so that no import writes to them again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", metavar="EMAIL")
        parser.add_argument("--now", type=moment, metavar="ISO", help="act as if it were this moment")

    def run(self, **options: Any) -> dict[str, Any]:
        reader = find(options["email"])
        services.forget(reader, current(options["now"]))
        return {"forgotten": True, "reader": reader.pk}

    def show(self, answer: dict[str, Any]) -> None:
        self.stdout.write("Erased. Backups taken before now still hold the address until they are overwritten.")
