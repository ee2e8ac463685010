"""One cell of the chaos table: one database, one kind of channel, so many kills, all from one seed.

A parent without threads imports the house once and forks workers; each worker is armed with a
failpoint (or killed from outside at a random moment) and does what a real one does: plan, deliver,
sweep. Days pass, editions come out, readers fall due. At the end a clean worker finishes the rest, and
the ledger is compared with the provider's accept log.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import time
import urllib.request
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import django

CHANNELS = {"idempotent": "resend", "evidence": "postmark", "blind": "smtp"}
# Failpoints that a kind of channel never passes.
ELSEWHERE = {
    "idempotent": ("release", "evidence"),
    "evidence": ("replay",),
    "blind": ("release", "evidence", "replay"),
}
START = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
PATIENCE = 90.0
HISTORIES = 5


@dataclass
class Cell:
    """What is going on: `deaths` by the failpoint that killed (or `random`)."""

    kind: str
    kills: int
    readers: int
    workers: int
    provider_url: str
    dice: random.Random
    day: int = 0
    day_began: float = 0.0
    deaths: Counter[str] = field(default_factory=Counter)
    armed: dict[int, tuple[str, float]] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)

    def now(self) -> datetime:
        return START + timedelta(days=self.day, seconds=time.time() - self.day_began)


def hurry() -> None:
    """Leases and patience of seconds instead of minutes: the rules stay, only their clocks run faster."""
    from digest.delivery import claim, resolve, run, send, settle
    from digest.delivery.channels import evidence, holds, throttle
    from digest.delivery.channels import traits as channel_traits
    from subscriptions.mail import outgoing

    claim.LEASE = timedelta(seconds=2)
    outgoing.DEADLINE = 0.4
    send.NEEDED = 0.9
    run.CHUNK = 12
    evidence.FLOOR, evidence.MARGIN = timedelta(seconds=2), timedelta(milliseconds=200)
    resolve.REPEAT_AFTER = timedelta(milliseconds=300)
    resolve.LONGEST_DOUBT = timedelta(seconds=45)
    holds.HALF_OPEN_AFTER = timedelta(seconds=1)
    settle.pause = lambda tries, receipt: timedelta(seconds=0.3)
    throttle.DOMAIN_PAUSE = timedelta(seconds=1)
    for name, batch in (("resend", 6), ("postmark", 4)):
        traits = channel_traits.TRAITS[name]
        channel_traits.TRAITS[name] = type(traits)(
            **{**traits.__dict__, "batch": batch, "lag": timedelta(seconds=1), "key_life": timedelta(hours=1)}
        )


def begin(cell: Cell, rate: int) -> None:
    """Django with the faster clocks, a fresh database, the readers and their first edition."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    from tests import make

    settings.MAIL_RATE = rate
    hurry()
    call_command("migrate", verbosity=0)
    for _ in range(cell.readers):
        make.subscriber(queries=["speech"], next_digest_at=START, hour=START.hour, created_at=START, confirmed_at=START)
    publish(cell)


def publish(cell: Cell) -> None:
    """The day's edition; readers' hours come with the day."""
    from django.db import connections

    from digest.editions import lifecycle
    from tests import make

    cell.day_began = time.time()
    day = START.date() + timedelta(days=cell.day)
    papers = [make.paper(f"Speech {cell.day}-{n}", published_on=day) for n in range(2)]
    edition = make.edition(day, papers=papers, released_at=cell.now(), frozen_at=cell.now())
    type(edition).objects.filter(pk=edition.pk).update(content_hash=lifecycle.content_hash(edition))
    connections.close_all()


# -- workers ------------------------------------------------------------------------------------


def spawn(cell: Cell, failpoint: str) -> None:
    pid = os.fork()
    if pid == 0:
        work(cell, failpoint)
        os._exit(0)
    patience = 4.0 if failpoint else cell.dice.uniform(0.05, 0.6)
    cell.armed[pid] = (failpoint, time.monotonic() + patience)


