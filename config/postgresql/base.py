"""A server that is full, or just starting, is knocked at again for a moment before anybody hears of it.

Each thread of Offprint holds one connection, so their number is bounded by the processes' threads; what the
server has left beyond that may still be taken by others. Django finds this module by `ENGINE`.
"""

from __future__ import annotations

import random
import time
from typing import Any

import psycopg
from django.db.backends.postgresql import base

PAUSES = (0.1, 0.3, 0.9)  # seconds between the knocks: a request waits at most about 1.6 s in all
# A refused login brings no SQLSTATE in libpq, so the words must do; in another language it is an error at once.
PASSING = ("too many clients", "remaining connection slots", "too many connections", "starting up")


def is_passing(error: psycopg.OperationalError) -> bool:
    """Whether the server answered, and may have room in a moment. A server that is down is not waited for."""
    text = str(error)
    return any(words in text for words in PASSING)


class DatabaseWrapper(base.DatabaseWrapper):
    """Waits for a free place before it gives up; everything else is Django's."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        for pause in PAUSES:
            try:
                return super().get_new_connection(conn_params)
            except psycopg.OperationalError as error:
                if not is_passing(error):
                    raise
                time.sleep(pause * random.uniform(0.75, 1.25))  # noqa: S311 - not a secret
        return super().get_new_connection(conn_params)
