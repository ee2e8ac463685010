"""`manage.py bench STAGE`: what each stage costs at a chosen size, on made-up data, on this machine."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from digest import rehearsal
from digest.letters import bench as letters
from digest.matching import bench, likes_bench, preview_bench
from subscriptions import commands
from subscriptions.commands import UsageError

STAGES = ("match", "preview", "refit", "render", "send", "day")


class Command(commands.Command):
    help = "Time a stage on made-up papers and readers. Nothing is stored: temporary tables, or a scratch database."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("stage", choices=STAGES)
        parser.add_argument("--subscribers", type=int, default=10_000)
        parser.add_argument("--papers", type=int, default=1_000)
        parser.add_argument("--filters", type=int, default=20_000, help="how many different filters (match)")
        parser.add_argument(
            "--sink", default="", help="smtp://127.0.0.1:PORT or outbox: (send, day); default: a sink of its own"
        )
        parser.add_argument("--seed", type=int, default=1)

    def run(self, **options: Any) -> dict[str, Any]:
        for name in ("subscribers", "papers", "filters"):
            if options[name] < 1:
                raise UsageError(f"--{name} must be 1 or more.")
        if not rehearsal.is_safe(options["sink"]):
            raise UsageError("--sink must be smtp://127.0.0.1:PORT or outbox: (made-up letters stay on this machine).")
        return self._measure(options)

    def _measure(self, options: dict[str, Any]) -> dict[str, Any]:
        if options["stage"] == "preview":
            return preview_bench.run(options["papers"], options["seed"])
        if options["stage"] == "refit":
            return likes_bench.run(options["subscribers"], options["papers"], options["seed"])
        if options["stage"] in {"send", "day"}:
            return self._rehearse(options)
        if options["stage"] == "render":
            return letters.measure(options["subscribers"], options["papers"], options["seed"])
        return bench.run(options["subscribers"], options["papers"], options["filters"], options["seed"])

    def _rehearse(self, options: dict[str, Any]) -> dict[str, Any]:
        """`send` is about the hand-over: a small day, so that little else is measured."""
        papers = options["papers"] if options["stage"] == "day" else min(options["papers"], 50)
        sizes = (options["subscribers"], papers, options["filters"], options["seed"])
        try:
            answer = rehearsal.stage(*sizes, options["sink"])
        except rehearsal.RehearsalError as error:
            raise CommandError(f"The made-up day broke off: {error}") from error
        self.failed = not answer["good"]
        return {"stage": options["stage"], **answer}
