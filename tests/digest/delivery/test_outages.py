"""Rows 20, 22, 35 to 38 and 42 of the fault list: the database gone, full, in the way, or being migrated.

Each runs `tests.chaos` in a process of its own, on a database of its own; PostgreSQL's is a server of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError

from subscriptions import db_retry
from tests import cluster
from tests.chaos.ground import ROOT

DATABASES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]
postgresql_only = pytest.mark.parametrize("database", DATABASES[1:])


def run(*arguments: str, module: str = "tests.chaos.database") -> dict[str, Any]:
    if (arguments[0] == "crashes" or "postgresql" in arguments) and (reason := cluster.why_not()):
        pytest.skip(reason)
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TEST_POSTGRES_URL") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT, env=kept, capture_output=True, text=True, timeout=400,
    )  # fmt: skip
    assert done.stdout.strip(), done.stderr[-3000:]
    answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return answer


# -- C: the database ------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.postgresql
def test_f20_f35_postgresql_crashes_during_a_send_cost_no_letter_and_double_none() -> None:
    seen = run("crashes", "--rounds", "3", module="tests.chaos")
    assert seen["good"], seen
    assert seen["crashes"] == 3


@pytest.mark.slow
@pytest.mark.parametrize("database", DATABASES)
def test_f36_without_its_database_the_site_promises_nothing(database: str) -> None:
    seen = run("forms", "--database", database)
    assert seen["before"] == seen["after"] == [200, 200]
    assert seen["away"] == [503, 503]  # the form, and the provider's report: it will be sent again
    assert seen["retry after"] == ["60", "60"]
    assert seen["says"]
    assert seen["seconds"] < 15  # one on a loaded machine; waiting for the lock or the server takes longer
    assert seen["signups"] == ["a@one.example", "b@two.example"]
    assert seen["reports"] == 2


@pytest.mark.slow
@postgresql_only
def test_f37_a_full_server_is_waited_for_a_moment_and_then_said_to_be_busy(database: str) -> None:
    seen = run("full", "--database", database, "--connections", "12")
    assert seen["full"] == [503]  # and not one 500
    assert seen["longest"] < 25  # five on a loaded machine
    assert seen["tick"] == "refused"
    assert seen["given back"] == [200]  # whoever came while it was full, and waited, was served
    assert seen["sent"] == 3


@pytest.mark.slow
@pytest.mark.parametrize("database", DATABASES)
def test_f38_deadlocks_locks_and_changed_rows_are_tried_again(database: str) -> None:
    seen = run("contended", "--database", database)
    assert sorted(seen) == (["locked"] if database == "sqlite" else ["deadlock", "locked", "serialization"])
    for way, found in seen.items():
        assert found["written"], way
        assert found["states"] == ["accepted"] * 3, way
        assert 1 <= found["retries"] <= db_retry.MOST_RETRIES, way
        assert found["rival"], way


def broken(kind: type[Exception], **cause: str) -> Exception:
    error, reason = kind("no"), Exception("no")
    for name, value in cause.items():
        setattr(reason, name, value)
    error.__cause__ = reason
    return error


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (broken(OperationalError, sqlstate="40P01"), "busy"),
        (broken(OperationalError, sqlstate="40001"), "busy"),
        (broken(OperationalError, sqlstate="55P03"), "busy"),
        (broken(OperationalError, sqlite_errorname="SQLITE_BUSY"), "busy"),
        (broken(OperationalError, sqlstate="57014"), ""),  # a query that was cancelled would be cancelled again
        (broken(OperationalError, sqlite_errorname="SQLITE_FULL"), ""),
    ],
)
def test_f38_only_what_may_pass_is_tried_again(error: Exception, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    vendor = "sqlite" if hasattr(error.__cause__, "sqlite_errorname") else "postgresql"
    monkeypatch.setattr(db_retry, "connection", SimpleNamespace(vendor=vendor))
    assert db_retry.is_transient(error) == kind


@pytest.mark.parametrize(
    "error",
    [
        broken(OperationalError, sqlstate="57P01"),
        broken(OperationalError, sqlstate="53300"),
        broken(OperationalError, sqlstate="08006"),
        broken(InterfaceError),
    ],
)
def test_f35_a_dead_line_to_postgresql_is_opened_again(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db_retry, "connection", SimpleNamespace(vendor="postgresql"))
    assert db_retry.is_transient(error) == "away"
    monkeypatch.setattr(db_retry, "connection", SimpleNamespace(vendor="sqlite"))
    assert db_retry.is_transient(broken(InterfaceError)) == ""


@pytest.mark.django_db(transaction=True)
def test_f38_after_three_retries_the_error_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(db_retry.time, "sleep", pauses.append)
    tried = []

    @db_retry.retry_on_db_error
    def never() -> None:
        tried.append(1)
        raise broken(OperationalError, sqlstate="40P01")

    with pytest.raises(OperationalError):
        never()
    assert len(tried) == 4
    assert len(set(pauses)) == 3  # each longer than the one before, and none a round number
    assert pauses == sorted(pauses)


@pytest.mark.django_db
def test_f38_within_a_transaction_nothing_is_tried_again() -> None:
    """Only its outermost part knows what else belongs to it."""
    tried = []

    @db_retry.retry_on_db_error
    def fails() -> None:
        tried.append(1)
        raise broken(OperationalError, sqlstate="40P01")

    with pytest.raises(OperationalError):
        fails()
    assert len(tried) == 1


# -- A and C: two deploys at once, a migration while letters go out --------------------------------


@pytest.mark.slow
def test_f22_two_migrates_at_once_take_turns_on_sqlite(tmp_path: Path) -> None:
    assert migrated_twice(f"sqlite:///{tmp_path}/two.sqlite3", tmp_path) == [0, 0, 0]


@pytest.mark.slow
@pytest.mark.postgresql
def test_f22_two_migrates_at_once_take_turns_on_postgresql(tmp_path: Path) -> None:
    if reason := cluster.why_not():
        pytest.skip(reason)
    with cluster.running() as server:
        assert migrated_twice(server.url, tmp_path) == [0, 0, 0]


def migrated_twice(url: str, folder: Path) -> list[int]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    settings = kept | {"OFFPRINT_DOTENV": "no", "VAR_DIR": str(folder), "STATE_DIR": f"{folder}/state"}
    settings |= {"DATABASE_URL": url}
    command = [sys.executable, "manage.py", "migrate", "-v0"]
    both = [subprocess.Popen(command, cwd=ROOT, env=settings, stderr=subprocess.DEVNULL) for _ in range(3)]
    return [one.wait(timeout=240) for one in both]


@pytest.mark.slow
@pytest.mark.parametrize("database", DATABASES)
def test_f22_f42_a_migration_steps_back_for_letters_and_readers(database: str) -> None:
    """Workers that know nothing of the new column are killed and started before, during and after."""
    seen = run("migrated", "--database", database)
    assert (seen["migrated"], seen["filled"], seen["audit"]) == (0, True, [])
    assert seen["letters"] == seen["accepted"] == 200
    assert seen["restarts"] >= 5
    if database == "postgresql":
        assert seen["stepped back"] >= 1  # somebody read the table in a long transaction
        assert 0 < seen["longest wait for a lock"] < 2  # the migration stands in line for a second, then steps back
