"""Row 21 of the fault list: a process without a free file handle backs off and goes on; it does not crash in a loop."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SCENE = """
import json, os, resource, time
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
import django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from tests.chaos.database import furnish
from digest import delivery
from digest.delivery import plan
from digest.operate import scheduler
from digest.models import Delivery
from django.db import connections
from django.utils import timezone
furnish(3)
plan.plan(timezone.now())
connections.close_all()
taken = []
try:
    while True:
        taken.append(os.open("/dev/null", os.O_RDONLY))
except OSError:
    pass
turns = []
begun = time.monotonic()
def turn():
    turns.append(time.monotonic())
    delivery.deliver(timezone.now())
clock = scheduler.Scheduler({})
clock.schedule = {}
import threading
thread = threading.Thread(target=clock._loop, args=("send", turn, 0.5), daemon=True)
thread.start()
time.sleep(2.2)
without, seconds = len(turns), time.monotonic() - begun
for one in taken:
    os.close(one)
end = time.monotonic() + 60
while time.monotonic() < end and Delivery.objects.filter(state="accepted").count() < 3:
    time.sleep(0.2)
print(json.dumps({"turns": without, "seconds": seconds, "sent": Delivery.objects.filter(state="accepted").count()}))
"""


@pytest.mark.slow
def test_f21_without_a_file_handle_the_scheduler_backs_off_and_goes_on(tmp_path: Path) -> None:
    settings = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "config.settings", "OFFPRINT_DOTENV": "no"}
    settings |= {"VAR_DIR": str(tmp_path), "STATE_DIR": f"{tmp_path}/state", "LOG_LEVEL": "error"}
    done = subprocess.run(
        [sys.executable, "-c", SCENE], cwd=ROOT, env=settings,
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    seen = json.loads(done.stdout.splitlines()[-1])
    assert 1 <= seen["turns"] <= seen["seconds"] / 0.5 + 2  # one turn every half second, none in between
    assert seen["sent"] == 3
