"""One real letter to one address, through the configured postbox: does mail leave, and what does it look like?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandParser
from django.core.validators import validate_email
from jinja2 import TemplateError

from digest.letters import previews
from subscriptions.commands import Command as Base
from subscriptions.commands import UsageError, current, day
from subscriptions.mail import outgoing


class Command(Base):
    help = "Send the newest edition's letter to one address, marked as a test."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("address", metavar="ADDRESS")
        parser.add_argument(
            "--interest", action="append", default=[], metavar="QUERY", help="default: the edition's first papers"
        )
        parser.add_argument(
            "--date", type=day, metavar="D", help="the edition's day (default: the newest with papers, out or not)"
        )

    def run(self, **options: Any) -> dict[str, Any]:
        try:
            validate_email(options["address"])
            wanted = previews.wants(options["interest"])
            edition = previews.edition(options["date"])
        except ValidationError as error:
            raise UsageError(f"{options['address']!r} is not an e-mail address.") from error
        except previews.PreviewError as error:
            raise UsageError(str(error)) from error
        reader, now = previews.stranger(options["address"]), current(None)
        try:
            letter = previews.preview(reader, wanted, edition, now) if wanted else previews.sample(reader, edition, now)
        except TemplateError as error:
            raise UsageError(f"The letter's templates cannot be printed: {error}") from error
        receipt = outgoing.send(replace(letter, subject=f"[Test] {letter.subject}", tags=("test",), stream="notice"))
        self.failed = receipt.outcome != outgoing.Outcome.ACCEPTED
        return {"edition": str(edition.date), "outcome": receipt.outcome.value, "detail": receipt.detail}
