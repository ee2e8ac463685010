"""`manage.py load_sources`: add the starter sources that are not there yet."""

from __future__ import annotations

from typing import Any

from digest.sources import starters
from subscriptions.commands import Command as BaseCommand


class Command(BaseCommand):
    help = "Add the starter sources (Hugging Face, arXiv, bioRxiv …). What a curator changed stays changed."

    def run(self, **options: Any) -> dict[str, Any]:
        return {"added": starters.load()}

    def show(self, answer: dict[str, Any]) -> None:
        self.stdout.write(f"{answer['added']} sources added.")
