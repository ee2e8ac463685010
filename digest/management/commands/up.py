"""`manage.py up`: all of Offprint on this machine, from an empty folder to a served site."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import CommandError, call_command
from django.utils import timezone

from digest.models import Delivery
from digest.operate import full_run, supervisor
from subscriptions.commands import Command as BaseCommand
from subscriptions.commands import held_back, moment
from subscriptions.mail import backends

SKIPS = {"no_match": "nothing matched today", "empty": "nothing matched today"}


NOBODY_DUE = "  Nobody was due: their letter went out before, or their hour is still to come. Nothing is sent twice."


class Command(BaseCommand):
    help = "Set everything up, run one full day at once, say what happened, then serve the site until Ctrl-C."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="end after the day's run")
        parser.add_argument("--port", type=_port, default=8000, metavar="N", help="where the site listens (8000)")
        parser.add_argument("--now", type=moment, metavar="ISO", help="act as if it were this moment (with --once)")

    def run(self, **options: Any) -> dict[str, Any]:
        if not options["once"]:
            try:
                supervisor.check_port(options["port"])
            except supervisor.PortTakenError as error:
                raise CommandError(str(error)) from error
        self.quiet = options["json"]
        supervisor.use_port(options["port"])
        now = options["now"] or timezone.now()
        self.say("Preparing the database …")
        call_command("migrate", verbosity=0)
        with held_back():
            full_run.prepare(now)
            report = full_run.run(now, self.say)
            answer = describe(report)
            if not self.quiet:
                self.tell(report, answer)
        if not options["once"]:
            self.say(f"\nServing {settings.PUBLIC_BASE_URL} — Ctrl-C ends it.")
            self.failed = supervisor.serve(options["port"], self.say) != 0
        return answer

    def show(self, answer: dict[str, Any]) -> None:
        """Said already, step by step."""

    def say(self, line: str) -> None:
        if not self.quiet:
            self.stdout.write(line)
            self.stdout.flush()

    def tell(self, report: full_run.Report, answer: dict[str, Any]) -> None:
        self.say("\nSources")
        rows = [(one["source"], one["outcome"], one["entries"], one["new"]) for one in answer["sources"]]
        self._table(("source", "outcome", "entries", "new"), rows)
        self.say(f"\nEdition of {answer['edition']}: {answer['status']}, {answer['papers']} papers")
        for note in report.notes:
            self.say(f"  {note}")
        for one in report.held:
            self.say(f"\nNOTHING IS SENT through {one.channel}, held by {one.by}: {one.reason}")
            self.say(f"  -> {one.way_out}")
        self.say("\nReaders")
        if answer["readers"]:
            letters = [(one["reader"], one["papers"], one["letter"]) for one in answer["readers"]]
            self._table(("reader", "papers", "letter"), letters)
        else:
            self.say(NOBODY_DUE if not report.held else "  Letters wait until the hold ends.")
        self._where_to_look()

    def _table(self, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        cells = [[str(cell) for cell in row] for row in [head, *rows]]
        widths = [max(len(row[n]) for row in cells) for n in range(len(head))]
        for row in cells:
            self.say("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())

    def _where_to_look(self) -> None:
        self.say("\nWhere to look")
        if settings.MAIL_CHANNEL == "outbox":
            self.say(f"  letters   {_short(Path(settings.OUTBOX_DIR))}/*.eml (any mail program opens them)")
        self.say("  the desk  /desk/ and /admin/, after: .venv/bin/python manage.py createsuperuser")
        self.say("  settings  .env.example; what is wrong and how to mend it: .venv/bin/python manage.py doctor")


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1024 <= int(text) <= 65535:
        raise ArgumentTypeError(f"{text!r} is not a port from 1024 to 65535")
    return int(text)


def describe(report: full_run.Report) -> dict[str, Any]:
    """The day's run as data: per source, the edition, per reader."""
    answer: dict[str, Any] = {
        "sources": [],
        "edition": "",
        "status": "",
        "papers": 0,
        "readers": [],
        "notes": report.notes,
        "held": [],
    }
    for fetch in report.fetches:
        answer["sources"].append(
            {
                "source": fetch.source.name,
                "outcome": fetch.outcome,
                "entries": fetch.entries,
                "new": fetch.new,
            }
        )
    edition = report.edition
    if edition:
        answer["edition"] = str(edition.date)
        answer["status"] = edition.state
        answer["papers"] = edition.entries.filter(is_hidden=False).count()
    for row in report.deliveries:
        answer["readers"].append(
            {
                "reader": row.subscriber.email,
                "papers": len(row.papers),
                "letter": _letter(row),
            }
        )
    for one in report.held:
        answer["held"].append(
            {
                "channel": one.channel,
                "by": one.by,
                "way_out": one.way_out,
            }
        )
    return answer


def _letter(row: Delivery) -> str:
    """The letter's file, or why there is none."""
    if row.state == Delivery.State.SKIPPED:
        return SKIPS.get(row.reason, row.reason.replace("_", " "))
    if row.state != Delivery.State.ACCEPTED or settings.MAIL_CHANNEL != "outbox":
        return row.get_state_display().lower()
    files = backends.letters_to(row.subscriber.email)
    if not files:
        return row.get_state_display().lower()
    told = str(_short(files[-1]))
    if row.subscriber.text_only:
        told += " (text only)"
    return told


def _short(path: Path) -> Path:
    """The path as seen from where the command was started, if it lies below."""
    here = Path.cwd()
    if path.is_relative_to(here):
        return path.relative_to(here)
    return path
