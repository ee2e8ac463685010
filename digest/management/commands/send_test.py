"""One real letter to one address, through the configured postbox: does mail leave, and what does it look like?"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import CommandParser
from django.core.validators import validate_email
from django.db import transaction
from jinja2 import TemplateError

from digest.editions import lifecycle
from digest.letters import previews
from digest.matching.interest_query import InterestQuery
from digest.models import Edition, EditionPaper
from digest.operate.doctor.services import smtp_fix
from digest.sources import pull
from subscriptions.commands import Command as Base
from subscriptions.commands import UsageError, current, day
from subscriptions.mail import outgoing
from subscriptions.models import Subscriber


class Command(Base):
    help = "Send the newest edition's letter to one address, marked as a test."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("address", metavar="ADDRESS")
        parser.add_argument(
            "--interest", action="append", default=[], metavar="QUERY", help="default: the edition's first papers"
        )
        parser.add_argument(
            "--date",
            type=day,
            metavar="D",
            help="the edition's day (default: the newest with papers, out or not; before any, the bundled samples)",
        )

    def run(self, **options: Any) -> dict[str, Any]:
        try:
            letter, of = self._letter(options)
        except TemplateError as error:
            raise UsageError(f"The letter's templates cannot be printed: {error}") from error
        receipt = outgoing.send(replace(letter, tags=("test",), stream="notice"))
        answer = {"edition": of, "outcome": receipt.outcome.value, "detail": receipt.detail}
        self.failed = receipt.outcome != outgoing.Outcome.ACCEPTED
        if self.failed and settings.MAIL_CHANNEL == "smtp":
            answer["fix"] = smtp_fix(receipt.detail)
        return answer

    def _letter(self, options: dict[str, Any]) -> tuple[outgoing.Letter, str]:
        """The letter, and whose papers are in it: an edition's day, or the bundled samples where there is none yet."""
        reader, now = previews.stranger(options["address"]), current(None)
        try:
            validate_email(options["address"])
            wanted = previews.queries(options["interest"])
            if options["date"] is None and not EditionPaper.objects.exists():
                return of_samples(reader, wanted, now), "none yet: the papers are the bundled samples"
            edition = previews.edition(options["date"])
        except ValidationError as error:
            raise UsageError(f"{options['address']!r} is not an e-mail address.") from error
        except previews.PreviewError as error:
            raise UsageError(str(error)) from error
        return of_edition(reader, wanted, edition, now), str(edition.date)


def of_edition(reader: Subscriber, wanted: list[InterestQuery], edition: Edition, now: datetime) -> outgoing.Letter:
    """What was wanted of the edition, or its first papers."""
    if wanted:
        return previews.preview(reader, wanted, edition, now, previews.TEST)
    return previews.sample(reader, edition, now, previews.TEST)


def of_samples(reader: Subscriber, wanted: list[InterestQuery], now: datetime) -> outgoing.Letter:
    """The same of the bundled sample papers; nothing of them stays in the database."""
    with transaction.atomic():
        pull.pull_samples(now)
        letter = of_edition(reader, wanted, lifecycle.collect(now.date(), now), now)
        transaction.set_rollback(True)
    return letter
