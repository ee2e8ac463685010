"""The reader's pages under attack at full size, on a database of its own.

    python -m tests.load.readers bomb       nine addresses, 9,000 signups each, over thirty days
    python -m tests.load.readers flood      a thousand networks, 100 addresses each, in one hour
    python -m tests.load.readers scanners   every kind of link, 10,000 times plainly and 500 times in Chromium
    python -m tests.load.readers one-click  10,000 RFC 8058 POSTs
    python -m tests.load.readers timing     whether the signup page tells by its time who reads here

Prints what was measured. `DATABASE_URL` chooses the database (default: a new SQLite file).
"""

from __future__ import annotations

import argparse
import atexit
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("OFFPRINT_DOTENV", "no")
os.environ.setdefault("LOG_LEVEL", "error")
if "VAR_DIR" not in os.environ:
    os.environ["VAR_DIR"] = tempfile.mkdtemp(prefix="offprint-load-")
    atexit.register(shutil.rmtree, os.environ["VAR_DIR"], ignore_errors=True)

START = datetime(2026, 6, 3, 6, tzinfo=UTC)
STATES = ("pending", "active", "paused", "unsubscribed", "suppressed")


def bomb(size: int) -> dict[str, Any]:
    """Nine victims, `size` signups each, posted within thirty days from many networks; an honest signup every hour."""
    import time_machine

    total, honest, waits, codes = 9 * size, 0, list[float](), Counter[int]()
    with time_machine.travel(START, tick=False) as clock:
        for number in range(total):
            clock.move_to(START + timedelta(days=30) * number / total)
            network = f"10.{number % 200}.{number % 256}.7"
            codes[_sign_up(f"victim{number % 9}@host{number % 9}.example", network)] += 1
            if number % (total // 720 or 1) == 0:
                waits.append(_honest(honest))
                honest += 1
        _sweep()
    return _outcome(codes, honest, waits)


def flood(size: int) -> dict[str, Any]:
    """A thousand networks, `size` addresses each, all within one hour; an honest signup in the hour after."""
    import time_machine
    from django.conf import settings

    codes = Counter[int]()
    with time_machine.travel(START, tick=False) as clock:
        for number in range(1000 * size):
            clock.move_to(START + timedelta(hours=1) * number / (1000 * size))
            network = f"10.{number % 1000 // 250}.{number % 250}.7"
            codes[_sign_up(f"victim{number}@host{number}.example", network)] += 1
            if number % 500 == 0:
                _sweep()
        _sweep()
        clock.move_to(START + timedelta(hours=2))
        waits = [_honest(0)]
    return {"budget": settings.SIGNUPS_PER_HOUR} | _outcome(codes, 1, waits)


def _sign_up(email: str, address: str) -> int:
    """What a script without a browser sends; the status it gets."""
    from django.utils import timezone

    from subscriptions.signup import bot_check

    fields = {"act": "subscribe", "email": email, "age": bot_check.stamp(timezone.now() - timedelta(minutes=1))}
    return int(_client().post("/subscribe/", fields, REMOTE_ADDR=address).status_code)


def _honest(number: int) -> float:
    """Somebody at a university signs up; seconds until their letter was written."""
    _sweep()  # what came before has been taken up, as it is every five seconds
    begun = time.perf_counter()
    if _sign_up(f"honest{number}@h{number % 97}.example", "192.0.2.9") != 200:
        raise SystemExit(f"an honest signup was refused, number {number}")
    _sweep()
    return time.perf_counter() - begun


def _sweep() -> None:
    from django.utils import timezone

    from subscriptions.signup import requests

    while requests.process(timezone.now()).total():
        pass


def _outcome(codes: Counter[int], honest: int, waits: list[float]) -> dict[str, Any]:
    from subscriptions.models import Notice

    letters = Notice.objects.filter(kind="confirm")
    return {
        "posts": codes.total(),
        "answers": dict(codes),
        "letters_to_victims": letters.filter(subscriber__email__startswith="victim").count(),
        "honest_signups": honest,
        "letters_to_honest": letters.filter(subscriber__email__startswith="honest").count(),
        "honest_p99_s": round(sorted(waits)[int(len(waits) * 0.99)], 3),
    }


def scanners(size: int) -> dict[str, Any]:
    """Every kind of link, `size` times plainly and a twentieth as often in a browser; every row is compared."""
    from django.utils import timezone

    from tests.load import scanners

    paths = scanners.addresses(scanners.letters(timezone.now()))
    before = scanners.tables()
    scanners.open_plainly(_client(), paths, size)
    with scanners.serving() as site, scanners.a_browser() as browser:
        rendered = scanners.open_rendered(browser, site, paths, size // 20)
    return {
        "kinds": len(scanners.kinds()),
        "links": len(paths),
        "requests": size,
        "rendered": rendered,
        "tables": len(before),
        "tables_changed": scanners.changed(before),
    }


def one_click(size: int) -> dict[str, Any]:
    """`size` readers leave by their mail program's button, each twice."""
    from subscriptions.links import urls
    from subscriptions.models import Consent, Subscriber

    rows, client = _readers(size, ("active",)), _client()
    seconds, codes = [], set()
    for row in rows:
        address = _path(urls.unsubscribe_url(row))
        for _ in range(2):
            begun = time.perf_counter()
            codes.add(client.post(address, {"List-Unsubscribe": "One-Click"}).status_code)
            seconds.append(time.perf_counter() - begun)
    return {
        "posts": len(seconds),
        "status": sorted(codes),
        "left": Subscriber.objects.filter(state="unsubscribed").count(),
        "acts_recorded": Consent.objects.filter(act="left").count(),
        "p99_ms": round(1000 * sorted(seconds)[int(len(seconds) * 0.99)], 1),
    }


def timing(size: int) -> dict[str, Any]:
    """Signups for an address that reads here and one that does not, in turns; are the two distributions one?"""
    from django.utils import timezone

    from subscriptions.limits import limiter
    from subscriptions.models import Ask
    from subscriptions.signup import bot_check

    limiter.RULES["network"] = (limiter.Rule(10 * size, limiter.HOUR),)
    _readers(1, ("active",))
    client = _client()
    fields = {"act": "subscribe", "age": bot_check.stamp(timezone.now() - timedelta(minutes=1)), "website": ""}
    taken: dict[str, list[float]] = {"reader000000@example.org": [], "nobody000000@example.org": []}
    for number in range(size):
        for email in sorted(taken, reverse=bool(number % 2)):
            _forget_network()
            begun = time.perf_counter()
            client.post("/subscribe/", fields | {"email": email})
            taken[email].append(1000 * (time.perf_counter() - begun))
        if number % 500 == 0:
            Ask.objects.all().delete()
    known, unknown = taken.values()
    difference, chance = _kolmogorov_smirnov(known, unknown)
    return {
        "each": size,
        "median_ms": [round(statistics.median(one), 3) for one in (known, unknown)],
        "median_difference_ms": round(abs(statistics.median(known) - statistics.median(unknown)), 4),
        "ks_distance": round(difference, 5),
        "ks_p": round(chance, 4),
    }


def _forget_network() -> None:
    """The visitor's budget grows with use; here every request must find it alike."""
    from subscriptions.models import Budget

    Budget.objects.all().delete()


def _kolmogorov_smirnov(one: list[float], other: list[float]) -> tuple[float, float]:
    """The two-sample statistic, and the chance of one as large if both came from one source (Smirnov's series)."""
    from math import exp, sqrt

    here, there = sorted(one), sorted(other)
    places, largest, first, second = sorted({*here, *there}), 0.0, 0, 0
    for place in places:
        while first < len(here) and here[first] <= place:
            first += 1
        while second < len(there) and there[second] <= place:
            second += 1
        largest = max(largest, abs(first / len(here) - second / len(there)))
    even = sqrt(len(here) * len(there) / (len(here) + len(there)))
    scaled = (even + 0.12 + 0.11 / even) * largest
    return largest, min(1.0, max(0.0, 2 * sum((-1) ** (k - 1) * exp(-2 * k * k * scaled**2) for k in range(1, 101))))


# -- pieces ---------------------------------------------------------------------------------------


def _readers(size: int, states: tuple[str, ...] = STATES) -> list[Any]:
    from subscriptions.models import Subscriber

    names = [f"reader{number:06}@example.org" for number in range(size)]
    Subscriber.objects.bulk_create(
        [
            Subscriber(
                email=name, email_key=name, state=states[number % len(states)], created_at=START, confirmed_at=START,
                ended_at=START, new_email=f"new{number}@example.net",
            )
            for number, name in enumerate(names)
        ],
        batch_size=500,
    )  # fmt: skip
    return list(Subscriber.objects.order_by("pk"))


@cache
def _client() -> Any:
    """One for all requests: each new one would load the middleware anew."""
    from django.test import Client

    return Client(HTTP_HOST="localhost")


def _path(url: str) -> str:
    return "/" + url.split("/", 3)[3]


PROOFS: dict[str, tuple[Callable[[int], dict[str, Any]], int]] = {
    "bomb": (bomb, 9_000),
    "flood": (flood, 100),
    "scanners": (scanners, 10_000),
    "one-click": (one_click, 10_000),
    "timing": (timing, 5_000),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("proof", choices=PROOFS)
    parser.add_argument("--size", type=int)
    options = parser.parse_args()
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    run, size = PROOFS[options.proof]
    begun = time.perf_counter()
    measured = run(options.size or size)
    measured["seconds"] = round(time.perf_counter() - begun, 1)
    for name, value in measured.items():
        print(f"{name}: {value}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
