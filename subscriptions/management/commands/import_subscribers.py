"""`import_subscribers FILE`: many signups out of a CSV file, each by the rules of one."""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import transaction

from subscriptions import addresses, csv_cells, services, tables
from subscriptions.addresses import AddressError
from subscriptions.commands import Command as BaseCommand
from subscriptions.commands import UsageError, current, moment
from subscriptions.limits import limiter
from subscriptions.models import Notice, Subscriber
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
ALIASES = {"e_mail_address": "email", "email_address": "email", "mail": "email"}
COUNTED = ("new", "known", "refused", "left_out", "unasked")
ALLOWANCE = "this hour's allowance of letters is used up (SIGNUPS_PER_HOUR). Ask them later, on the desk."
LEFT = (services.SuppressedError, services.LeftError)
REFUSALS = (AddressError, InterestError, ScheduleError, services.ServiceError)
_named = re.compile(r"[^<>]*<\s*([^<>\s]+)\s*>[\s,;.]*")


class Command(BaseCommand):
    help = (
        "Sign up everybody in a CSV file with a header: email, and any of topics, queries (several parted by |; "
        "a | within one is doubled), mutes, more, less (of these, or further ones; a topic is topic:slug there), "
        "frequency, hour, weekday, days (tue fri), zone, papers_per_day; other columns are passed over. Each is asked "
        "by mail to confirm. Whoever left, bounced or complained is named and left out."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--dry-run", action="store_true", help="check every line, keep nothing")
        parser.add_argument(
            "--confirmed", action="store_true", help="they agreed elsewhere, and you can prove it: send no question"
        )
        parser.add_argument("--now", type=moment, metavar="ISO", help="act as if it were this moment")

    def run(self, **options: Any) -> dict[str, Any]:
        table = _table(options["file"])
        tally = Tally(current(options["now"]), options["confirmed"], options["dry_run"])
        for row in table.rows:
            tally.add(row)
        self.failed = bool(tally.problems)
        return {
            "file": str(options["file"]),
            "dry_run": options["dry_run"],
            **{name: tally.counts[name] for name in COUNTED},
            "problems": tally.problems,
            "left": tally.left,
            "passed_over": list(table.passed_over),
        }

    def show(self, answer: dict[str, Any]) -> None:
        self.stdout.write(f"{answer['new']} new, {answer['known']} known already, {answer['refused']} refused")
        if answer["left_out"]:
            self.stdout.write(f"{answer['left_out']} left out, because they do not read any more:")
        for one in answer["left"]:
            self.stdout.write(f"  line {one['line']}, {one['email']}: {one['why']}")
        for problem in answer["problems"]:
            self.stdout.write(f"  line {problem['line']}: {problem['problem']}")
        if answer["unasked"]:
            self.stdout.write(f"{answer['unasked']} of the new are not asked yet: {ALLOWANCE}")
        if answer["passed_over"]:
            self.stdout.write(f"Columns passed over: {', '.join(answer['passed_over'])}")
        if answer["dry_run"]:
            self.stdout.write("Nothing was kept: this was a dry run.")


class Tally:
    """What became of each line: how many ended how, and by name those that were refused or left out.

    A dry run takes each line back, so it remembers who would be known and which letters would be used up.
    """

    def __init__(self, now: datetime, confirmed: bool, dry_run: bool) -> None:
        self.now, self.confirmed, self.dry_run = now, confirmed, dry_run
        self.counts: Counter[str] = Counter()
        self.problems: list[dict[str, Any]] = []
        self.left: list[dict[str, Any]] = []
        self.rehearsal = limiter.Rehearsal(now)
        self.brought: set[str] = set()

    def add(self, row: tables.Row) -> None:
        """Import one line."""
        filled = {name: csv_cells.plain(row.cells.get(name, "")) for name in (*KNOWN, "state")}
        try:
            if not row.is_readable:
                raise services.ServiceError("A cell holds a character that no text has (NUL). Type it anew, without.")
            self._import(filled)
        except LEFT as error:
            self.counts["left_out"] += 1
            self.left.append({"line": row.number, "email": filled["email"], "why": error.message})
        except REFUSALS as error:
            self.counts["refused"] += 1
            self.problems.append({"line": row.number, "problem": error.message})

    def _import(self, row: dict[str, str]) -> None:
        """Import the cells of one line. Raises one of `LEFT` or `REFUSALS`, and keeps nothing then."""
        if row["state"].casefold() not in HERE:
            raise services.LeftError(f"The file says so: {row['state']}.")
        address = addresses.read(_address(row["email"]))
        here = Subscriber.objects.filter(email_key=address.key, state__in=HERE)
        if address.key in self.brought or here.exists():
            self.counts["known"] += 1
            return
        with transaction.atomic():
            reader = _subscribe(address.typed, row, self.now, self.confirmed)
            is_asked = self.confirmed or reader.notices.filter(kind=Notice.Kind.CONFIRM).exists()
            transaction.set_rollback(self.dry_run)
        if self.dry_run and not self.confirmed:
            is_asked = self.rehearsal.take_for_letter(address)
        self.brought.add(address.key)
        self.counts["new"] += 1
        self.counts["unasked"] += not is_asked


def _table(path: Path) -> tables.Table:
    try:
        return tables.read(path.read_bytes(), (*KNOWN, *EXPORTED), "email", ALIASES)
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from error
    except tables.TableError as error:
        raise UsageError(str(error)) from error


def _subscribe(email: str, row: dict[str, str], now: datetime, confirmed: bool) -> Subscriber:
    wishes = _settings(row)
    wanted = _wanted(row)
    reader = services.subscribe(email, now=now, ask_by_mail=not confirmed, by_themselves=False, **wishes)
    interests.store(reader, wanted)
    if confirmed:
        services.confirm(reader, now)
    return reader


def _address(cell: str) -> str:
    """The address in a cell that may hold a name beside it, as mail programs write it: `Ada Lovelace <ada@...>`."""
    found = _named.fullmatch(cell)
    text = found[1] if found else cell
    return text.strip().removeprefix("mailto:").rstrip(".,;")


def _settings(row: dict[str, str]) -> dict[str, Any]:
    wishes: dict[str, Any] = {name: row[name] for name in COLUMNS[3:] if row[name]}
    for name in NUMBERS & wishes.keys():
        wishes[name] = _number(name, wishes[name])
    return week.wished(wishes.pop("days")) | wishes if "days" in wishes else wishes


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
