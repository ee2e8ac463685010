"""The clock leases are measured by: one for all workers, whatever moment they are told it is.

`now` is passed through the house as a value (and may be any day that is replayed). A lease is about
who is alive at this moment, so it reads the database's clock where the database is a server, else
the host's, and two workers can never disagree about it.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime

from django.db import connection


def database_now() -> datetime:
    """This moment, aware UTC."""
    if connection.vendor != "postgresql":
        return datetime.now(UTC)
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment.astimezone(UTC)


def monotonic() -> float:
    """Seconds that only run forward, also while the machine sleeps: what a fence is measured by."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
