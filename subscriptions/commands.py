"""What Offprint's commands share: `--json` prints exactly one object; exit 0 ok, 1 failed, 2 usage."""

from __future__ import annotations

import json
import logging
import sys
from argparse import ArgumentTypeError
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from logging.handlers import MemoryHandler
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, ProgrammingError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from subscriptions import disk

MOST_HELD_BACK = 10_000  # log lines; more are written at once


def typed(arguments: str) -> str:
    """A command of ours as it is to be typed here: by the project's own Python where there is one."""
    own = Path(sys.prefix).name == ".venv"
    return f"{'.venv/bin/' if own else ''}python manage.py {arguments}"


class UsageError(CommandError):
    """The command's words are off; the message says what they should be. Exit code 2."""

    def __init__(self, message: str) -> None:
        super().__init__(message, returncode=2)


class Command(BaseCommand):
    """A command whose `run` returns its answer as a dict; `show` prints it for people.

    `run` may set `self.failed` to end with exit code 1 after the answer was printed.
    """

    failed = False

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of words")
        return parser

    def run(self, **options: Any) -> dict[str, Any]:
        raise NotImplementedError

    def show(self, answer: dict[str, Any]) -> None:
        for name, value in answer.items():
            self.stdout.write(f"{name}: {value}")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            answer = self._answer(options)
        except CommandError as error:
            if not options["json"]:
                raise
            self.stdout.write(json.dumps({"error": str(error)}))
            raise SystemExit(error.returncode) from error
        if options["json"]:
            self.stdout.write(json.dumps(answer, default=str))
        else:
            self.show(answer)
        if self.failed:
            raise SystemExit(1)

    def _answer(self, options: dict[str, Any]) -> dict[str, Any]:
        """`run`, with a plain sentence where the disk is full, or the database is not there or not up to date."""
        try:
            return self.run(**options)
        except (OSError, OperationalError, ProgrammingError) as error:
            if full := disk.sentence(error):
                raise CommandError(full) from error
            if isinstance(error, OSError):
                raise
            if behind := database_trouble():
                raise CommandError(behind) from error
            raise


def database_trouble() -> str:
    """What to do about a database that cannot be reached or lacks tables; '' where that is not the trouble."""
    try:
        executor = MigrationExecutor(connection)
        waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except OperationalError as error:
        return f"The database does not answer ({one_line(error)}). {database_fix(error)}"
    if not waiting:
        return ""
    return f"The database is not up to date ({len(waiting)} migrations wait). Run: {typed('migrate')}"


# Words of PostgreSQL and SQLite -> what to do.
DATABASE_FIXES = {
    "authentication failed": "Mend user and password in DATABASE_URL.",
    "no password supplied": "Write the password into DATABASE_URL.",
    "does not exist": "Make it with createuser and createdb (docs/operations.md), or mend DATABASE_URL.",
    "translate host name": "Mend the host in DATABASE_URL.",
    "too many": "Raise max_connections, or start fewer workers.",
    "unable to open database file": "See that VAR_DIR is there and may be written into.",
    "readonly database": "Give the file to the user that runs Offprint.",
    "disk is full": "Make room on the disk.",
}


def database_fix(error: Exception) -> str:
    """What to do about a database that turned us away."""
    said = str(error).lower()
    for words, fix in DATABASE_FIXES.items():
        if words in said:
            return fix
    return "Start it, or mend DATABASE_URL in .env."


def one_line(error: Exception) -> str:
    """The error's own words in one line of at most 200 characters."""
    return " ".join(str(error).split())[:200] or type(error).__name__


def moment(text: str) -> datetime:
    """For `--now` and `--at`: an ISO moment, UTC where it names no offset; a bare day means its midnight."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is not an ISO moment such as 2026-06-03T07:00:00Z") from error
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def day(text: str) -> date:
    """For `--date`: an ISO day."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is not a day such as 2026-06-03") from error


def current(at: datetime | None) -> datetime:
    """The moment given, or the clock's: the only place where commands read it."""
    return at or timezone.now()


@contextmanager
def held_back() -> Iterator[None]:
    """Log lines of the block come after it, so that they do not break into what a command prints meanwhile."""
    root = logging.getLogger()
    handlers = list(root.handlers)
    kept = [MemoryHandler(MOST_HELD_BACK, flushLevel=logging.CRITICAL, target=one) for one in handlers]
    root.handlers[:] = kept
    try:
        yield
    finally:
        root.handlers[:] = handlers
        for one in kept:
            one.close()  # writes what was kept
