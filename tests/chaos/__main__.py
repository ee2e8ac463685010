"""`python -m tests.chaos --kills 300 --seed 7`: kill workers over every failpoint, on both databases and all kinds.

The kills are shared out over the cells (database x kind of channel). Exit 0 only if no cell has a
duplicate, a loss, a letter in limbo or a broken invariant.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PROGRESS_EVERY = 30.0  # seconds
FOLDERS: dict[tuple[str, str], Path] = {}  # of the cells that are running
KINDS = ("idempotent", "evidence", "blind")
ROOT = Path(__file__).resolve().parent.parent.parent
POSTGRES = os.environ.get("TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres")


def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(database: str, kind: str, folder: Path, http: int, smtp: int) -> dict[str, str]:
    mail = {
        "idempotent": {"EMAIL_URL": "anymail://resend", "ANYMAIL_RESEND_API_KEY": "k" * 20},
        "evidence": {"EMAIL_URL": "anymail://postmark", "ANYMAIL_POSTMARK_SERVER_TOKEN": "k" * 20},
        "blind": {"EMAIL_URL": f"smtp://127.0.0.1:{smtp}"},
    }[kind]
    base = f"http://127.0.0.1:{http}/"
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {
        **kept,
        **mail,
        "ANYMAIL_RESEND_API_URL": base,
        "ANYMAIL_POSTMARK_API_URL": base,
        "ANYMAIL_WEBHOOK_SECRET": "chaos:0123456789012345678901234567",
        "OFFPRINT_DOTENV": "no",
        "OFFPRINT_FAILPOINTS": "none:1",
        "VAR_DIR": str(folder),
        "DATABASE_URL": database,
        "LOG_LEVEL": "warning",
        "PYTHONWARNINGS": "ignore",
    }


def cell(database: str, kind: str, kills: int, seed: int, rate: float, readers: int) -> dict[str, Any]:
    """Run one cell with a provider and a database of its own."""
    name = f"offprint_chaos_{os.getpid()}_{kind}"
    http, smtp = port(), port()
    with tempfile.TemporaryDirectory(prefix="offprint-chaos-") as folder:
        FOLDERS[database, kind] = Path(folder)
        url = _make_database(database, name, Path(folder))
        try:
            with _provider(http, smtp, seed, rate):
                arguments = ["--kind", kind, "--kills", str(kills), "--seed", str(seed), "--readers", str(readers)]
                run = subprocess.run(
                    [sys.executable, "-m", "tests.chaos.cell", *arguments, "--provider", f"http://127.0.0.1:{http}"],
                    cwd=ROOT,
                    env=environment(url, kind, Path(folder), http, smtp),
                    capture_output=True,
                    text=True,
                )
        finally:
            _drop_database(database, name)
            del FOLDERS[database, kind]
    return _read(run, database, kind)


@contextmanager
def _provider(http: int, smtp: int, seed: int, rate: float) -> Iterator[None]:
    command = [sys.executable, "-m", "tests.chaos.provider", str(http), str(smtp), str(seed), str(rate), "0.6"]
    provider = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert provider.stdout is not None
        provider.stdout.readline()
        yield
    finally:
        provider.kill()
        provider.wait()


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


def _make_database(database: str, name: str, folder: Path) -> str:
    if database == "sqlite":
        return f"sqlite:///{folder / 'chaos.sqlite3'}"
    _on_server(f'CREATE DATABASE "{name}"')
    return POSTGRES.rpartition("/")[0] + f"/{name}"


def _drop_database(database: str, name: str) -> None:
    if database == "postgresql":
        _on_server(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _on_server(statement: str) -> None:
    import psycopg

    with psycopg.connect(POSTGRES, autocommit=True) as server:
        server.execute(statement)


def has_postgresql() -> bool:
    import psycopg

    try:
        psycopg.connect(POSTGRES, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


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


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=300, help="over all cells")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=0.15, help="share of requests that meet a fault")
    parser.add_argument("--readers", type=int, default=40)
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument("--kind", choices=(*KINDS, "all"), default="all")
    parser.add_argument("--jobs", type=int, default=1, help="cells side by side")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    databases = ["sqlite", "postgresql"] if options.database == "both" else [options.database]
    if options.database == "both" and not has_postgresql():
        print("PostgreSQL does not answer: only SQLite is tried (set TEST_POSTGRES_URL).", file=sys.stderr)
        databases = ["sqlite"]
    kinds = KINDS if options.kind == "all" else (options.kind,)
    cells = [(database, kind) for database in databases for kind in kinds]
    began = time.monotonic()
    results = all_cells(cells, options.kills, options.seed, options.rate, options.readers, options.jobs)
    if options.json:
        print(json.dumps({"seed": options.seed, "seconds": round(time.monotonic() - began), "cells": results}))
    else:
        show(results, time.monotonic() - began, options.seed)
    return 0 if all(one["good"] for one in results) else 1


if __name__ == "__main__":
    sys.exit(main())
