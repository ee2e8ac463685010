"""`python -m tests.chaos.outage --rounds 50`: PostgreSQL crashes again and again while letters go out.

A server of its own is stopped with `pg_ctl stop -m immediate` (no shutdown, no checkpoint: what a power cut
leaves) in the middle of a send and started again. Workers are not restarted: they must find their way back.
At the end the ledger is compared with the fake provider's accept log, as in the other chaos runs.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests import cluster
from tests.chaos.__main__ import ROOT, environment, port
from tests.chaos.cell import CHANNELS, Cell, calm, furnish, good, hurry, publish, unfinished, verdict, work

LONGEST_DAY = 40.0  # seconds


def keep_working(cell: Cell) -> None:
    """A worker's life: whatever the database does to one round, the next one comes."""
    from django.db import InterfaceError, OperationalError, close_old_connections, connections

    while True:
        close_old_connections()
        try:
            work(cell, "", forever=False)
        except (OperationalError, InterfaceError):
            connections.close_all()
            time.sleep(0.2)


def day_of_crashes(cell: Cell, server: cluster.Cluster, rounds: int) -> tuple[int, list[float]]:
    """One day's letters under crashes; answers how many there were, and when each was over."""
    from django.db import connections

    cell.day += 1
    cell.day_began = time.time()
    publish(cell)
    connections.close_all()
    pids = []
    for _ in range(cell.workers):
        pid = os.fork()
        if pid == 0:
            try:
                keep_working(cell)
            finally:
                os._exit(1)  # whatever happened: the parent's server is not this process's to clean up
        pids.append(pid)
    over: list[float] = []
    end = time.monotonic() + LONGEST_DAY
    while len(over) < rounds and time.monotonic() < end and unfinished():
        time.sleep(cell.dice.uniform(0.3, 1.0))
        server.stop("immediate")
        time.sleep(cell.dice.uniform(0.0, 0.5))
        server.start()
        over.append(time.time())
    while time.monotonic() < end and unfinished():
        time.sleep(0.1)
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    return len(over), over


def _recoveries(over: list[float], times: list[float]) -> float:
    """The longest time from a crash's end to the next accepted letter, where one was left to go."""
    waits = [min(later) - at for at in over if (later := [one for one in times if one > at])]
    return round(max(waits, default=0.0), 1)


def run(options: argparse.Namespace) -> dict[str, Any]:
    http, smtp = port(), port()
    with tempfile.TemporaryDirectory(prefix="offprint-outage-") as folder, cluster.running() as server:
        os.environ.update(environment(server.url, options.kind, Path(folder), http, smtp))
        os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
        command = [sys.executable, "-m", "tests.chaos.provider", str(http), str(smtp), str(options.seed), "0.1", "0.6"]
        provider = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert provider.stdout is not None
        provider.stdout.readline()
        try:
            return _crashes(options, server, f"http://127.0.0.1:{http}")
        finally:
            provider.kill()
            provider.wait()


def _crashes(options: argparse.Namespace, server: cluster.Cluster, url: str) -> dict[str, Any]:
    import urllib.request

    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connections

    settings.MAIL_RATE = 40  # a second, so that a day lasts for several crashes
    hurry()
    call_command("migrate", verbosity=0)
    cell = Cell(options.kind, 0, options.readers, 2, url, random.Random(options.seed))
    furnish(options.readers)
    publish(cell)
    connections.close_all()
    over: list[float] = []
    while len(over) < options.rounds:
        over += day_of_crashes(cell, server, options.rounds - len(over))[1]
        connections.close_all()
    result = verdict(cell, calm(cell))
    with urllib.request.urlopen(f"{url}/_log") as answer:
        times = json.load(answer)["times"]
    # A blind channel may name a letter for each worker whose answer could not be written before the crash.
    result["uncertain_allowed"] += 2 * len(over) if cell.kind == "blind" else 0
    result |= {"crashes": len(over), "slowest_recovery_seconds": _recoveries(over, times)}
    connections.close_all()
    return {**result, "good": good(result)}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.outage", description=__doc__)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--readers", type=int, default=120)
    parser.add_argument("--kind", choices=CHANNELS, default="evidence")
    options = parser.parse_args()
    if reason := cluster.why_not():
        print(f"Left out: {reason}", file=sys.stderr)
        return 2
    result = run(options)
    print(json.dumps(result))
    return 0 if result["good"] else 1


if __name__ == "__main__":
    sys.exit(main())
