"""`export_opml [FILE]`: the sources as an OPML file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from digest.sources import opml
from subscriptions.commands import Command as Base
from subscriptions.commands import UsageError


class Command(Base):
    help = "Write the sources as an OPML file for feed readers, or for another Offprint."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", help="where to write it")
        parser.add_argument("--all", action="store_true", help="also the sources that are switched off")

    def run(self, **options: Any) -> dict[str, Any]:
        sources = opml.ours(every=options["all"])
        try:
            Path(options["file"]).write_bytes(opml.write(sources, f"{settings.SITE_NAME} sources"))
        except OSError as error:
            raise UsageError(f"{options['file']} cannot be written ({error.strerror}). Name another place.") from error
        return {"written": sources.count(), "file": options["file"]}
