"""Runs the whole suite: on SQLite always, then on PostgreSQL where a server answers.

`make test` calls it. It says in one line what was left out; with CI=true nothing may be left out.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from urllib.parse import urlsplit

POSTGRES = os.environ.get("TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
REDIS = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/15")
# What does not touch the database differently there is not run twice.
ONLY_ONCE = "not browser and not slow"


def answers(url: str) -> bool:
    parts = urlsplit(url)
    try:
        with socket.create_connection((parts.hostname or "127.0.0.1", parts.port or 0), timeout=2):
            return True
    except OSError:
        return False


def suite(*arguments: str, **environment: str) -> int:
    workers = ["-n", os.environ.get("TEST_WORKERS", "auto")]
    command = [sys.executable, "-m", "pytest", *workers, *arguments]
    return subprocess.run(command, env=os.environ | environment, check=False).returncode


def main() -> int:
    strict = bool(os.environ.get("CI"))
    here = {"PostgreSQL": answers(POSTGRES), "Redis": answers(REDIS)}
    absent = [name for name, is_there in here.items() if not is_there]
    if strict and absent:
        print("CI needs these servers, and they do not answer: " + ", ".join(absent))
        return 1
    print("== the suite on SQLite", flush=True)
    failed = suite(*sys.argv[1:])
    if here["PostgreSQL"] and not failed:
        print("== the suite on PostgreSQL", flush=True)
        failed = suite("-m", ONLY_ONCE, *sys.argv[1:], TEST_DATABASE_URL=POSTGRES)
    if absent:
        print("Skipped, because no server answers: the tests on " + " and ".join(absent) + ".")
    return failed


if __name__ == "__main__":
    sys.exit(main())
