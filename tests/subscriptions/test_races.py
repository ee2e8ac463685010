"""S35 with real threads on a real database: whoever comes at the same time, one act has one effect."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.everything import POSTGRES

ROOT = Path(__file__).resolve().parent.parent.parent
RACE = """
import json
from concurrent.futures import ThreadPoolExecutor
import django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from django.db import connection
from django.utils import timezone
from subscriptions import accounts, services
from subscriptions.limits import limiter as limits
from subscriptions.signup import requests as asks
from subscriptions.models import Consent, Notice, Subscriber
now = timezone.now()

def at_once(act, times=60):
    def alone(_):
        try:
            return act()
        finally:
            connection.close()
    with ThreadPoolExecutor(8) as pool:
        return sum(bool(one) for one in pool.map(alone, range(times)))

found = {}
at_once(lambda: services.subscribe("ada@example.org", queries=["speech"], now=now))
found["readers"] = Subscriber.objects.count()
found["letters"] = Notice.objects.filter(kind="confirm").count()
pk = Subscriber.objects.get().pk
reader = lambda: Subscriber.objects.get(pk=pk)
found["confirmed"] = at_once(lambda: services.confirm(reader(), now))
found["fresh link"] = at_once(lambda: accounts.use_link(reader(), "0"))
found["network"] = at_once(lambda: limits.take("network", "192.0.2.0/24", now))
found["left"] = at_once(lambda: services.unsubscribe(reader(), now))
found["goodbyes"] = Consent.objects.filter(act="left").count()
for number in range(40):
    asks.store("signup", f"reader{number}@h{number}.example", {}, "", now)
at_once(lambda: asks.process(now), 8)
found["taken up"] = Subscriber.objects.filter(email__startswith="reader").count()
found["their letters"] = Notice.objects.filter(subscriber__email__startswith="reader").count()
print(json.dumps(found))
"""
ONCE = {
    "readers": 1, "letters": 1, "confirmed": 1, "fresh link": 1, "network": 40, "left": 1, "goodbyes": 1,
    "taken up": 40, "their letters": 40,
}  # fmt: skip


@pytest.fixture
def postgres() -> Iterator[str]:
    """A database of the test's own; dropped afterwards."""
    name = f"offprint_race_{os.getpid()}"
    with psycopg.connect(POSTGRES, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        yield POSTGRES.rsplit("/", 1)[0] + f"/{name}"
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def raced(url: str, folder: Path) -> dict[str, int]:
    environment = {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "OFFPRINT_DOTENV": "no",
        "VAR_DIR": str(folder),
        "STATE_DIR": f"{folder}/state",
        "DATABASE_URL": url,
    }
    done = subprocess.run(
        [sys.executable, "-c", RACE], env=environment, cwd=ROOT, check=True, timeout=240, capture_output=True, text=True
    )
    found: dict[str, int] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.slow
def test_f91_s35_every_act_has_one_effect_on_sqlite(tmp_path: Path) -> None:
    assert raced(f"sqlite:///{tmp_path}/race.sqlite3", tmp_path) == ONCE


@pytest.mark.slow
@pytest.mark.postgresql
def test_f91_s35_every_act_has_one_effect_on_postgresql(tmp_path: Path, postgres: str) -> None:
    assert raced(postgres, tmp_path) == ONCE
