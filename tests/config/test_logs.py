"""Row 95 of the fault list: a log that nobody reads, or that has no room, keeps nobody waiting."""

from __future__ import annotations

import io
import logging
import os
import socket
import subprocess
import sys
from pathlib import Path

import kombu.exceptions
import psycopg
import pytest
import redis
from celery.beat import SchedulingError
from django.db import OperationalError, ProgrammingError

from config import logs
from config.logs import Unhindered, write_now

ROOT = Path(__file__).resolve().parent.parent.parent
NOISY = """
import django, logging
django.setup()
for number in range(5000):
    logging.getLogger("digest").warning("line %d of a log that nobody reads, ada@example.org", number)
print("went on")
"""


@pytest.mark.thorough
def test_f95_a_full_pipe_drops_lines_and_stops_nothing(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    settings = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "config.settings", "OFFPRINT_DOTENV": "no"}
    done = subprocess.run(
        [sys.executable, "-c", NOISY], cwd=ROOT, env=settings | {"VAR_DIR": str(tmp_path)},
        stdout=subprocess.PIPE, stderr=writing, text=True, timeout=60,
    )  # fmt: skip
    os.close(writing)
    with open(reading, "rb") as pipe:
        kept = pipe.read().decode()
    assert done.stdout == "went on\n"
    assert "line 0 of" in kept
    assert "line 4999 of" not in kept
    assert "ada@" not in kept


SPEAKING = """
import django, logging
django.setup()
for name in ("digest", "django.request", "django.server"):
    logging.getLogger(name).warning("%s warns", name)
    logging.getLogger(name).error("%s fails", name)
"""


@pytest.mark.thorough
@pytest.mark.parametrize("level", ["warning", "error"])
def test_no_line_below_the_level_is_written_whoever_writes_it(tmp_path: Path, level: str) -> None:
    settings = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "config.settings", "OFFPRINT_DOTENV": "no"}
    done = subprocess.run(
        [sys.executable, "-c", SPEAKING], cwd=ROOT, env=settings | {"VAR_DIR": str(tmp_path), "LOG_LEVEL": level},
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.stderr.count("django.request fails") == done.stderr.count("digest fails") == 1
    assert ("django.request warns" in done.stderr) == ("digest warns" in done.stderr) == (level == "warning")


def handler(stream: object) -> Unhindered:
    one = Unhindered()
    one.stream = stream  # type: ignore[assignment]
    return one


def record(words: str) -> logging.LogRecord:
    return logging.LogRecord("digest", logging.WARNING, "", 0, words, None, None)


def test_f95_when_there_is_room_again_it_says_how_many_were_dropped() -> None:
    reading, writing = os.pipe()
    with open(reading, "rb", buffering=0) as pipe, open(writing, "w") as stream:
        one = handler(stream)
        while not one.dropped:
            one.emit(record("x" * 4000))
        one.emit(record("lost too"))
        pipe.read(1_000_000)
        one.emit(record("here again"))
        assert pipe.read(1_000_000) == b"(2 log lines were dropped: nobody took them)\nhere again\n"


def test_f95_a_full_disk_drops_lines_and_stops_nothing() -> None:
    with open("/dev/full", "w") as full:
        one = handler(full)
        one.emit(record("no room"))
        assert one.dropped == 1


def test_f95_a_socket_that_nobody_reads_is_not_waited_for() -> None:
    near, far = socket.socketpair()
    with near, far:
        while write_now(near.fileno(), b"x" * 4096):
            pass
        assert far.recv(4096)


def test_a_stream_that_is_no_file_is_written_to_as_ever() -> None:
    text = io.StringIO()
    handler(text).emit(record("in a notebook"))
    assert text.getvalue() == "in a notebook\n"


@pytest.mark.slow
def test_celery_logs_through_the_same_door() -> None:
    from celery import signals

    import config.celery

    assert config.celery.app
    assert signals.setup_logging.receivers  # so Celery adds no handlers of its own


def logged(error, cause=None):
    """The lines of a task that failed with the error."""
    try:
        raise error from cause
    except Exception:
        record = logging.LogRecord("x", logging.ERROR, "x.py", 1, "the tick %r failed", ("send",), sys.exc_info())
    return logs.Discreet("{message}", style="{").format(record)


@pytest.mark.parametrize(
    ("error", "cause", "fix"),
    [
        (redis.ConnectionError("refused"), None, "Start Redis"),
        (redis.TimeoutError("late"), None, "Start Redis"),
        (redis.AuthenticationError("no"), None, "password in REDIS_URL"),
        (kombu.exceptions.OperationalError("refused"), None, "Start Redis"),
        (SchedulingError("not applied"), kombu.exceptions.OperationalError("refused"), "Start Redis"),
        (OperationalError("connection refused"), psycopg.OperationalError("connection refused"), "Start PostgreSQL"),
        (ProgrammingError("no relation"), psycopg.errors.UndefinedTable("no relation"), "migrate"),
        (OperationalError("no such table: digest_source"), None, "migrate"),
    ],
)
def test_a_server_that_is_away_is_one_line(error, cause, fix):
    line = logged(error, cause)
    assert "Traceback" not in line
    assert "\n" not in line
    assert line.startswith("the tick 'send' failed (")
    assert fix in line


def test_a_fault_of_ours_keeps_its_traceback():
    assert "Traceback" in logged(ValueError("x"))
    assert "Traceback" in logged(OperationalError("database is locked"))


def test_where_debugging_is_on_every_error_keeps_its_traceback(monkeypatch):
    monkeypatch.setattr(logging.getLogger(), "level", logging.DEBUG)
    assert "Traceback" in logged(redis.ConnectionError("refused"))
