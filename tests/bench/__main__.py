"""`python -m tests.bench STAGE`: time one stage, and print its figures as one JSON object.

Nothing is stored: the stages use temporary tables, or a scratch database of the kind in DATABASE_URL.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

import django

STAGES = ("match", "preview", "refit", "render", "send", "day")
SMALL_DAY = 50  # papers: `send` is about the hand-over, so that little else is measured


def size(text: str) -> int:
    """A whole number of 1 or more."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def mail_server(url: str) -> str:
    """A mail server of this machine, or files: made-up readers get no real mail."""
    from tests.bench import day

    if not day.is_safe(url):
        raise argparse.ArgumentTypeError("must be smtp://127.0.0.1:PORT or outbox:")
    return url


def arguments(words: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("stage", choices=STAGES)
    parser.add_argument("--subscribers", type=size, default=10_000)
    parser.add_argument("--papers", type=size, default=1_000)
    parser.add_argument("--filters", type=size, default=20_000, help="how many different filters (match, send, day)")
    parser.add_argument("--sink", type=mail_server, default="", help="send, day; default: a sink of its own")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write the figures into this file too")
    return parser.parse_args(words)


def measure(options: argparse.Namespace) -> dict[str, Any]:
    from tests.bench import day, match, preview, refit, render

    readers, papers, seed = options.subscribers, options.papers, options.seed
    if options.stage == "match":
        return match.run(readers, papers, options.filters, seed)
    if options.stage == "preview":
        return preview.run(papers, seed)
    if options.stage == "refit":
        return refit.run(readers, papers, seed)
    if options.stage == "render":
        return {"stage": "render", **render.measure(readers, papers, seed)}
    if options.stage == "send":
        papers = min(papers, SMALL_DAY)
    return {"stage": options.stage, **day.stage(readers, papers, options.filters, seed, options.sink)}


def main(words: list[str] | None = None) -> int:
    from tests.bench.day import RehearsalError

    options = arguments(words)
    try:
        found = json.dumps(measure(options), indent=1)
    except RehearsalError as error:
        sys.exit(f"The made-up day broke off: {error}")
    print(found)
    if options.json:
        options.json.write_text(found + "\n")
    return 0 if json.loads(found).get("good", True) else 1


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    sys.exit(main())
