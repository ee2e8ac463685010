"""Django's `migrate`, one at a time, and never in the way of the site's own work for long.

Two deploys at once would both see the same migration waiting and both run it. And on PostgreSQL a change of
a table waits for everybody who reads it, while everybody else waits behind it: after one second in that
line it steps back, lets the others go, and tries again.
"""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management import CommandError
from django.core.management.commands import migrate
from django.db import OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

OURS = frozenset({"digest", "subscriptions"})
KEY = 7_166_712_741_013  # of the advisory lock; any number that nobody else uses
LOOK_AGAIN = 0.2
LONGEST_LOCK = "1s"  # how long a change of a table may keep the line behind it waiting
STEPS_BACK = 60
PAUSE = 1.0
LOCK_NOT_AVAILABLE = "55P03"

Say = Callable[[str], Any]


class Command(migrate.Command):
    help = f"{migrate.Command.help} One at a time: a second one waits for the first, then finds nothing left to do."

    def handle(self, *args: Any, **options: Any) -> None:
        connection = connections[options["database"]]
        say: Say = self.stderr.write if options["verbosity"] else lambda _: None
        with alone(connection, say):
            refuse_half_way(connection)
            _stepping_back(lambda: super(Command, self).handle(*args, **options), connection, say)


def refuse_half_way(connection: BaseDatabaseWrapper) -> None:
    """Raise `CommandError` for a database that lacks some of the migrations which our first ones stand for."""
    loader = MigrationLoader(connection, load=False)
    loader.load_disk()
    applied = set(MigrationRecorder(connection).applied_migrations())
    for (app, name), migration in loader.disk_migrations.items():
        if app not in OURS or not migration.replaces or (app, name) not in applied:
            continue
        missing = sorted(replaced for _, replaced in set(migration.replaces) - applied)
        if missing:
            raise CommandError(
                f"This database is older than an upgrade starts from: it lacks {app}.{missing[0]}. "
                "Nothing was changed. Bring it up with the version before this one first (docs/upgrading.md)."
            )


@contextmanager
def alone(connection: BaseDatabaseWrapper, say: Say) -> Iterator[None]:
    """While nobody else migrates this database. The lock ends with its holder, however that ends."""
    if connection.vendor == "postgresql":
        with _advisory_lock(connection, say):
            yield
    elif connection.vendor == "sqlite" and not connection.is_in_memory_db():  # type: ignore[attr-defined]
        with _file_lock(Path(str(connection.settings_dict["NAME"]) + ".migrate"), say):
            yield
    else:
        yield


@contextmanager
def _advisory_lock(connection: BaseDatabaseWrapper, say: Say) -> Iterator[None]:
    def take() -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [KEY])
            return bool(cursor.fetchone()[0])

    _wait_for(take, say)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, false)", [LONGEST_LOCK])
        yield
    finally:
        if connection.connection is not None and connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('lock_timeout', '0', false)")
                cursor.execute("SELECT pg_advisory_unlock(%s)", [KEY])


@contextmanager
def _file_lock(path: Path, say: Say) -> Iterator[None]:
    try:
        handle = path.open("w")
    except OSError as error:
        raise CommandError(f"The database's folder cannot be written to: {error}. See VAR_DIR in .env.") from error

    def take() -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    with handle:
        _wait_for(take, say)
        yield


def _wait_for(take: Callable[[], bool], say: Say) -> None:
    if take():
        return
    say("Another migrate is under way; this one waits for it.")
    while not take():
        time.sleep(LOOK_AGAIN)


def _stepping_back(run: Callable[[], Any], connection: BaseDatabaseWrapper, say: Say) -> None:
    """Migrations that are done stay done, so trying again goes on where it was."""
    for _ in range(STEPS_BACK):
        try:
            run()
            return
        except OperationalError as error:
            if getattr(error.__cause__, "sqlstate", "") != LOCK_NOT_AVAILABLE:
                raise
            say("A table is in use; this migration steps back for a moment and tries again.")
            time.sleep(PAUSE)
    raise CommandError(
        f"A table was in use for {STEPS_BACK} tries. Look for 'idle in transaction' in PostgreSQL's "
        "pg_stat_activity, end that session, and run migrate again: what is done stays done."
    )
