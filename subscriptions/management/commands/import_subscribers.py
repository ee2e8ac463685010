"""`import_subscribers FILE`: many signups out of a CSV file, each by the rules of one."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import transaction

from subscriptions import addresses, csv_cells, services
from subscriptions.addresses import AddressError
from subscriptions.commands import Command as BaseCommand
from subscriptions.commands import UsageError, current, moment
from subscriptions.models import Subscriber
from subscriptions.wants import interests
from subscriptions.wants.interests import InterestError, Wish
from subscriptions.when import week
from subscriptions.when.schedule import ScheduleError

COLUMNS = ("email", "topics", "queries", "frequency", "hour", "weekday", "days", "zone", "papers_per_day")
KNOWN = (*COLUMNS, *csv_cells.MARKS)
# What an export of readers has beside them: only who reads or waits is taken back, and is asked anew.
EXPORTED = ("state", "created_at", "confirmed_at")
HERE = ("", Subscriber.State.PENDING, Subscriber.State.ACTIVE, Subscriber.State.PAUSED)
NUMBERS = {"hour", "weekday", "papers_per_day"}
REFUSALS = (AddressError, InterestError, ScheduleError, services.ServiceError)


class Command(BaseCommand):
    help = (
        "Sign up everybody in a CSV file with a header: email, and any of topics, queries (several parted by |; "
        "a | within one is doubled), mutes, more, less (of these, or further ones; a topic is topic:slug there), "
        "frequency, hour, weekday, days (tue fri), zone, papers_per_day. Each is asked by mail to confirm."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--dry-run", action="store_true", help="check every line, keep nothing")
        parser.add_argument(
            "--confirmed", action="store_true", help="they agreed elsewhere, and you can prove it: send no question"
        )
        parser.add_argument("--now", type=moment, metavar="ISO", help="act as if it were this moment")

    def run(self, **options: Any) -> dict[str, Any]:
        counts: Counter[str] = Counter()
        problems: list[dict[str, Any]] = []
        for number, row in _rows(options["file"]):
            try:
                counts[_import(row, current(options["now"]), options["dry_run"], options["confirmed"])] += 1
            except REFUSALS as error:
                counts["refused"] += 1
                problems.append({"line": number, "problem": error.message})
        self.failed = bool(problems)
        known = {name: counts[name] for name in ("new", "known", "refused", "left_out")}
        return {"file": str(options["file"]), "dry_run": options["dry_run"], **known, "problems": problems}

    def show(self, answer: dict[str, Any]) -> None:
        self.stdout.write(f"{answer['new']} new, {answer['known']} known already, {answer['refused']} refused")
        if answer["left_out"]:
            self.stdout.write(f"{answer['left_out']} left out: by the file's own word they do not read any more")
        for problem in answer["problems"]:
            self.stdout.write(f"  line {problem['line']}: {problem['problem']}")
        if answer["dry_run"]:
            self.stdout.write("Nothing was kept: this was a dry run.")


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Lines with their numbers in the file; the header is line 1."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            _check_header(reader.fieldnames or [])
            for row in reader:
                yield reader.line_num, {name: csv_cells.plain(row.get(name) or "") for name in (*KNOWN, "state")}
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path} is not a CSV file in UTF-8 ({error}). Save it as one.") from error


def _check_header(names: Any) -> None:
    unknown = [name for name in names if name not in (*KNOWN, *EXPORTED)]
    if "email" not in names or unknown:
        wrong = f"there is no column called {unknown[0]!r}" if unknown else "there is no column called 'email'"
        raise UsageError(f"The first line must name the columns; {wrong}. Known: {', '.join(KNOWN)}.")


def _import(row: dict[str, str], now: datetime, dry_run: bool, confirmed: bool) -> str:
    if row["state"] not in HERE:
        return "left_out"
    wishes: dict[str, Any] = {name: row[name] for name in COLUMNS[3:] if row[name]}
    for name in NUMBERS & wishes.keys():
        wishes[name] = _number(name, wishes[name])
    if "days" in wishes:
        wishes = week.wished(wishes.pop("days")) | wishes
    with transaction.atomic():
        known = Subscriber.objects.filter(email_key=addresses.canonical(row["email"]))
        is_new = not known.exclude(state=Subscriber.State.UNSUBSCRIBED).exists()
        if not is_new:
            return "known"
        wanted = _wanted(row)
        reader = services.subscribe(
            row["email"],
            now=now,
            ask_by_mail=not confirmed,
            by_themselves=False,
            **wishes,
        )
        interests.store(reader, wanted)
        if confirmed:
            services.confirm(reader, now)
        if dry_run:
            transaction.set_rollback(True)
    return "new"


def _number(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ScheduleError(name, f"“{text}” is not a number, for {name}. Write digits only.") from None


def _wanted(row: dict[str, str]) -> list[Wish]:
    """The wishes of a line; one that is marked need not stand among the topics or queries too."""
    marked = {name: csv_cells.parts(row[name]) for name in csv_cells.MARKS}
    topics = [f"{csv_cells.TOPIC}{slug}" for slug in csv_cells.parts(row["topics"])]
    wishes = _read([*topics, *csv_cells.parts(row["queries"]), *chain.from_iterable(marked.values())])
    filters = {name: {wish.canonical for wish in _read(named)} for name, named in marked.items()}
    weights = {text: name for name in ("more", "less") for text in filters[name]}
    return interests.mute(interests.weigh(wishes, weights), filters["mutes"])


def _read(named: list[str]) -> list[Wish]:
    once = dict.fromkeys(named)
    topics = [one.removeprefix(csv_cells.TOPIC) for one in once if one.startswith(csv_cells.TOPIC)]
    return interests.read(topics, [one for one in once if not one.startswith(csv_cells.TOPIC)])
