"""A full disk is a sentence, whoever meets it."""

from __future__ import annotations

import errno
import json
import os
import sqlite3
from io import StringIO

import pytest
from django.core.management.base import CommandError
from django.db import OperationalError, connection, transaction

from subscriptions import commands, disk
from subscriptions.mail import outgoing
from subscriptions.models import SignupRequest
from subscriptions.signup import requests
from tests.subscriptions.pages import signup, text, visitor


def no_room(*args: object, **options: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/data/file")


class PostgresFullError(Exception):
    sqlstate = "53100"


def caused(error: Exception, by: Exception) -> Exception:
    error.__cause__ = by
    return error


@pytest.mark.parametrize(
    ("error", "is_full"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), True),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), True),
        (OSError(errno.EACCES, "Permission denied"), False),
        (caused(OperationalError("could not extend file"), PostgresFullError()), True),
        (caused(RuntimeError("x"), OSError(errno.ENOSPC, "x")), True),
        (OperationalError("database is locked"), False),
        (ValueError("x"), False),
    ],
)
def test_a_full_disk_is_known_by_what_it_raises(error, is_full):
    assert disk.is_full(error) == is_full
    assert bool(disk.sentence(error)) == is_full


def test_sqlite_says_so_itself(tmp_path):
    with sqlite3.connect(tmp_path / "small.sqlite3") as small:
        small.execute("CREATE TABLE t (a BLOB)")
        small.execute("PRAGMA max_page_count = 3")
        with pytest.raises(sqlite3.OperationalError) as raised:
            small.execute("INSERT INTO t VALUES (zeroblob(100000))")
    assert disk.is_full(caused(OperationalError(), raised.value))


def test_sqlites_failed_write_means_a_full_disk_only_where_there_is_no_room(monkeypatch):
    failed = sqlite3.OperationalError("disk I/O error")
    failed.sqlite_errorname = "SQLITE_IOERR_WRITE"
    for free, is_full in ((0, True), (10**9, False)):
        monkeypatch.setattr(disk, "_room", lambda _, free=free: free)
        assert disk.is_full(failed) == is_full


class Command(commands.Command):
    def run(self, **options):
        no_room()


def test_a_command_ends_with_one_line(capsys):
    with pytest.raises(CommandError, match=r"The disk of /data/file is full\. Make room"):
        Command().handle(json=False)
    out = StringIO()
    with pytest.raises(SystemExit):
        Command(stdout=out).handle(json=True)
    assert "is full" in json.loads(out.getvalue())["error"]


@pytest.mark.django_db
def test_a_form_is_answered_with_what_is_the_matter_and_not_kept(monkeypatch):
    monkeypatch.setattr(requests, "store", no_room)
    answer = visitor(raise_request_exception=False).post("/subscribe/", signup())
    assert answer.status_code == 503
    assert "Its disk is full. Nothing you sent has been kept" in text(answer)
    assert "Retry-After" in answer.headers


@pytest.mark.django_db
@pytest.mark.slow  # slow ones run on SQLite only
@pytest.mark.skipif(connection.vendor != "sqlite", reason="limits the size of SQLite's own file")
def test_a_database_that_cannot_grow_is_told_alike():
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("PRAGMA page_count")
        pages = cursor.fetchone()[0]
        cursor.execute(f"PRAGMA max_page_count = {pages}")
        try:
            with pytest.raises(OperationalError) as raised, transaction.atomic():
                SignupRequest.objects.bulk_create(
                    SignupRequest(
                        kind="signup", email="x@example.org", wishes={"queries": ["x" * 4000]}, at="2026-01-01T00:00Z"
                    )
                    for _ in range(400)
                )
        finally:
            cursor.execute("PRAGMA max_page_count = 1073741823")
    assert disk.is_full(raised.value)


@pytest.mark.django_db
def test_a_letter_for_which_there_is_no_room_is_sent_later_and_leaves_nothing(settings, tmp_path, monkeypatch):
    settings.EMAIL_BACKEND, settings.OUTBOX_DIR = "subscriptions.mail.outgoing.OutboxBackend", tmp_path
    letter = outgoing.Letter(to="ada@example.org", subject="A day", text="Hello")
    monkeypatch.setattr(os, "fsync", no_room)
    receipt = outgoing.send(letter)
    assert receipt.outcome == outgoing.Outcome.LATER
    assert list(tmp_path.iterdir()) == []
