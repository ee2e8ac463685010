"""`export_subscriber EMAIL`: everything kept about one person, for them."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import CommandError, CommandParser

from subscriptions import services
from subscriptions.addresses import AddressError, canonical
from subscriptions.commands import Command as BaseCommand
from subscriptions.commands import UsageError
from subscriptions.models import Subscriber


class Command(BaseCommand):
    help = "Print everything that is kept about one person, as JSON."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", metavar="EMAIL")

    def run(self, **options: Any) -> dict[str, Any]:
        return services.export(find(options["email"]))

    def show(self, answer: dict[str, Any]) -> None:
        self.stdout.write(json.dumps(answer, indent=2, ensure_ascii=False, default=str))


def find(email: str) -> Subscriber:
    """The person who reads at this address; a clear refusal where there is none."""
    try:
        key = canonical(email)
    except AddressError as error:
        raise UsageError(error.message) from error
    reader = Subscriber.objects.filter(email_key=key).first()
    if reader is None:
        raise CommandError("Nobody is known by this address.")
    return reader
