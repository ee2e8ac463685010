"""A Postfix on this machine as the way out: what its log shows of letters in doubt.

Found by its configuration folder (`EMAIL_URL=postfix:` or `postfix://127.0.0.1:2525/etc/postfix-papers`). Only
a log that Postfix writes itself (`maillog_file`) counts: a syslog daemon may drop lines under load, and then
silence would look like "not sent".
"""

from __future__ import annotations

import gzip
import os
import re
import shutil
import smtplib
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import BinaryIO
from zoneinfo import ZoneInfo

from django.conf import settings

from digest.delivery.channels.maillog import Record, Window
from digest.models import Attempt, Delivery
from subscriptions.clock import database_now, monotonic

# The log counts whole seconds, and the database may keep another clock: so much before and after is asked for.
MARGIN = timedelta(seconds=60)
PATIENCE = 5.0  # seconds that Postfix may take to answer, and its line to arrive in the log
LOCALTIME = Path("/etc/localtime")


class LogError(Exception):
    """Why the log cannot be evidence, and what to do about it. `found`: what it shows all the same."""

    def __init__(self, words: str, found: set[str] | None = None) -> None:
        super().__init__(words)
        self.found = found or set()


def accepted(attempt: Attempt) -> set[str]:
    """Delivery uuids of the attempt that Postfix took; the others it certainly did not take.

    Raises `LogError` where the log does not show that moment wholly, with what it does show.
    """
    wanted = frozenset(str(one) for one in Delivery.objects.filter(attempt=attempt).values_list("uuid", flat=True))
    log = log_file()
    trouble = _dead(log)
    record = _read(log, _window(attempt), wanted)
    trouble = trouble or record.doubt
    if trouble and record.found != wanted:
        raise LogError(trouble, record.found)
    return record.found


def _dead(log: Path) -> str:
    """Why its silence proves nothing; nothing if it is alive. Its answer is a line later than the doubt."""
    try:
        sign_of_life(log)
    except LogError as error:
        return str(error)
    return ""


def _window(attempt: Attempt) -> Window:
    """From the intent to the lease's end: no worker begins a letter, or waits for an answer, after it."""
    begun = attempt.intent_at or attempt.started_at
    return Window(begun - MARGIN, max(begun, attempt.lease_until) + MARGIN, zone())


def zone() -> tzinfo:
    """The machine's own: Postfix writes its log in it, while this program runs in UTC."""
    try:
        with LOCALTIME.open("rb") as file:
            return ZoneInfo.from_file(file)
    except (OSError, ValueError):
        return UTC


# -- finding the log ----------------------------------------------------------------------------


def log_file() -> Path:
    """Where this Postfix writes its log. Raises `LogError` with what to set."""
    name = _ask_postconf("maillog_file")
    if not name or name.startswith("/dev/"):
        raise LogError(
            "Postfix logs through syslog, which may drop lines. Run: postconf maillog_file=/var/log/postfix/postfix.log"
        )
    path = Path(name)
    if not os.access(path, os.R_OK):
        raise LogError(f"{path} is not there or cannot be read. Let this program's user read it (chmod, logrotate)")
    return path


def _ask_postconf(name: str) -> str:
    command = shutil.which("postconf", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/local/sbin")
    if command is None:
        raise LogError("postconf is not here. Install Postfix on this machine, or use smtp:// in EMAIL_URL")
    try:
        answer = subprocess.run(  # noqa: S603 - Postfix's own program, with the folder the operator named
            [command, "-c", settings.POSTFIX_CONFIG, "-xh", name], capture_output=True, text=True, timeout=PATIENCE
        )
    except subprocess.TimeoutExpired as error:
        raise LogError("postconf does not answer") from error
    if answer.returncode:
        raise LogError(f"postconf fails on {settings.POSTFIX_CONFIG}: {answer.stderr.strip()[:200]}")
    return answer.stdout.strip()


# -- reading it ---------------------------------------------------------------------------------


def _read(log: Path, window: Window, wanted: frozenset[str]) -> Record:
    """The log from shortly before the window to its newest line, over all files that touch it."""
    record = Record(window, wanted)
    try:
        for path in _since(log, window):
            with _open(path) as file:
                if path.suffix != ".gz":
                    file.seek(_offset(file, window))
                record.feed(file)
    except (OSError, EOFError) as error:
        raise LogError(f"{log} cannot be read: {error}", record.found) from error
    return record


def _since(log: Path, window: Window) -> list[Path]:
    """The files of this log from the one that was being written when the window began, oldest first."""
    files = sorted((first, path) for path in _files(log) if (first := _first(path, window)) is not None)
    older = [path for first, path in files if first < window.start]
    return [*older[-1:], *(path for first, path in files if first >= window.start)]


def _files(log: Path) -> Iterator[Path]:
    """The log itself and what rotation made of it: `.1`, `.2.gz`, `-20260603`, `.20260603-000000.gz`."""
    rotated = re.compile(re.escape(log.name) + r"([.-][\d-]+(\.gz)?)?")
    return (one for one in log.parent.iterdir() if rotated.fullmatch(one.name))


def _first(path: Path, window: Window) -> datetime | None:
    with _open(path) as file:
        return window.read(file.readline()[:15])


def _open(path: Path) -> BinaryIO:
    return gzip.open(path) if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]


def _offset(file: BinaryIO, window: Window) -> int:
    """Where a line starts that is older than the window, and near it; 0 if there is none. By halves."""
    low, high = 0, file.seek(0, os.SEEK_END)
    while high - low > 65_536:
        middle = (low + high) // 2
        file.seek(middle)
        file.readline()
        start, stamp = file.tell(), file.readline()[:15]
        at = window.read(stamp)
        if at is not None and at + timedelta(seconds=1) < window.start:
            low = start
        else:
            high = middle
    return low


# -- is it alive? -------------------------------------------------------------------------------


def sign_of_life(log: Path) -> None:
    """Knock at Postfix and wait for its line: this log is written now, by whoever answers there, on our clock.

    Raises `LogError` with what to do.
    """
    try:
        before = log.stat().st_size
        _knock()
        line = _wait_for_line(log, before)
    except (OSError, smtplib.SMTPException) as error:
        raise LogError(f"Postfix does not answer: {error}") from error
    if line is None:
        raise LogError(f"Postfix answered and wrote no line to {log}: it belongs to another one, or is not written")
    now = database_now()
    at = Window(now, now, zone()).read(line[:15])
    if at is None or abs(at - now) > MARGIN:
        raise LogError(f"the clock of {log} differs from the database's by more than a minute")


def _knock() -> None:
    with smtplib.SMTP(settings.EMAIL_HOST, settings.EMAIL_PORT, timeout=PATIENCE):
        pass  # greeted, and left by QUIT


def _wait_for_line(log: Path, before: int) -> bytes | None:
    """The newest `connect from` after this size of the file; None if none comes."""
    end = monotonic() + PATIENCE
    while monotonic() < end:
        with log.open("rb") as file:
            file.seek(before)
            lines = [line for line in file if b"connect from " in line and line.endswith(b"\n")]
        if lines:
            return lines[-1]
        time.sleep(0.02)
    return None
