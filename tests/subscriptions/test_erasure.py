"""S30 on a real database file: after an erasure the address is nowhere in its bytes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
LIFE = """
import django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from django.db import connection
from django.utils import timezone
from subscriptions import accounts, services
from subscriptions.signup import requests as asks
from subscriptions.models import Subscriber
now = timezone.now()
wishes = {"queries": ["speech"], "description": "I study speech."}
asks.store("signup", "zebedee.quux@example.org", wishes, "", now)
asks.process(now)
reader = Subscriber.objects.get()
services.confirm(reader, now)
accounts.ask_new_address(reader, "zebedee.quux@example.net", now)
for number in range(40):
    services.subscribe(f"other{number}@example.org", now=now)
services.forget(reader, now)
connection.close()
"""


@pytest.mark.slow
def test_s30_after_an_erasure_the_database_file_holds_no_byte_of_the_address(tmp_path: Path) -> None:
    database = tmp_path / "readers.sqlite3"
    environment = {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "OFFPRINT_DOTENV": "no",
        "VAR_DIR": str(tmp_path),
        "STATE_DIR": f"{tmp_path}/state",
        "DATABASE_URL": f"sqlite:///{database}",
    }
    subprocess.run([sys.executable, "-c", LIFE], env=environment, cwd=ROOT, check=True, timeout=120)
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"other7@example.org" in kept
    assert b"zebedee" not in kept.lower()
