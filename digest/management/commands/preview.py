"""What a reader would get: `preview EMAIL` or `preview --interest QUERY…`; nothing is stored, nobody is sent it."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from digest.letters import previews
from subscriptions.commands import Command as Base
from subscriptions.commands import UsageError, current, day


class Command(Base):
    help = "Show the letter a reader (or anybody with these interests) would get of one edition."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", nargs="?", metavar="EMAIL", help="a subscriber's address")
        parser.add_argument(
            "--interest", action="append", default=[], metavar="QUERY", help="a query or a topic's slug; repeatable"
        )
        parser.add_argument(
            "--date", type=day, metavar="D", help="the edition's day (default: the newest with papers, out or not)"
        )
        parser.add_argument("--format", choices=("html", "text", "eml"), default="text", help="default: text")

    def run(self, **options: Any) -> dict[str, Any]:
        if not options["email"] and not options["interest"]:
            raise UsageError("Name a subscriber's address, or at least one --interest QUERY.")
        try:
            reader = previews.reader(options["email"]) if options["email"] else previews.stranger()
            wanted = previews.queries_or_own(reader, options["interest"])
            edition = previews.edition(options["date"])
        except previews.PreviewError as error:
            raise UsageError(str(error)) from error
        letter = previews.preview(reader, wanted, edition, current(None))
        body = letter.text
        if options["format"] == "eml":
            body = letter.raw.replace(b"\r\n", b"\n").decode()
        elif options["format"] == "html" and letter.html:
            body = letter.html
        return {
            "edition": str(edition.date),
            "subject": letter.subject,
            "format": options["format"],
            "body": body,
        }

    def show(self, answer: dict[str, Any]) -> None:
        self.stdout.write(answer["body"])
