"""Makes the whole table "The public site" of docs/performance.md: fills a scratch database, serves it, asks, prints.

    python -m tests.load.table                    50,000 papers, 100,000 readers, 50 requests a second
    python -m tests.load.table --papers 2000 --readers 500 --seconds 3      to try it

It needs PostgreSQL (`--postgres`), makes the database `offprint_load_table` anew and drops it at the end.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.load.site import A_DAY, addresses

NAME = "offprint_load_table"
PORT = 8093
BIN = Path(sys.executable).parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--postgres", default="postgresql://postgres@127.0.0.1:5432")
    parser.add_argument("--papers", type=int, default=50_000)
    parser.add_argument("--readers", type=int, default=100_000)
    parser.add_argument("--rate", type=int, default=50)
    parser.add_argument("--seconds", type=int, default=20)
    asked = parser.parse_args()
    with database(asked.postgres) as url, tempfile.TemporaryDirectory(prefix="offprint-load-") as var:
        env = os.environ | {
            "DATABASE_URL": url, "VAR_DIR": var, "STATE_DIR": f"{var}/state", "OFFPRINT_DOTENV": "no",
            "BEHIND_PROXY": "true", "LOG_LEVEL": "error", "DJANGO_SETTINGS_MODULE": "config.settings",
        }  # fmt: skip
        run(env, "manage.py", "migrate", "-v", "0")
        run(env, "-m", "tests.load.site", "--papers", str(asked.papers), "--readers", str(asked.readers))
        tidy(url)
        with server(env):
            measure(env, Path(var), asked)


def measure(env: dict[str, str], var: Path, asked: argparse.Namespace) -> None:
    """Each line of the table in turn. The first request of a kind builds what a process keeps; it is not counted."""
    searches, pages = addresses(1, 300), list(some_pages(asked.papers))
    for name, paths in (("front page", ["/"]), ("300 searches", searches), ("400 pages, none kept", pages)):
        for path in (paths[0], paths[-1]):
            urllib.request.urlopen(f"http://127.0.0.1:{PORT}{path}").read()
        (var / "paths.txt").write_text("\n".join(paths))
        # Pages are kept ten seconds: those of a list are asked once each.
        seconds = asked.seconds if paths == ["/"] else min(asked.seconds, len(paths) // asked.rate)
        print(f"\n{name}", flush=True)
        asking = ("--port", str(PORT), "--rate", str(asked.rate), "--seconds", str(seconds))
        run(env, "-m", "tests.load.rate", *asking, "--file", str(var / "paths.txt"))
    print("\npreviews: the first, whose answer builds the index; then at an even pace", flush=True)
    for seconds in (1, asked.seconds):
        asking = ("--port", str(PORT), "--rate", str(asked.rate), "--seconds", str(seconds))
        run(env, "-m", "tests.load.rate", *asking, "--previews")


def some_pages(papers: int) -> Iterator[str]:
    """Half the days' pages (and second pages, where days run out), half papers' own; each address once."""
    from datetime import timedelta

    from tests.load.site import NEWEST

    dice, days = random.Random(1), max(1, papers // A_DAY)
    for number, paper in enumerate(dice.sample(range(1, papers + 1), min(200, papers))):
        day = NEWEST - timedelta(days=number % days)
        yield f"/day/{day}/" + (f"?page={1 + number // days}" if number >= days else "")
        yield f"/paper/{paper}/"


@contextmanager
def database(server_url: str) -> Iterator[str]:
    with psycopg.connect(f"{server_url}/postgres", autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {NAME}")
        connection.execute(f"CREATE DATABASE {NAME}")
        try:
            yield f"{server_url}/{NAME}"
        finally:
            connection.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")


def tidy(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


@contextmanager
def server(env: dict[str, str]) -> Iterator[None]:
    """Gunicorn as the Dockerfile starts it: two processes of four threads."""
    command = [str(BIN / "gunicorn"), "config.wsgi", "--no-control-socket", "--bind", f"127.0.0.1:{PORT}"]
    process = subprocess.Popen([*command, "--workers", "2", "--threads", "4", "--log-level", "error"], env=env)
    try:
        for _ in range(100):
            time.sleep(0.2)
            if answers():
                break
        yield
    finally:
        process.terminate()
        process.wait(30)


def answers() -> bool:
    try:
        return bool(urllib.request.urlopen(f"http://127.0.0.1:{PORT}/robots.txt").status == 200)
    except OSError:
        return False


def run(env: dict[str, str], *arguments: str) -> None:
    subprocess.run([sys.executable, *arguments], env=env, check=True)


if __name__ == "__main__":
    main()
