"""`manage.py load_topics`: bring the starter topics of subscriptions/topics.toml into the table."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from subscriptions.topics import TopicsError, load_starter_topics


class Command(BaseCommand):
    help = "Load the starter topics of subscriptions/topics.toml. Running it again changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of words")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            loaded = load_starter_topics()
        except TopicsError as error:
            if not options["json"]:
                raise CommandError(str(error)) from error
            self.stdout.write(json.dumps({"error": str(error)}))
            raise SystemExit(1) from error
        self.stdout.write(json.dumps({"topics": loaded}) if options["json"] else f"{loaded} starter topics are there.")
