"""Why did this reader get a letter on that day, or none?"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.core.management.base import CommandError, CommandParser

from digest.delivery.accounts import why
from subscriptions import addresses
from subscriptions.commands import Command as Base
from subscriptions.commands import UsageError, current, day, moment
from subscriptions.models import Subscriber
from subscriptions.when import schedule


class Command(Base):
    help = "Say what became of a reader's day: the letter, or the one reason why there was none."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--date", type=day, help="the reader's local day; today, if left out")
        parser.add_argument("--now", type=moment, help="act as if it were this moment (ISO, UTC)")

    def run(
        self, email: str = "", date: date | None = None, now: datetime | None = None, **options: Any
    ) -> dict[str, Any]:
        at = current(now)
        try:
            reader = Subscriber.objects.get(email_key=addresses.canonical(email))
        except addresses.AddressError as error:
            raise UsageError(str(error)) from error
        except Subscriber.DoesNotExist as error:
            raise CommandError("No reader has this address.") from error
        found = why.why(reader, date or schedule.local_date(reader.zone, at), at)
        return {
            "date": str(found.day),
            "reason": found.reason,
            "sentence": found.sentence,
            "edition": found.edition and str(found.edition),
        }
