"""`python -m tests.chaos.storm`: real Celery workers on a real Redis, under load.

Ten warm restarts (SIGTERM), ten kills of a whole worker with its children (SIGKILL), ten flushed
queues; two beats' worth of wake-ups all the while. At the end nobody has two letters, nobody is missed,
and after each fault the first new letter was accepted within a minute.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.chaos.__main__ import ROOT, environment, port

REDIS = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379").rstrip("/") + "/13"


class Workers:
    """Two worker processes of two children each; one of them is the victim in turn."""

    def __init__(self, settings: dict[str, str]) -> None:
        self.settings = settings
        self.running = [self.start(), self.start()]

    def start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "celery", "-A", "tests.chaos.app", "worker", "-c", "2", "--loglevel", "ERROR"]
        return subprocess.Popen(
            [*command, "-n", f"w{time.monotonic_ns()}@storm"],
            cwd=ROOT, env=self.settings, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip

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


def wake(seconds: float) -> None:
    """Wake-ups as from two beats, for so long."""
    from digest.tasks import send_due

    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for _ in range(2):
            send_due.apply_async(expires=15)
        time.sleep(0.5)


def truth(url: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{url}/_log") as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def furnish(readers: int) -> None:
    from digest.editions import lifecycle
    from digest.models import Edition
    from tests import make

    now = datetime.now(UTC)
    edition = make.edition(now.date(), papers=[make.paper("Speech for all")], released_at=now, frozen_at=now)
    Edition.objects.filter(pk=edition.pk).update(content_hash=lifecycle.content_hash(edition))
    due = now - timedelta(minutes=1)
    for _ in range(readers):
        make.subscriber(queries=["speech"], next_digest_at=due, hour=due.hour, created_at=due, confirmed_at=due)


def storm(workers: Workers, url: str, rounds: int) -> list[tuple[str, float]]:
    """Fault after fault; answers when each was over."""
    import redis

    server = redis.Redis.from_url(REDIS)
    faults = []
    for number in range(rounds):
        for name, act in (
            ("warm restart", lambda n=number: workers.restart(n, signal.SIGTERM)),
            ("kill", lambda n=number: workers.restart(n + 1, signal.SIGKILL)),
            ("flush", server.flushdb),
        ):
            act()
            faults.append((name, time.time()))
            wake(2.0)
        if len(truth(url)["times"]) == 0 and number == 0:
            wake(5.0)
    return faults


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.storm", description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--readers", type=int, default=1500)
    parser.add_argument("--rate", type=int, default=15, help="letters a second, so that the load lasts")
    options = parser.parse_args()
    http, smtp = port(), port()
    with tempfile.TemporaryDirectory(prefix="offprint-storm-") as folder:
        settings = environment(f"sqlite:///{folder}/storm.sqlite3", "idempotent", Path(folder), http, smtp)
        settings |= {"REDIS_URL": REDIS, "MAIL_RATE": str(options.rate), "DJANGO_SETTINGS_MODULE": "config.settings"}
        provider = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.provider", str(http), str(smtp), "1", "0.05", "0.6"],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        assert provider.stdout is not None
        provider.stdout.readline()
        os.environ.clear()
        os.environ.update(settings)
        try:
            result = _run(settings, f"http://127.0.0.1:{http}", options.rounds, options.readers)
        finally:
            provider.kill()
    print(json.dumps(result))
    return 0 if result["good"] else 1


def _run(settings: dict[str, str], url: str, rounds: int, readers: int) -> dict[str, Any]:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connections

    from digest.delivery.accounts import audit
    from digest.models import Delivery

    call_command("migrate", verbosity=0)
    furnish(readers)
    connections.close_all()
    workers = Workers(settings)
    try:
        wake(6.0)
        faults = storm(workers, url, rounds)
        end = time.monotonic() + 240
        waiting = Delivery.objects.filter(state__in=["pending", "claimed", "ambiguous"])
        while time.monotonic() < end and (waiting.exists() or Delivery.objects.count() < readers):
            wake(2.0)
    finally:
        workers.end()
    told = truth(url)
    accepted = Counter(told["accepted"])
    gaps = [_recovery(at, told["times"]) for _, at in faults]
    states = Counter(Delivery.objects.values_list("state", flat=True))
    report = audit.audit()
    return {
        "readers": readers,
        "faults": dict(Counter(name for name, _ in faults)),
        "letters": sum(accepted.values()),
        "duplicates": sum(n - 1 for n in accepted.values() if n > 1),
        "missed": readers - len(accepted),
        "states": dict(states),
        "slowest_recovery_seconds": round(max((gap for gap in gaps if gap is not None), default=0.0), 1),
        "slowest_by_fault": _slowest(faults, gaps),
        "audit": [one.name for one in report.broken],
        "good": len(accepted) == readers == sum(accepted.values()) and report.good,
    }


def _slowest(faults: list[tuple[str, float]], gaps: list[float | None]) -> dict[str, float]:
    """Seconds of the slowest recovery from each kind of fault."""
    slowest: dict[str, float] = {}
    for (name, _), gap in zip(faults, gaps, strict=True):
        slowest[name] = round(max(slowest.get(name, 0.0), gap or 0.0), 1)
    return slowest


def _recovery(at: float, times: list[float]) -> float | None:
    """Seconds from a fault's end to the next accepted letter; None if none was left to send."""
    later = [one for one in times if one > at]
    return min(later) - at if later else None


if __name__ == "__main__":
    sys.exit(main())
