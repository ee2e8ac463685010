"""`subscribe EMAIL`: sign somebody up from the command line, with the same rules as the page."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.management.base import CommandError, CommandParser

from subscriptions import services
from subscriptions.addresses import AddressError
from subscriptions.commands import Command as BaseCommand
from subscriptions.commands import UsageError, current, moment
from subscriptions.models import Subscriber
from subscriptions.wants.interests import InterestError
from subscriptions.when import week
from subscriptions.when.schedule import FREQUENCIES, ScheduleError


class Command(BaseCommand):
    help = "Sign somebody up; they are asked by mail to confirm, unless --confirmed says they have."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", metavar="EMAIL")
        parser.add_argument("--topic", action="append", default=[], metavar="SLUG", help="a topic; may be repeated")
        parser.add_argument("--query", action="append", default=[], metavar="Q", help="a filter; may be repeated")
        parser.add_argument("--hour", type=int, metavar="H", help="local hour, 0 to 23 (default 7)")
        parser.add_argument("--weekday", type=int, metavar="N", help="for weekly letters: 0 is Monday, 6 is Sunday")
        parser.add_argument("--days", metavar="DAYS", help="letters on these days: tue,fri (frequency chosen)")
        parser.add_argument("--zone", metavar="Z", help="IANA name such as Europe/Berlin (default UTC)")
        parser.add_argument("--frequency", metavar="F", help=", ".join(FREQUENCIES) + " (default daily)")
        parser.add_argument("--papers", type=int, metavar="N", dest="papers_per_day", help="papers in a letter")
        parser.add_argument("--text-only", action="store_true", default=None, help="letters without HTML")
        parser.add_argument("--confirmed", action="store_true", help="they have agreed already: send no question")
        parser.add_argument("--now", type=moment, metavar="ISO", help="act as if it were this moment")

    def run(self, **options: Any) -> dict[str, Any]:
        now = current(options["now"])
        names = ("hour", "weekday", "zone", "frequency", "papers_per_day", "text_only")
        wishes = {name: options[name] for name in names if options[name] is not None}
        try:
            if options["days"] is not None:
                wishes = week.wished(options["days"]) | wishes
            reader = services.subscribe(
                options["email"],
                topics=options["topic"],
                queries=options["query"],
                now=now,
                ask_by_mail=not options["confirmed"],
                by_themselves=False,
                **wishes,
            )
        except (services.SuppressedError, services.LeftError) as error:
            raise CommandError(error.message) from error
        except InterestError as error:
            raise UsageError(_place(error)) from error
        except (AddressError, ScheduleError) as error:
            raise UsageError(error.message) from error
        if options["confirmed"]:
            services.confirm(reader, now)
        return _answer(reader, now)

    def show(self, answer: dict[str, Any]) -> None:
        self.stdout.write(f"{answer['email']} is {answer['state']}.")
        self.stdout.write(f"  {answer['rhythm']} at {answer['hour']:02}:00 ({answer['zone']})")
        for interest in answer["interests"]:
            self.stdout.write(f"  {interest}")
        if answer["next_digest_at"]:
            self.stdout.write(f"First letter due: {answer['next_digest_at']}")
        elif answer["asked_by_mail"]:
            self.stdout.write("A letter asks them to confirm.")


def _answer(reader: Subscriber, now: datetime) -> dict[str, Any]:
    return {
        "email": reader.email,
        "state": reader.state,
        "interests": [one.said for one in reader.interests.select_related("topic").order_by("id")],
        "frequency": reader.frequency,
        "days": week.names(reader.days),
        "rhythm": reader.rhythm,
        "hour": reader.hour,
        "zone": reader.zone,
        "next_digest_at": reader.next_digest_at.isoformat() if reader.next_digest_at else None,
        "asked_by_mail": reader.notices.filter(created_at=now).exists(),
    }


def _place(error: InterestError) -> str:
    return f"--query number {error.number}, column {error.column}: {error.message}" if error.number else error.message
