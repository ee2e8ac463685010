"""Log lines that give nobody away, and that never keep anybody waiting.

No token of a signed link and no e-mail address goes into a line, whoever wrote it. And a log that nobody
reads (a full pipe, a full disk) costs lines, not letters: what cannot be written at once is dropped and counted.
"""

from __future__ import annotations

import copy
import logging
import os
import re
import select
import socket
import stat
import sys
from typing import IO

# A signed link is one letter and a long word: /u/<token>/.
_TOKEN = re.compile(r"(/[a-z]/)[A-Za-z0-9_:.=~-]{12,}")
_ADDRESS = re.compile(r"[^\s@<>\"'(),;:]+@[^\s@<>\"'(),;:]+")


def discreet(text: str) -> str:
    return _ADDRESS.sub("…@…", _TOKEN.sub(r"\1…", text))


# Errors that say that a server is away: class -> what to do. Where the code broke off does not matter then.
SERVER_AWAY = {
    "redis.exceptions.AuthenticationError": "Mend the password in REDIS_URL.",
    "redis.exceptions.ConnectionError": "Start Redis, or mend REDIS_URL.",
    "redis.exceptions.TimeoutError": "Start Redis, or mend REDIS_URL.",
    "kombu.exceptions.OperationalError": "Start Redis, or mend REDIS_URL.",
    "psycopg.OperationalError": "Start PostgreSQL, or mend DATABASE_URL.",
    "psycopg.errors.UndefinedTable": "Run manage.py migrate.",
}


class Discreet(logging.Formatter):
    """Masks the finished line, so that arguments and tracebacks are covered too.

    A server that is away is one line without a traceback; LOG_LEVEL=debug shows the traceback all the same.
    """

    def format(self, record: logging.LogRecord) -> str:
        fix = away(record.exc_info[1]) if record.exc_info else ""
        if not fix or logging.getLogger().getEffectiveLevel() <= logging.DEBUG:
            return discreet(super().format(record))
        bare = copy.copy(record)
        bare.exc_info = bare.exc_text = None
        bare.msg, bare.args = f"{record.getMessage()} {fix}", None
        said = str(record.exc_info[1]) if record.exc_info else ""
        if said not in bare.msg:
            bare.msg = f"{record.getMessage()} ({said}) {fix}"
        return discreet(super().format(bare))


def away(error: BaseException | None) -> str:
    """What to do where the error comes from a server that is away, else ''."""
    while error is not None:
        kinds = {f"{kind.__module__}.{kind.__qualname__}" for kind in type(error).__mro__}
        for name, fix in SERVER_AWAY.items():
            if name in kinds:
                return fix
        if "no such table" in str(error):
            return "Run manage.py migrate."
        error = error.__cause__ or error.__context__
    return ""


PIECE = 4096  # bytes: what a pipe that says it has room takes whole (PIPE_BUF)


class Unhindered(logging.StreamHandler[IO[str]]):
    """Writes to standard error if it takes the line now; else drops it, and says later how many were dropped."""

    def __init__(self) -> None:
        super().__init__(sys.stderr)
        self.dropped = 0

    def emit(self, record: logging.LogRecord) -> None:
        try:
            number = self.stream.fileno()
        except (OSError, ValueError, AttributeError):
            super().emit(record)  # not a file at all (a test's or a notebook's own): it cannot block
            return
        try:
            line = self.format(record) + self.terminator
        except Exception:
            self.handleError(record)
            return
        missed = f"({self.dropped} log lines were dropped: nobody took them)\n" if self.dropped else ""
        if write_now(number, (missed + line).encode(errors="replace")):
            self.dropped = 0
        else:
            self.dropped += 1


def write_now(number: int, data: bytes) -> bool:
    """Write without ever waiting; False if the file, pipe or socket did not take all of it."""
    try:
        while data:
            if not _has_room(number):
                return False
            data = data[_write(number, data[:PIECE]) :]
    except OSError:  # closed, broken, or its disk is full
        return False
    return True


def _has_room(number: int) -> bool:
    poll = select.poll()
    poll.register(number, select.POLLOUT)
    return any(events & select.POLLOUT for _, events in poll.poll(0))


def _write(number: int, data: bytes) -> int:
    """A pipe is opened anew without waiting: another process may take its last room after we looked.

    The flag is never set on standard error itself, for that would change it for every process that shares it.
    """
    mode = os.fstat(number).st_mode
    if stat.S_ISSOCK(mode):
        with socket.socket(fileno=os.dup(number)) as line:
            return line.send(data, socket.MSG_DONTWAIT)
    if not stat.S_ISFIFO(mode):
        return os.write(number, data)
    try:
        again = os.open(f"/proc/self/fd/{number}", os.O_WRONLY | os.O_NONBLOCK)
    except OSError:  # no /proc, or a pipe that was opened for us by somebody else: looking must do
        return os.write(number, data)
    try:
        return os.write(again, data)
    finally:
        os.close(again)
