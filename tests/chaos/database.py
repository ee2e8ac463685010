"""`python -m tests.chaos.database SCENE --database postgresql`: the database away, full, locked, or being migrated.

Each scene runs in a process of its own, on a database of its own (PostgreSQL: a server of its own), and prints
what it saw as JSON; the tests and `docs/reliability.md` judge it.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests import cluster
from tests.chaos.ground import ROOT, environment

SECRET = "chaos:0123456789012345678901234567"


class Place:
    """The database under trial: `away()` while it cannot be reached, `begin()` a session beside ours."""

    def __init__(self, folder: Path, server: cluster.Cluster | None) -> None:
        self.folder, self.server = folder, server
        self.url = server.url if server else f"sqlite:///{folder}/scene.sqlite3"

    @contextmanager
    def away(self) -> Iterator[None]:
        """PostgreSQL stopped; SQLite's only writer's place taken for longer than anybody waits."""
        if self.server:
            self.server.stop("immediate")
            yield
            self.server.start()
        else:
            other = self.begin()
            yield
            other.rollback()
            other.close()

    def begin(self) -> Any:
        """Another session, within a transaction (SQLite: the writing one)."""
        if self.server:
            import psycopg

            return psycopg.connect(self.url)
        other = sqlite3.connect(self.folder / "scene.sqlite3", isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
        return other


@contextmanager
def place(database: str, connections: int) -> Iterator[Place]:
    with tempfile.TemporaryDirectory(prefix="offprint-scene-") as folder:
        if database == "sqlite":
            yield Place(Path(folder), None)
        else:
            with cluster.running(connections) as server:
                yield Place(Path(folder), server)


def client() -> Any:
    from django.test import Client

    return Client(raise_request_exception=False, HTTP_HOST="localhost")


def sign_up(email: str) -> Any:
    from tests.subscriptions.pages import signup

    return client().post("/subscribe/", signup(email=email, queries="speech"))


def report(event: str) -> Any:
    token = b64encode(SECRET.encode()).decode()
    said = {
        "RecordType": "Delivery",
        "MessageID": event,
        "Recipient": "a@b.example",
        "DeliveredAt": "2026-06-03T06:05:00Z",
    }
    return client().post("/hooks/postmark/", json.dumps(said), "application/json", HTTP_AUTHORIZATION=f"Basic {token}")


# -- scenes -------------------------------------------------------------------------------------


def forms(where: Place) -> dict[str, Any]:
    """36: nothing answers 200 that was not kept."""
    from django.db import close_old_connections, connection

    from digest.models import ProviderEvent
    from subscriptions.models import SignupRequest

    if not where.server:
        connection.close()
        connection.settings_dict["OPTIONS"]["timeout"] = 0.2
    seen: dict[str, Any] = {"before": [sign_up("a@one.example").status_code, report("1").status_code]}
    with where.away():
        began = time.monotonic()
        answers = [sign_up("b@two.example"), report("2")]
        seen["away"] = [one.status_code for one in answers]
        seen["retry after"] = [one.headers.get("Retry-After") for one in answers]
        seen["says"] = "send it again" in answers[0].content.decode()
        seen["seconds"] = time.monotonic() - began
    close_old_connections()
    seen["after"] = [sign_up("b@two.example").status_code, report("2").status_code]
    seen["signups"] = sorted(SignupRequest.objects.values_list("email", flat=True))
    seen["reports"] = ProviderEvent.objects.count()
    return seen


def full(where: Place) -> dict[str, Any]:
    """37: every connection of the server is taken; then, a moment later, they are given back."""
    from django.db import OperationalError, connections

    from digest import tasks
    from digest.models import Delivery

    furnish()
    connections.close_all()

    def asked(number: int) -> tuple[int, float]:
        began = time.monotonic()
        try:
            return sign_up(f"r{number}@host{number}.example").status_code, time.monotonic() - began
        finally:
            connections.close_all()

    def crowd() -> list[tuple[int, float]]:
        with ThreadPoolExecutor(8) as pool:
            return list(pool.map(asked, range(40)))

    taken = take_all(where)
    shut = crowd()
    try:
        tasks.send_due()
        tick = "went"
    except OperationalError:
        tick = "refused"
    connections.close_all()
    threading.Timer(0.4, lambda: [one.close() for one in taken]).start()
    opened = crowd()
    connections.close_all()
    tasks.send_due()
    return {
        "full": sorted({code for code, _ in shut}),
        "longest": max(seconds for _, seconds in shut),
        "tick": tick,
        "given back": sorted({code for code, _ in opened}),
        "sent": Delivery.objects.filter(state="accepted").count(),
    }


def take_all(where: Place) -> list[Any]:
    import psycopg

    taken = []
    while True:
        try:
            taken.append(psycopg.connect(where.url))
        except psycopg.OperationalError:
            return taken


def furnish(readers: int = 3) -> None:
    from datetime import UTC, datetime, timedelta

    from tests import make

    now = datetime.now(UTC)
    make.edition(now.date(), papers=[make.paper("Speech for all")], released_at=now, frozen_at=now)
    due = now - timedelta(minutes=1)
    for _ in range(readers):
        make.subscriber(queries=["speech"], next_digest_at=due, hour=due.hour, created_at=due, confirmed_at=due)


def contended(where: Place) -> dict[str, Any]:
    """38: an answer is written although a deadlock, a lock and a changed row are in the way, one after the other."""
    return {way: _settle_against(where, way) for way in (WAYS if where.server else ("locked",))}


WAYS = ("deadlock", "locked", "serialization")


def _settle_against(where: Place, way: str) -> dict[str, Any]:
    """Settle one attempt of three letters while another session does its worst; how often was it tried again?"""
    from django.db import connection
    from django.utils import timezone

    from digest.delivery import claim, plan, settle
    from digest.models import Attempt, Delivery
    from subscriptions import db_retry
    from subscriptions.mail.outcomes import Outcome, Receipt

    Delivery.objects.all().delete()
    Attempt.objects.all().delete()
    furnish_again()
    now = timezone.now()
    plan.plan(now)
    [claimed] = claim.claim(now, "resend", 10)
    Attempt.objects.update(state=Attempt.State.SENDING)
    results = [(row, Receipt(Outcome.ACCEPTED)) for row in claimed.deliveries]
    set_up(connection, way)
    pauses: list[float] = []
    sleep = db_retry.time.sleep
    db_retry.time = type("Clock", (), {"sleep": staticmethod(lambda s: (pauses.append(s), sleep(s)))})  # type: ignore[attr-defined]
    ready, over = threading.Event(), threading.Event()
    rival = threading.Thread(target=RIVALS[way], args=(where, claimed, ready, over))
    rival.start()
    ready.wait(5)
    written = settle.settle(claimed.attempt, results, now)
    rival.join()
    connection.close()
    states = list(Delivery.objects.values_list("state", flat=True))
    return {"written": written, "states": states, "retries": len(pauses), "rival": over.is_set()}


def furnish_again() -> None:
    from subscriptions.models import Subscriber

    if not Subscriber.objects.exists():
        furnish()
        return
    from django.utils import timezone

    due = timezone.now()
    Subscriber.objects.update(next_digest_at=due, cursor=0)


def set_up(connection: Any, way: str) -> None:
    """Our own session, less patient than the product's, so that the scene is short."""
    if connection.vendor == "sqlite":
        connection.close()
        connection.settings_dict["OPTIONS"]["timeout"] = 0.1
        return
    with connection.cursor() as cursor:
        if way == "locked":
            cursor.execute("SET lock_timeout = '100ms'")
        if way == "serialization":
            cursor.execute("SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ")


