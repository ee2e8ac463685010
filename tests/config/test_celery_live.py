"""A real worker and a real beat, on Redis and on files: a letter that waits leaves without anybody calling."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.everything import REDIS

ROOT = Path(__file__).resolve().parent.parent.parent
PATIENCE = 150  # seconds: two processes have to start, on a machine that may be busy
SUBSCRIBE = """
from django.utils import timezone
from subscriptions import services
services.subscribe("reader@example.org", queries=["speech"], now=timezone.now())
"""


def environment(folder: Path, redis: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    ours = {
        "VAR_DIR": str(folder),
        "STATE_DIR": f"{folder}/state",
        "OFFPRINT_DOTENV": "no",
        "SAMPLE_FEEDS": "never",
        "REDIS_URL": redis,
    }
    return kept | ours | {"REDIS_PREFIX": f"offprint-test-{uuid.uuid4().hex}:"}


@contextmanager
def running(settings: dict[str, str], *commands: str) -> Iterator[None]:
    """The processes, one per documented command, ended at the end."""
    started = [
        subprocess.Popen(
            [sys.executable, "-m", *command.split()],
            cwd=ROOT,
            env=settings,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        for command in commands
    ]
    try:
        yield
    finally:
        for one in started:
            one.terminate()
        for one in started:
            one.communicate(timeout=20)


def manage(settings: dict[str, str], *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=ROOT, env=settings, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def letters(folder: Path, seconds: float) -> list[Path]:
    """What lies in the outbox within so many seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := list((folder / "outbox").glob("*.eml")):
            return found
        time.sleep(0.25)
    return []


def clean(settings: dict[str, str]) -> None:
    if settings["REDIS_URL"]:
        import redis

        server = redis.Redis.from_url(settings["REDIS_URL"])
        for key in server.scan_iter(settings["REDIS_PREFIX"] + "*"):
            server.delete(key)
        server.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    "redis", [pytest.param(REDIS, marks=pytest.mark.redis, id="redis"), pytest.param("", id="files")]
)
def test_worker_and_beat_send_what_waits(tmp_path: Path, redis: str) -> None:
    settings = environment(tmp_path, redis)
    manage(settings, "migrate", "-v0")
    manage(settings, "shell", "-v0", "-c", SUBSCRIBE)
    worker = "celery -A config worker --pool=solo --loglevel=error --without-mingle --without-gossip"
    try:
        with running(settings, worker, "celery -A config beat --loglevel=error"):
            assert [path.name.split("--")[0] for path in letters(tmp_path, PATIENCE)] == ["reader_example.org"]
    finally:
        clean(settings)


@pytest.mark.slow
def test_f33_a_corrupt_schedule_file_is_made_anew(tmp_path: Path) -> None:
    """Nothing of ours lives in it: the beat wakes the workers all the same."""
    settings = environment(tmp_path, "")
    manage(settings, "check")
    schedule = tmp_path / "celerybeat-schedule"
    schedule.write_bytes(b"\x00garbage" * 100)
    with running(settings, "celery -A config beat --loglevel=error"):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and not list((tmp_path / "broker" / "queue").glob("*")):
            time.sleep(0.25)
    assert list((tmp_path / "broker" / "queue").glob("*"))
    assert not schedule.exists() or b"garbage" not in schedule.read_bytes()
