"""Real Celery workers on a real Redis, under load.

Warm restarts (SIGTERM), kills of a whole worker with its children (SIGKILL), flushed queues; two beats' worth of
wake-ups all the while. At the end nobody has two letters, nobody is missed, and the ledger is compared with the fake
provider's accept log, as in the other chaos runs.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.chaos import cell as chaos
from tests.chaos.ground import ROOT, environment, port, provider
from tests.chaos.outage import slowest

REDIS = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379").rstrip("/") + "/13"
RATE = 15  # letters a second, so that the load lasts
PATIENCE = 240.0  # seconds until every letter must have gone


class Workers:
    """Two worker processes of two children each; one of them is the victim in turn."""

    def __init__(self) -> None:
        self.running = [self.start(), self.start()]

    def start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "celery", "-A", "tests.chaos.app", "worker", "-c", "2", "--loglevel", "ERROR"]
        return subprocess.Popen(
            [*command, "-n", f"w{time.monotonic_ns()}@storm"],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def restart(self, number: int, how: signal.Signals) -> None:
        victim = self.running[number % 2]
        if how is signal.SIGKILL:
            os.killpg(victim.pid, signal.SIGKILL)
        else:
            victim.send_signal(how)
        victim.wait(timeout=60)
        self.running[number % 2] = self.start()

    def end(self) -> None:
        for one in self.running:
            os.killpg(one.pid, signal.SIGKILL)
            one.wait()


def storm(rounds: int, readers: int) -> dict[str, Any]:
    """The verdict of `rounds` restarts, kills and flushes."""
    http, smtp = port(), port()
    with tempfile.TemporaryDirectory(prefix="offprint-storm-") as folder, provider(http, smtp, 1, 0.05):
        settings = environment(f"sqlite:///{folder}/storm.sqlite3", "idempotent", Path(folder), http, smtp)
        os.environ.update(settings | {"REDIS_URL": REDIS, "MAIL_RATE": str(RATE)})
        today = datetime.now(UTC) - timedelta(minutes=1)
        chaos.START = today
        cell = chaos.Cell("idempotent", 0, readers, 2, f"http://127.0.0.1:{http}", random.Random(1))
        chaos.begin(cell, RATE)
        workers = Workers()
        try:
            _wake(6.0)
            faults = _faults(workers, rounds)
            _wait(readers)
        finally:
            workers.end()
        told = chaos.truth(cell)
        result = chaos.verdict(cell, chaos.calm(cell))
        result |= {
            "faults": len(faults),
            "missed": readers - len(told["accepted"]),
            "slowest_recovery_seconds": slowest(faults, told["times"]),
        }
    return {**result, "good": chaos.good(result) and not result["missed"]}


def _faults(workers: Workers, rounds: int) -> list[float]:
    """Fault after fault; answers when each was over."""
    import redis

    server = redis.Redis.from_url(REDIS)
    over = []
    for number in range(rounds):
        for act in (
            lambda n=number: workers.restart(n, signal.SIGTERM),
            lambda n=number: workers.restart(n + 1, signal.SIGKILL),
            server.flushdb,
        ):
            act()
            over.append(time.time())
            _wake(2.0)
    return over


def _wake(seconds: float) -> None:
    """Wake-ups as from two beats, for so long."""
    from digest.tasks import send_due

    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for _ in range(2):
            send_due.apply_async(expires=15)
        time.sleep(0.5)


def _wait(readers: int) -> None:
    """Until every letter went, or patience ends."""
    from digest.models import Delivery

    end = time.monotonic() + PATIENCE
    waiting = Delivery.objects.filter(state__in=["pending", "claimed", "ambiguous"])
    while time.monotonic() < end and (waiting.exists() or Delivery.objects.count() < readers):
        _wake(2.0)
