"""`pull`: ask the sources that are due, one source, or a captured file, and say what came."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.core.management.base import CommandParser

from digest.editions import lifecycle
from digest.models import Fetch, Outcome, Source
from digest.sources import backfill, pull
from digest.sources.parsers import registry
from subscriptions.commands import Command as Base
from subscriptions.commands import UsageError, current, day, moment, typed

_BAD = {Outcome.FAILED, Outcome.FORMAT_ERROR}


class Command(Base):
    help = "Pull the sources that are due, one source by its slug, or a captured answer from a file."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--source", metavar="SLUG", help="only this source, due or not; with --file, whose answer it is"
        )
        parser.add_argument("--file", metavar="PATH", help="read a captured answer instead of asking the publisher")
        parser.add_argument("--kind", choices=sorted(registry.KINDS), help="what the file is an answer of")
        parser.add_argument(
            "--from", dest="first", type=day, metavar="DAY", help="with --source: ask for past days anew"
        )
        parser.add_argument("--to", dest="last", type=day, metavar="DAY", help="the last of them (default: --from's)")
        parser.add_argument("--ids", nargs="+", metavar="ID", help="with --source: ask arXiv for these papers")
        parser.add_argument("--at", type=moment, metavar="ISO", help="the moment to take for now (default: now)")

    def run(self, **options: Any) -> dict[str, Any]:
        fetches = self._fetches(options)
        self.failed = bool(fetches) and all(fetch.outcome in _BAD for fetch in fetches)
        answer: dict[str, Any] = {"fetches": [told(fetch) for fetch in fetches]}
        if options["file"]:
            hint = _hint(fetches[0])
            if hint:
                answer["hint"] = hint
        return answer

    def _fetches(self, options: dict[str, Any]) -> list[Fetch]:
        now = current(options["at"])
        if options["file"]:
            if not options["kind"]:
                raise UsageError(f"--file needs --kind: one of {', '.join(sorted(registry.KINDS))}.")
            return [self._tried(pull.pull_file, options["file"], options["kind"], options["source"], now)]
        if options["kind"]:
            raise UsageError("--kind goes with --file. Name a source with --source, or a file with --file.")
        if options["first"] or options["last"] or options["ids"]:
            return self._past(options, now)
        if options["source"]:
            return [self._tried(pull.pull, _source(options["source"]), now)]
        return pull.pull_due(now)

    def _past(self, options: dict[str, Any], now: datetime) -> list[Fetch]:
        """Backfill: progress goes to the error stream, the answer stays one object."""
        if not options["source"]:
            raise UsageError("--from, --to and --ids need --source. Name whose past to ask for.")
        if not options["ids"] and not options["first"]:
            raise UsageError("--to needs --from. Give the first day to ask for.")
        source = _source(options["source"])
        try:
            if options["ids"]:
                return list(backfill.ids(source, options["ids"], now, self.stderr.write))
            last = options["last"] or options["first"]
            return list(backfill.days(source, options["first"], last, now, self.stderr.write))
        except backfill.BackfillError as error:
            raise UsageError(str(error)) from error

    def _tried(self, act: Any, *arguments: Any) -> Fetch:
        try:
            return act(*arguments)
        except pull.PullError as error:
            raise UsageError(str(error)) from error

    def show(self, answer: dict[str, Any]) -> None:
        if not answer["fetches"]:
            self.stdout.write("No source is due. Name one with --source to ask it now.")
        for row in answer["fetches"]:
            self.stdout.write(
                f"{row['source']:<28} {row['outcome']:<13} {row['entries']:>5} entries, {row['new']} new, "
                f"{row['updated']} updated, {row['known']} known, {row['rejected']} left out"
            )
            for warning in row["warnings"]:
                self.stdout.write(f"{'':<28} {warning}")
        if answer.get("hint"):
            self.stdout.write(answer["hint"])


def _source(slug: str) -> Source:
    source = Source.objects.filter(slug=slug).first()
    if source is None:
        known = ", ".join(Source.objects.filter(is_enabled=True).values_list("slug", flat=True)[:20])
        raise UsageError(f"There is no source {slug!r}. Enabled are: {known or 'none yet'}.")
    return source


def _hint(fetch: Fetch) -> str:
    """What to do with the papers of a file that today's edition does not take."""
    today, day = fetch.at.date(), _newest_day(fetch)
    if not fetch.new or day is None or lifecycle.takes(today, day):
        return ""
    release = typed(f"release --date {lifecycle.open_day(day)}")
    return (
        f"These papers were announced on {day}{' and before' if not registry.of(fetch.kind).is_one_day else ''}: "
        f"the edition of {today} takes those of its last seven days. Release them with: {release}"
    )


def _newest_day(fetch: Fetch) -> date | None:
    """The day that a file's papers count for; of a feed's, the newest of them."""
    if registry.of(fetch.kind).is_one_day:
        return fetch.day
    days = fetch.source.announcements.filter(seen_at=fetch.at)
    return days.order_by("-day").values_list("day", flat=True).first()


def told(fetch: Fetch) -> dict[str, Any]:
    """A fetch in the words of the command's answer."""
    return {
        "source": fetch.source.slug,
        "outcome": fetch.outcome,
        "http_status": fetch.http_status,
        "entries": fetch.entries,
        "new": fetch.new,
        "updated": fetch.updated,
        "known": fetch.known,
        "rejected": fetch.rejected,
        "warnings": fetch.warnings,
    }
