"""`python -m tests.chaos [kills|crashes|powercut|storm]`: the one runner of what breaks on purpose.

*kills* (the default): workers die at every failpoint, on both databases and all kinds of channel; the kills are shared
out over the cells (database x kind of channel). *crashes*: PostgreSQL dies again and again. *powercut*: SQLite's log is
cut at random bytes. *storm*: Celery workers on Redis are restarted and killed, queues flushed. Exit 0 only if no run
has a duplicate, a loss, a letter in limbo or a broken invariant.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

from tests import cluster
from tests.chaos.ground import ROOT, drop_database, environment, has_postgresql, make_database, port, provider

PROGRESS_EVERY = 30.0  # seconds
FOLDERS: dict[tuple[str, str], Path] = {}  # of the cells that are running
KINDS = ("idempotent", "evidence", "blind")


def cell(database: str, kind: str, kills: int, seed: int, rate: float, readers: int) -> dict[str, Any]:
    """Run one cell with a provider and a database of its own."""
    name = f"offprint_chaos_{os.getpid()}_{kind}"
    http, smtp = port(), port()
    with tempfile.TemporaryDirectory(prefix="offprint-chaos-") as folder:
        FOLDERS[database, kind] = Path(folder)
        url = make_database(database, name, Path(folder))
        try:
            with provider(http, smtp, seed, rate):
                arguments = ["--kind", kind, "--kills", str(kills), "--seed", str(seed), "--readers", str(readers)]
                run = subprocess.run(
                    [sys.executable, "-m", "tests.chaos.cell", *arguments, "--provider", f"http://127.0.0.1:{http}"],
                    cwd=ROOT,
                    env=environment(url, kind, Path(folder), http, smtp),
                    capture_output=True,
                    text=True,
                )
        finally:
            drop_database(database, name)
            del FOLDERS[database, kind]
    return _read(run, database, kind)


def all_cells(
    cells: list[tuple[str, str]], kills: int, seed: int, rate: float, readers: int, jobs: int
) -> list[dict[str, Any]]:
    """`jobs` cells side by side, each with its own share of the kills and its own seed; says how far it is."""
    shares = [kills // len(cells) + (number < kills % len(cells)) for number in range(len(cells))]
    with ThreadPoolExecutor(jobs) as threads:
        runs = [
            threads.submit(cell, database, kind, shares[number], seed + number, rate, readers)
            for number, (database, kind) in enumerate(cells)
        ]
        while wait(runs, timeout=PROGRESS_EVERY).not_done:
            print(progress(shares[0], sum(run.done() for run in runs), len(runs)), file=sys.stderr, flush=True)
    return [run.result() for run in runs]


def progress(share: int, done: int, of: int) -> str:
    now = [f"{' '.join(key)} {kills_so_far(folder)} of {share}" for key, folder in list(FOLDERS.items())]
    return f"{time.strftime('%H:%M:%S')}  {done} of {of} cells done; kills: " + ", ".join(now)


def kills_so_far(folder: Path) -> int:
    try:
        return int((folder / "kills").read_text() or 0)
    except (OSError, ValueError):  # not begun, or just over
        return 0


def _read(run: subprocess.CompletedProcess[str], database: str, kind: str) -> dict[str, Any]:
    lines = run.stdout.strip().splitlines()
    if not lines:
        return {"database": database, "kind": kind, "good": False, "error": run.stderr[-3000:]}
    result = {"database": database, **json.loads(lines[-1]), "good": run.returncode == 0}
    return result if result["good"] else {**result, "said": run.stderr[-3000:]}


def show(results: list[dict[str, Any]], seconds: float, seed: int) -> None:
    row = "{:<12}{:<12}{:>11}{:>7}{:>11}{:>6}{:>7}{:>11}  {}"
    heads = ("database", "kind", "deliveries", "kills", "duplicates", "lost", "limbo", "uncertain", "")
    print(row.format(*heads))
    for one in results:
        if "error" in one:
            print(f"{one['database']} {one['kind']}: {one['error']}")
            continue
        values = [one[name] for name in heads[:-1]]
        print(row.format(*values, "ok" if one["good"] else f"BROKEN {one['audit']}"))
    deaths: Counter[str] = Counter()
    for one in results:
        deaths.update(one.get("failpoints", {}))
    print("\nkills by failpoint: " + ", ".join(f"{name} {n}" for name, n in sorted(deaths.items())))
    print(f"seed {seed}, {deaths.total()} kills, {seconds:.0f} s")


def kills(asked: argparse.Namespace) -> int:
    databases = ["sqlite", "postgresql"] if asked.database == "both" else [asked.database]
    if asked.database == "both" and not has_postgresql():
        print("PostgreSQL does not answer: only SQLite is tried (set TEST_POSTGRES_URL).", file=sys.stderr)
        databases = ["sqlite"]
    kinds = KINDS if asked.kind == "all" else (asked.kind,)
    cells = [(database, kind) for database in databases for kind in kinds]
    began = time.monotonic()
    results = all_cells(cells, asked.kills, asked.seed, asked.rate, asked.readers or 40, asked.jobs)
    if asked.json:
        print(json.dumps({"seed": asked.seed, "seconds": round(time.monotonic() - began), "cells": results}))
    else:
        show(results, time.monotonic() - began, asked.seed)
    return 0 if all(one["good"] for one in results) else 1


def other(asked: argparse.Namespace) -> int:
    """The runs of one cell: their result is one JSON object, whose `good` is the verdict."""
    from tests.chaos import outage, powercut, storm

    if asked.what == "crashes" and (reason := cluster.why_not()):
        print(f"Left out: {reason}", file=sys.stderr)
        return 2
    if asked.what == "crashes":
        kind = "evidence" if asked.kind == "all" else asked.kind
        result = outage.crashes(kind, asked.rounds or 50, asked.seed, asked.readers or 120)
    elif asked.what == "storm":
        result = storm.storm(asked.rounds or 10, asked.readers or 1500)
    else:
        result = powercut.cuts(asked.images, asked.recoveries, asked.readers or 30, asked.seed)
    print(json.dumps(result))
    return 0 if result["good"] else 1


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("what", nargs="?", default="kills", choices=("kills", "crashes", "powercut", "storm"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--readers", type=int, default=0)
    parser.add_argument("--kind", choices=(*KINDS, "all"), default="all", help="kills, crashes")
    parser.add_argument("--kills", type=int, default=300, help="over all cells")
    parser.add_argument("--rate", type=float, default=0.15, help="kills: share of requests that meet a fault")
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both", help="kills")
    parser.add_argument("--jobs", type=int, default=1, help="kills: cells side by side")
    parser.add_argument("--json", action="store_true", help="kills: JSON instead of a table")
    parser.add_argument("--rounds", type=int, default=0, help="crashes, storm")
    parser.add_argument("--images", type=int, default=30, help="powercut: how many cuts are judged")
    parser.add_argument("--recoveries", type=int, default=5, help="powercut: how many of them are gone on from")
    asked = parser.parse_args()
    return kills(asked) if asked.what == "kills" else other(asked)


if __name__ == "__main__":
    sys.exit(main())