def _deadlock(where: Place, claimed: Any, ready: threading.Event, over: threading.Event) -> None:
    with where.begin() as other:
        other.execute("UPDATE digest_delivery SET matched = 9 WHERE id = %s", [claimed.deliveries[-1].pk])
        ready.set()
        time.sleep(0.15)
        other.execute("UPDATE digest_attempt SET detail = 'mine' WHERE id = %s", [claimed.attempt.pk])
    over.set()


def _locked(where: Place, claimed: Any, ready: threading.Event, over: threading.Event) -> None:
    other = where.begin()
    if where.server:
        other.execute("LOCK TABLE digest_delivery IN ACCESS EXCLUSIVE MODE")
    ready.set()
    time.sleep(0.35)
    other.rollback()
    other.close()
    over.set()


def _changed(where: Place, claimed: Any, ready: threading.Event, over: threading.Event) -> None:
    with where.begin() as other:
        other.execute("UPDATE digest_delivery SET matched = 9 WHERE id = %s", [claimed.deliveries[-1].pk])
        ready.set()
        time.sleep(0.3)
    over.set()


RIVALS: dict[str, Callable[..., None]] = {"deadlock": _deadlock, "locked": _locked, "serialization": _changed}


# -- a migration while letters go out --------------------------------------------------------------


