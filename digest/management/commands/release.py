"""`manage.py release [--date D] [--force]`: collect, freeze and release one day's edition."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import date
from typing import Any

from digest.editions import lifecycle
from subscriptions.commands import Command as BaseCommand
from subscriptions.commands import current, day, moment, typed


class Command(BaseCommand):
    help = "Release the edition of a day (today's by default): its papers go out with the next digests."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--date", type=day, metavar="D", help="the edition's day, such as 2026-06-03 (today)")
        parser.add_argument("--now", type=moment, metavar="ISO", help="act as if it were this moment")
        parser.add_argument("--force", action="store_true", help="release it even if it is held or empty")

    def run(self, **options: Any) -> dict[str, Any]:
        now = current(options["now"])
        edition = lifecycle.collect(options["date"] or now.date(), now)
        answer: dict[str, Any] = {"edition": str(edition.date)}
        try:
            edition = lifecycle.release(edition, now, force=options["force"])
        except lifecycle.EmptyEditionError as reason:
            answer |= {"status": "empty", "reason": _reason(edition.date, str(reason))}
        except lifecycle.EditionError as reason:
            self.failed = True
            answer |= {"status": edition.state, "reason": str(reason)}
        else:
            answer |= {"status": edition.state}
        visible = edition.entries.filter(is_hidden=False).count()
        return answer | {"papers": visible, "coverage": edition.coverage}

    def show(self, answer: dict[str, Any]) -> None:
        self.stdout.write(f"Edition of {answer['edition']}: {answer['status']}, {answer['papers']} papers.")
        if answer.get("reason"):
            self.stdout.write(answer["reason"])
        missing = answer["coverage"].get("missing") or []
        if missing:
            self.stdout.write("Not there in time: " + ", ".join(missing) + ".")


def _reason(day: date, said: str) -> str:
    """Why it is empty, and which day to release where papers of another day wait."""
    waiting = lifecycle.waiting_day(day)
    if waiting is None:
        return said
    release = typed(f"release --date {lifecycle.open_day(waiting)}")
    return (
        f"The edition of {day} has no papers: it takes those announced in its last seven days. "
        f"The newest that are in no edition were announced on {waiting}. Release them with: {release}"
    )
