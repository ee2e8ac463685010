"""PostgreSQL crashes again and again while letters go out.

A server of its own is stopped with `pg_ctl stop -m immediate` (no shutdown, no checkpoint: what a power cut
leaves) in the middle of a send and started again. Workers are not restarted: they must find their way back.
At the end the ledger is compared with the fake provider's accept log, as in the other chaos runs.
"""

from __future__ import annotations

import os
import random
import signal
import tempfile
import time
from pathlib import Path
from typing import Any

from tests import cluster
from tests.chaos.cell import Cell, begin, calm, good, publish, truth, unfinished, verdict, work
from tests.chaos.ground import environment, port, provider

LONGEST_DAY = 40.0  # seconds
WORKERS = 2


def crashes(kind: str, rounds: int, seed: int, readers: int) -> dict[str, Any]:
    """The verdict of `rounds` crashes on one kind of channel."""
    http, smtp = port(), port()
    url = f"http://127.0.0.1:{http}"
    with (
        tempfile.TemporaryDirectory(prefix="offprint-outage-") as folder,
        cluster.running() as server,
        provider(http, smtp, seed, 0.1),
    ):
        os.environ.update(environment(server.url, kind, Path(folder), http, smtp))
        cell = Cell(kind, 0, readers, WORKERS, url, random.Random(seed))
        begin(cell, rate=40)  # letters a second, so that a day lasts for several crashes
        over: list[float] = []
        while len(over) < rounds:
            over += _day(cell, server, rounds - len(over))
        result = verdict(cell, calm(cell))
        # A blind channel may name a letter for each worker whose answer could not be written before the crash.
        result["uncertain_allowed"] += WORKERS * len(over) if kind == "blind" else 0
        result |= {"crashes": len(over), "slowest_recovery_seconds": slowest(over, truth(cell)["times"])}
    return {**result, "good": good(result)}


def _day(cell: Cell, server: cluster.Cluster, rounds: int) -> list[float]:
    """One day's letters under crashes; answers when each crash was over."""
    cell.day += 1
    publish(cell)
    pids = [_worker(cell) for _ in range(cell.workers)]
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
    return over


def _worker(cell: Cell) -> int:
    """A forked worker; answers its number. Whatever the database does to one round, the next one comes."""
    pid = os.fork()
    if pid:
        return pid
    try:
        _keep_working(cell)
    finally:
        os._exit(1)  # the parent's server is not this process's to clean up


def _keep_working(cell: Cell) -> None:
    from django.db import InterfaceError, OperationalError, close_old_connections, connections

    while True:
        close_old_connections()
        try:
            work(cell, "", forever=False)
        except (OperationalError, InterfaceError):
            connections.close_all()
            time.sleep(0.2)


def slowest(over: list[float], times: list[float]) -> float:
    """The longest time in seconds from a fault's end to the next accepted letter, where one was left to go."""
    waits = [min(later) - at for at in over if (later := [one for one in times if one > at])]
    return round(max(waits, default=0.0), 1)