def work(cell: Cell, failpoint: str, forever: bool = True) -> None:
    from digest import delivery
    from digest.delivery import failpoints, plan

    failpoints._ARMED = {failpoint: random.Random(os.getpid()).choice([1, 1, 1, 2])} if failpoint else {}
    while True:
        now = cell.now()
        try:
            plan.plan(now, chunk=7)
            if cell.kind == "evidence":
                hear(cell, now)
            delivery.deliver(now, timedelta(seconds=1))
        except django.db.OperationalError as error:  # a locked or restarting database: the next round tries again
            if "locked" not in str(error):
                raise
        if not forever:
            return
        time.sleep(0.01)


def hear(cell: Cell, now: datetime) -> None:
    """Events as a provider sends them: some letters' only, late, shuffled, several times over."""
    from digest.delivery.reports import events

    with urllib.request.urlopen(f"{cell.provider_url}/_events") as answer:
        news = json.load(answer)
    for one in news:
        said = SimpleNamespace(
            event_type=one["type"], event_id=None, message_id=one["id"], metadata=one["metadata"], recipient=one["to"],
            timestamp=now, reject_reason=None, description=None, mta_response=None, esp_event={},
        )  # fmt: skip
        row = events.remember("postmark", said, now)
        if row is not None:
            events.apply(row, now)


def reap(cell: Cell) -> None:
    """Count the dead; kill whoever has lived long enough without meeting their failpoint."""
    for pid, (name, until) in list(cell.armed.items()):
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
            if not killed:
                raise SystemExit(f"a worker ended by itself (status {status}), armed with {name}")
            cell.deaths[name or "random"] += 1
            del cell.armed[pid]
        elif time.monotonic() > until:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            cell.deaths["random"] += 1
            del cell.armed[pid]


def next_failpoint(cell: Cell) -> str:
    """All in turn, in an order of the dice, so that each gets its share; none for a kill at any moment."""
    from digest.delivery import failpoints

    if cell.dice.random() < 0.2:
        return ""

    if not cell.order:
        cell.order = [name for name in failpoints.NAMES if not name.startswith(ELSEWHERE[cell.kind])]
        cell.dice.shuffle(cell.order)
    return cell.order.pop()


def unfinished() -> int:
    from django.db import connections

    from digest.models import Delivery, Edition
    from subscriptions.models import Subscriber

    waiting = Delivery.objects.filter(state__in=["pending", "claimed"]).count()
    newest = Edition.objects.order_by("-serial").values_list("serial", flat=True).first() or 0
    behind = Subscriber.objects.filter(cursor__lt=newest).count()
    connections.close_all()
    return waiting + behind


def warm_up(cell: Cell) -> None:
    """One whole day in the parent, so that a forked worker finds everything imported and compiled."""
    from django.db import connections

    for _ in range(5):
        work(cell, "", forever=False)
    connections.close_all()


def storm(cell: Cell) -> None:
    """Days of kills, until there were enough."""
    while cell.deaths.total() < cell.kills:
        cell.day += 1
        publish(cell)
        end = time.monotonic() + 20.0
        looked = 0.0
        for pid in cell.armed:  # they would live in yesterday
            os.kill(pid, signal.SIGKILL)
        while cell.deaths.total() < cell.kills and time.monotonic() < end:
            reap(cell)
            while len(cell.armed) < cell.workers:
                spawn(cell, next_failpoint(cell))
            time.sleep(0.02)
            if time.monotonic() - looked > 0.5:
                looked = time.monotonic()
                (Path(os.environ["VAR_DIR"]) / "kills").write_text(str(cell.deaths.total()))
                if not unfinished():
                    break
    for pid in cell.armed:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    cell.armed.clear()


def calm(cell: Cell) -> float:
    """One clean worker finishes what is left; answers the seconds it took to the last doubt's end."""
    from django.db import connections

    from digest.models import Delivery

    began = time.monotonic()
    while time.monotonic() - began < PATIENCE:
        work(cell, "", forever=False)
        states = ["pending", "claimed", "ambiguous"]
        if not Delivery.objects.filter(state__in=states).exists():
            break
        time.sleep(0.05)
    connections.close_all()
    return time.monotonic() - began


# -- the truth ----------------------------------------------------------------------------------


