"""Trying again what the database turned away for a moment: a deadlock, a lock held too long, a server starting anew.

Only whole transactions are tried again, and only ones that may be: a commit whose answer was lost may have
happened, so each of them asks first (by compare-and-set) whether its work is still to be done.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import InterfaceError, OperationalError, connection

P = ParamSpec("P")
T = TypeVar("T")

MOST_RETRIES = 3
# PostgreSQL's words for "somebody was in the way": serialization failure, deadlock, lock not available.
IN_THE_WAY = frozenset({"40001", "40P01", "55P03"})
# "The server is going, coming, or full", and every connection trouble (class 08).
AWAY = frozenset({"57P01", "57P02", "57P03", "53300"})
SQLITE_BUSY = frozenset({"SQLITE_BUSY", "SQLITE_BUSY_SNAPSHOT", "SQLITE_BUSY_RECOVERY", "SQLITE_LOCKED"})
# Seconds before the first retry; each further one waits three times as long. Both stay below the part of a
# lease that is kept for settling (`send.NEEDED`), so that an answer is written while it is still ours to write.
FIRST_PAUSE = {"busy": 0.05, "away": 0.5}


def is_transient(error: BaseException) -> str:
    """`busy`: somebody was in the way. `away`: the server cannot be reached now. Else nothing: no retry would help."""
    cause = error.__cause__ or error
    busy = getattr(cause, "sqlite_errorname", "") in SQLITE_BUSY
    code = getattr(cause, "sqlstate", None)
    if busy or code in IN_THE_WAY:
        return "busy"
    if connection.vendor != "postgresql":
        return ""
    lost = code is None and isinstance(error, (OperationalError, InterfaceError))  # no server said it: the line is dead
    return "away" if lost or code in AWAY or str(code).startswith("08") else ""


def pause(kind: str, turn: int) -> float:
    """Seconds to wait before retry `turn` (from 0); spread, so that two in each other's way do not meet again."""
    return FIRST_PAUSE[kind] * 3**turn * random.uniform(0.75, 1.25)  # noqa: S311 - not a secret


def retry_on_db_error(act: Callable[P, T]) -> Callable[P, T]:
    """Run `act`, a transaction of its own, up to `MOST_RETRIES` times more. Within another transaction it runs once."""

    @wraps(act)
    def again(*args: P.args, **kwargs: P.kwargs) -> T:
        for turn in range(MOST_RETRIES):
            try:
                return act(*args, **kwargs)
            except (OperationalError, InterfaceError) as error:
                kind = is_transient(error)
                if not kind or connection.in_atomic_block:
                    raise
                if kind == "away":
                    connection.close()
                time.sleep(pause(kind, turn))
        return act(*args, **kwargs)

    return again
