"""`manage.py bench STAGE`: what each stage costs at a chosen size, on made-up data, on this machine."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from digest import commands
from digest.commands import UsageError
from digest.matching import bench, likes_bench, preview_bench
from digest.rendering import bench as letters

STAGES = ("match", "preview", "refit", "render", "send", "day")


class Command(commands.Command):
    help = "Time a stage on made-up papers and readers. Nothing is stored: it works in a temporary table."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("stage", choices=STAGES)
        parser.add_argument("--subscribers", type=int, default=10_000)
        parser.add_argument("--papers", type=int, default=1_000)
        parser.add_argument("--filters", type=int, default=20_000, help="how many different filters (match)")
        parser.add_argument("--sink", default="", help="where letters go (send, day)")
        parser.add_argument("--seed", type=int, default=1)

    def run(self, **options: Any) -> dict[str, Any]:
        if options["stage"] not in {"match", "preview", "refit", "render"}:
            raise CommandError(f"`bench {options['stage']}` is not there yet; match, preview, refit and render are.")
        for name in ("subscribers", "papers", "filters"):
            if options[name] < 1:
                raise UsageError(f"--{name} must be 1 or more.")
        if options["stage"] == "preview":
            return preview_bench.run(options["papers"], options["seed"])
        if options["stage"] == "refit":
            return likes_bench.run(options["subscribers"], options["papers"], options["seed"])
        if options["stage"] == "render":
            return letters.measure(options["subscribers"], options["papers"], options["seed"])
        return bench.run(options["subscribers"], options["papers"], options["filters"], options["seed"])