def truth(cell: Cell) -> dict[str, Any]:
    """The provider's accept log: how often each letter was accepted and when, and which faults were played."""
    with urllib.request.urlopen(f"{cell.provider_url}/_log") as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def verdict(cell: Cell, seconds: float) -> dict[str, Any]:
    """Ledger against accept log."""
    from digest.delivery.accounts import audit
    from digest.models import Delivery

    told = truth(cell)
    accepted = Counter(told["accepted"])
    states = {str(one): state for one, state in Delivery.objects.values_list("uuid", "state")}
    report = audit.audit()
    named = [one for one, state in states.items() if state == "uncertain"]
    twice = [one for one, n in accepted.items() if n > 1]
    astray = [one for one, state in states.items() if _contradicts(state, accepted[one])]
    limbo = [one for one, state in states.items() if state in {"pending", "claimed", "ambiguous"}]
    doubts = sum(n for fault, n in told["faults"].items() if not fault.endswith("429"))
    return {
        "kind": cell.kind,
        "deliveries": len(states),
        "kills": cell.deaths.total(),
        "failpoints": dict(sorted(cell.deaths.items())),
        "faults": told["faults"],
        "duplicates": sum(n - 1 for n in accepted.values() if n > 1),
        "lost": len(astray),
        "limbo": len(limbo),
        "uncertain": len(named),
        "uncertain_had_gone": sum(bool(accepted[one]) for one in named),
        "uncertain_allowed": cell.deaths.total() + doubts if cell.kind == "blind" else 0,
        **carried_over(),
        "states": dict(Counter(states.values())),
        "audit": [f"{one.name}: {one.says} ({one.broken})" for one in report.broken],
        "even": report.even,
        "calm_seconds": round(seconds, 1),
        "histories": {one: history(one) for one in (*twice, *astray, *limbo, *named)[:HISTORIES]},
    }


def carried_over() -> dict[str, int]:
    """How many papers went with a later letter, and how many came to one reader in two letters known as accepted."""
    from digest.models import Delivery

    had: Counter[tuple[int, int]] = Counter()
    carried = 0
    for reader, papers in Delivery.objects.filter(state="accepted").values_list("subscriber_id", "papers"):
        had.update((reader, one["paper"]) for one in papers)
        carried += sum("carried" in one for one in papers)
    return {"carried": carried, "papers_twice": sum(count > 1 for count in had.values())}


def history(delivery: str) -> list[str]:
    """What is known of a letter that needs explaining: its row and its attempt."""
    from digest.models import Delivery

    lines = []
    for row in Delivery.objects.filter(uuid=delivery).select_related("attempt"):
        lines.append(f"{row.state} ({row.reason}), tries {row.tries}, due {row.due_at}, settled {row.settled_at}")
        if one := row.attempt:
            lines.append(f"{one.state} {one.outcome} {one.detail}, intent {one.intent_at}, doubt {one.ambiguous_at}")
            lines.append(f"lease {one.lease_until}, closed {one.closed_at}, worker {one.worker}")
    return lines


def _contradicts(state: str, accepted: int) -> bool:
    """The ledger says accepted and nothing was, or says that nothing went and something did."""
    return not accepted if state == "accepted" else bool(accepted) and state in UNSENT


UNSENT = {"expired", "dead", "skipped", "rejected"}


def good(result: dict[str, Any]) -> bool:
    twice = result["duplicates"] or result["papers_twice"]
    clean = not (twice or result["lost"] or result["limbo"] or result["audit"])
    return clean and result["even"] and result["uncertain"] <= result["uncertain_allowed"]


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kind", choices=CHANNELS, required=True)
    parser.add_argument("--kills", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--readers", type=int, default=40)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--provider", required=True)
    options = parser.parse_args()
    dice = random.Random(options.seed)
    cell = Cell(options.kind, options.kills, options.readers, options.workers, options.provider, dice)
    begin(cell, rate=1_000_000)
    warm_up(cell)
    storm(cell)
    result = verdict(cell, calm(cell))
    print(json.dumps(result))
    return 0 if good(result) else 1


if __name__ == "__main__":
    sys.exit(main())