def migrated(where: Place) -> dict[str, Any]:
    """42 and 22: a column, an index and a backfill beside a long reader, while workers are killed and started."""
    from django.db import connection, connections

    from digest.delivery.accounts import audit
    from digest.models import Delivery
    from tests.chaos import growth

    furnish(200)
    growth.fill(ROWS)
    connections.close_all()
    letters = Delivery.objects.filter(edition__serial=1)
    pids = [_worker() for _ in range(2)]
    stop, in_the_way = threading.Event(), threading.Event()
    longest: list[float] = [0.0, 0.0]
    lines = [0.0]
    probers = [
        threading.Thread(target=_probe, args=(stop, longest)),
        threading.Thread(target=_watch_the_line, args=(where, stop, lines)),
    ]
    for prober in probers:
        prober.start()
    holder = threading.Thread(target=_read, args=(where, in_the_way))
    holder.start()
    upgrade = subprocess.Popen(
        [sys.executable, "manage.py", "migrate", "growth", "--settings", "tests.chaos.grown"],
        cwd=ROOT, env=dict(os.environ), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    said: list[str] = []
    listener = threading.Thread(target=_listen, args=(upgrade.stdout, said, in_the_way))
    listener.start()
    restarts = 0
    while upgrade.poll() is None or restarts < RESTARTS:
        os.kill(pids[1], signal.SIGKILL)
        os.waitpid(pids.pop(), 0)
        pids.append(_worker())
        restarts += 1
        time.sleep(0.7)
    for thread in (listener, holder):
        thread.join()
    end = time.monotonic() + 60
    while time.monotonic() < end and letters.filter(state__in=["pending", "claimed", "ambiguous"]).exists():
        time.sleep(0.3)
    stop.set()
    for prober in probers:
        prober.join()
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM digest_delivery WHERE next_note = 'filled'")
        filled = cursor.fetchone()[0]
    files = [path.name for path in (where.folder / "outbox").glob("*.eml")]
    return {
        "migrated": upgrade.returncode,
        "stepped back": sum("steps back" in line for line in said),
        "restarts": restarts,
        "filled": filled >= ROWS,
        "longest query": round(longest[0], 2),
        "longest request": round(longest[1], 2),
        "longest wait for a lock": round(lines[0], 2),
        "letters": len(files),
        "accepted": letters.filter(state="accepted").count(),
        "audit": [one.name for one in audit.audit().broken],
    }


ROWS, RESTARTS = 5_000, 5


def _worker() -> int:
    """A forked worker that plans and delivers again and again; answers its number."""
    pid = os.fork()
    if pid:
        return pid
    try:
        _work()
    finally:
        os._exit(1)  # whatever happened: the parent's server is not this process's to clean up


def _work() -> None:
    from datetime import timedelta

    from django.conf import settings
    from django.db import DatabaseError, InterfaceError, close_old_connections, connections
    from django.utils import timezone

    from digest import delivery
    from digest.delivery import plan
    from tests.chaos.cell import hurry

    hurry()
    settings.MAIL_RATE = 20
    while True:
        close_old_connections()
        try:
            plan.plan(timezone.now(), chunk=20)
            delivery.deliver(timezone.now(), timedelta(seconds=1))
        except (DatabaseError, InterfaceError):
            connections.close_all()
        time.sleep(0.05)


def _probe(stop: threading.Event, longest: list[float]) -> None:
    """Ask the table and a page that changes something, all the time; keep the longest."""
    from django.db import connections

    from digest.models import Delivery

    for number in itertools.count():
        began = time.monotonic()
        list(Delivery.objects.order_by("-pk")[:1])
        longest[0] = max(longest[0], time.monotonic() - began)
        began = time.monotonic()
        sign_up(f"p{number}@host{number}.example")
        longest[1] = max(longest[1], time.monotonic() - began)
        if stop.wait(0.02):
            break
    connections.close_all()


def _watch_the_line(where: Place, stop: threading.Event, longest: list[float]) -> None:
    """How long readers and writers wait behind the migration, by PostgreSQL's own clock."""
    if not where.server:
        return
    waits = """
        SELECT max(extract(epoch FROM clock_timestamp() - waitstart)) FROM pg_locks
        WHERE NOT granted AND mode IN ('AccessShareLock', 'RowShareLock', 'RowExclusiveLock')
    """
    with where.begin() as other:
        other.autocommit = True
        while not stop.wait(0.02):
            [longest_now] = other.execute(waits).fetchone()
            longest[0] = max(longest[0], float(longest_now or 0))


def _read(where: Place, until: threading.Event) -> None:
    """Somebody who reads the table in a long transaction, until the migration had to step back."""
    if where.server:
        with where.begin() as other:
            other.execute("SELECT COUNT(*) FROM digest_delivery")
            until.wait(30)


def _listen(lines: Any, said: list[str], in_the_way: threading.Event) -> None:
    for line in lines:
        said.append(line)
        if "steps back" in line:
            in_the_way.set()
    in_the_way.set()


SCENES = {"forms": forms, "full": full, "contended": contended, "migrated": migrated}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.database", description=__doc__)
    parser.add_argument("scene", choices=SCENES)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--connections", type=int, default=40)
    parser.add_argument("--rows", type=int, default=ROWS, help="letters of earlier days, for the migration")
    parser.add_argument("--restarts", type=int, default=RESTARTS)
    options = parser.parse_args()
    if options.database == "postgresql" and (reason := cluster.why_not()):
        print(f"Left out: {reason}", file=sys.stderr)
        return 2
    globals().update(ROWS=options.rows, RESTARTS=options.restarts)
    with place(options.database, options.connections) as where:
        kind = "evidence" if options.scene == "forms" else "outbox"
        os.environ.update(environment(where.url, "evidence", where.folder, 1, 1))
        if kind == "outbox":
            del os.environ["EMAIL_URL"]
        os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
        import django

        django.setup()
        from django.core.management import call_command
        from django.db import connections

        call_command("migrate", verbosity=0)
        seen = SCENES[options.scene](where)
        connections.close_all()
    print(json.dumps(seen))
    return 0


if __name__ == "__main__":
    sys.exit(main())
