"""`import_opml FILE`: add the feeds of an OPML file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from digest.sources import opml
from subscriptions.commands import Command as Base
from subscriptions.commands import UsageError


class Command(Base):
    help = "Add the feeds of an OPML file, as feed readers export it. Feeds that are here already are left out."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", help="the OPML file")

    def run(self, **options: Any) -> dict[str, Any]:
        try:
            found = opml.add(Path(options["file"]).read_bytes())
        except OSError as error:
            raise UsageError(f"{options['file']} cannot be read ({error.strerror}). Name an OPML file.") from error
        except opml.OpmlError as error:
            raise UsageError(str(error)) from error
        return {"added": list(found.added), "left_out": list(found.left_out)}

    def show(self, answer: dict[str, Any]) -> None:
        self.stdout.write(f"{len(answer['added'])} feeds added, {len(answer['left_out'])} left out.")
        for reason in answer["left_out"]:
            self.stdout.write(f"  {reason}")
