"""`manage.py load_topics`: bring the starter topics of subscriptions/wants/topics.toml into the table."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError

from subscriptions.commands import Command as BaseCommand
from subscriptions.wants.topics import TopicsError, load_starter_topics


class Command(BaseCommand):
    help = "Load the starter topics of subscriptions/wants/topics.toml. Running it again changes nothing."

    def run(self, **options: Any) -> dict[str, Any]:
        try:
            return {"topics": load_starter_topics()}
        except TopicsError as error:
            raise CommandError(str(error)) from error

    def show(self, answer: dict[str, Any]) -> None:
        self.stdout.write(f"{answer['topics']} starter topics are there.")
