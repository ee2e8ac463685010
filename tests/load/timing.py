"""Does the signup page tell by its time who reads here? `python -m tests.load.timing [--size 5000]`

Prints what was measured, on a database of its own: `DATABASE_URL`, else a new SQLite file.
"""

from __future__ import annotations

import argparse
import atexit
import os
import shutil
import statistics
import tempfile
import time
from datetime import timedelta
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("OFFPRINT_DOTENV", "no")
os.environ.setdefault("LOG_LEVEL", "error")
if "VAR_DIR" not in os.environ:
    os.environ["VAR_DIR"] = tempfile.mkdtemp(prefix="offprint-load-")
    os.environ["STATE_DIR"] = os.environ["VAR_DIR"] + "/state"
    atexit.register(shutil.rmtree, os.environ["VAR_DIR"], ignore_errors=True)


def timing(size: int) -> dict[str, Any]:
    """Signups for an address that reads here and one that does not, in turns; are the two distributions one?"""
    from django.test import Client
    from django.utils import timezone

    from subscriptions.limits import limiter
    from subscriptions.models import SignupRequest
    from subscriptions.signup import bot_check
    from tests import make

    limiter.RULES["network"] = limiter.RULES["share"] = (limiter.Rule(10 * size, limiter.HOUR),)
    client = Client(HTTP_HOST="localhost")
    fields = {"act": "subscribe", "age": bot_check.stamp(timezone.now() - timedelta(minutes=1)), bot_check.TRAP: ""}
    taken: dict[str, list[float]] = {make.subscriber("reader@example.org").email: [], "nobody@example.org": []}
    for number in range(size):
        for email in sorted(taken, reverse=bool(number % 2)):
            _forget_network()
            begun = time.perf_counter()
            client.post("/subscribe/", fields | {"email": email})
            taken[email].append(1000 * (time.perf_counter() - begun))
        if number % 500 == 0:
            SignupRequest.objects.all().delete()
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=5_000)
    options = parser.parse_args()
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    for name, value in timing(options.size).items():
        print(f"{name}: {value}")


if __name__ == "__main__":
    main()
