"""A database of before (docs/upgrading.md) opens, keeps its promise, and ends with the tables of a fresh one."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import environ
import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection, connections, transaction
from django.db.utils import load_backend

from digest.models import Attempt, DatabaseMetadata, Delivery, FrozenCopy, ProviderEvent
from subscriptions import services
from subscriptions.clock import database_now
from subscriptions.mail import outgoing
from subscriptions.mail.outcomes import Outcome
from subscriptions.mail.outgoing import Letter, Receipt
from subscriptions.models import Budget, Subscriber
from tests.everything import POSTGRES
from tests.make import NOW

pytestmark = pytest.mark.slow
FOLDER = Path(__file__).parent / "fixtures" / "upgrade"
SQLITE = {"ENGINE": "django.db.backends.sqlite3", "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 20}}
VENDORS = [
    pytest.param("sqlite", id="sqlite"),
    pytest.param("postgresql", id="postgresql", marks=pytest.mark.postgresql),
]
# pg_dump writes the casts of an index's condition at other places than they were given.
CAST = re.compile(r"::(text|character varying)|\[\]|[()]")


class Server:
    """Databases of one test run: SQLite files in a folder, or databases of the PostgreSQL server."""

    def __init__(self, vendor: str, folder: Path) -> None:
        self.vendor, self.folder = vendor, folder
        self.made: list[str] = []

    def name(self, name: str) -> str:
        if self.vendor == "sqlite":
            return str(self.folder / name)
        return f"offprint_upgrade_{os.getpid()}_{name}"

    def make(self, name: str, copy_of: str = "") -> None:
        self.made.append(name)
        if self.vendor == "postgresql":
            template = f' TEMPLATE "{self.name(copy_of)}"' if copy_of else ""
            self._ask(f'CREATE DATABASE "{self.name(name)}"{template}')
        elif copy_of:
            shutil.copy(self.name(copy_of), self.name(name))

    def drop_all(self) -> None:
        if self.vendor == "postgresql":
            for name in self.made:
                self._ask(f'DROP DATABASE "{self.name(name)}" WITH (FORCE)')

    def _ask(self, statement: str) -> None:
        with self._wrapper("postgres")._nodb_cursor() as cursor:
            cursor.execute(statement)

    def _wrapper(self, name: str) -> Any:
        values = environ.Env.db_url_config(POSTGRES) | {"ENGINE": "config.postgresql"}
        if self.vendor == "sqlite":
            values = SQLITE
        settings = connections.settings["default"] | {"OPTIONS": {}, "CONN_MAX_AGE": 0} | values | {"NAME": name}
        return load_backend(settings["ENGINE"]).DatabaseWrapper(settings, "default")

    @contextmanager
    def open(self, name: str) -> Iterator[None]:
        """While this database is the program's own."""
        usual = connections["default"]
        connections["default"] = self._wrapper(self.name(name))
        try:
            yield
        finally:
            connections["default"].close()
            connections["default"] = usual


@pytest.fixture(scope="module", params=VENDORS)
def server(request: Any, tmp_path_factory: Any, django_db_blocker: Any) -> Iterator[Server]:
    """With a database `old`, as it was before, and `upgraded`, after `migrate`."""
    with django_db_blocker.unblock():
        server = Server(request.param, tmp_path_factory.mktemp("upgrade"))
        try:
            server.make("old")
            with server.open("old"):
                build_old()
            server.make("upgraded", copy_of="old")
            with server.open("upgraded"):
                call_command("migrate", verbosity=0)
            yield server
        finally:
            server.drop_all()


@pytest.fixture
def upgraded(server: Server, settings: Any) -> Iterator[None]:
    """The upgraded database is the program's own; what is done to it is taken back."""
    settings.ADDRESS_KEY = "of the upgrade"
    settings.MAIL_CHANNEL = "resend"
    with server.open("upgraded"), taken_back():
        stop_workers()
        note_of_before(Path(settings.VAR_DIR) / "ledger.json")
        yield


@contextmanager
def taken_back() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def build_old() -> None:
    script = (FOLDER / f"{connection.vendor}.sql").read_text()
    connection.ensure_connection()
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.executescript(script)
        else:
            cursor.execute(script)
    with transaction.atomic(), connection.cursor() as cursor:
        for table, rows in json.loads((FOLDER / "rows.json").read_text()).items():
            for row in rows:
                insert(cursor, table, row)
            if connection.vendor == "postgresql" and "id" in rows[0]:
                cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}")
        index_all(cursor)


def note_of_before(path: Path) -> None:
    """The file beside the database said how far its ledger had come: to the newest attempt, begun or not."""
    newest = Attempt.objects.latest("pk")
    assert newest.intent_at is None
    path.write_text(json.dumps({"epoch": DatabaseMetadata.objects.get(name="epoch").value, "attempt": newest.pk}))


def insert(cursor: Any, table: str, row: dict[str, Any]) -> None:
    columns = ", ".join(f'"{one}"' for one in row)
    places = ", ".join(["%s"] * len(row))
    values = [base64.b64decode(one["base64"]) if isinstance(one, dict) else one for one in row.values()]
    cursor.execute(f'INSERT INTO "{table}" ({columns}) VALUES ({places})', values)


def index_all(cursor: Any) -> None:
    """The archive had indexed every paper."""
    if connection.vendor == "sqlite":
        cursor.execute("INSERT INTO digest_archive (rowid, title) SELECT id, title FROM digest_paper")
    else:
        cursor.execute(
            "INSERT INTO digest_archive (paper_id, day, vector) SELECT id, '2026-06-03', '' FROM digest_paper"
        )
    cursor.execute("DELETE FROM digest_unindexed")


def stop_workers() -> None:
    """What was under way began two minutes before, by the database's clock, and its leases are over."""
    at = database_now()
    under_way = Attempt.objects.exclude(state="closed")
    under_way.exclude(intent_at=None).update(intent_at=at - timedelta(minutes=2))
    under_way.filter(state="ambiguous").update(ambiguous_at=at - timedelta(minutes=2))
    under_way.exclude(state="ambiguous").update(lease_until=at - timedelta(seconds=1))


# -- the tables ---------------------------------------------------------------------------------


COLUMNS = {
    "sqlite": """
        SELECT t.name, c.name, c.type, c."notnull", c.dflt_value, c.pk
        FROM sqlite_master t, pragma_table_info(t.name) c WHERE t.type = 'table' ORDER BY 1, 2
    """,
    "postgresql": """
        SELECT table_name, column_name, data_type, character_maximum_length, is_nullable, column_default, is_identity
        FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2
    """,
}
DEFINITIONS = {
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE type IN ('trigger', 'index') ORDER BY 1",
    "postgresql": """
        SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
        UNION ALL SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
        UNION ALL SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
            WHERE connamespace = 'public'::regnamespace
        UNION ALL SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace
        ORDER BY 1, 2
    """,
}


def schema() -> dict[str, Any]:
    """Columns without their order, constraints, indexes, triggers and functions."""
    answer: dict[str, Any] = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            found = connection.introspection.get_constraints(cursor, table)
            # SQLite numbers checks without a name by the order of the columns.
            answer[table] = sorted([name.strip("_0123456789"), repr(one)] for name, one in found.items())
        cursor.execute(COLUMNS[connection.vendor])
        answer["columns"] = cursor.fetchall()
        cursor.execute(DEFINITIONS[connection.vendor])
        answer["definitions"] = [(name, CAST.sub("", definition or "")) for name, definition in cursor.fetchall()]
    return answer


def test_an_upgraded_database_has_the_tables_of_a_fresh_one(server: Server, django_db_blocker: Any) -> None:
    server.make("fresh")
    with server.open("fresh"):
        call_command("migrate", verbosity=0)
        fresh = schema()
    with server.open("upgraded"):
        assert schema() == fresh


def test_a_second_migrate_finds_nothing_to_do(upgraded: None) -> None:
    assert "No migrations to apply" in told("migrate", verbosity=1)


def test_a_database_of_half_the_way_is_refused_and_left_as_it_is(server: Server) -> None:
    with server.open("old"), taken_back():
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM django_migrations WHERE app = 'digest' AND name > '0016'")
        with pytest.raises(CommandError, match="older than"):
            call_command("migrate", verbosity=0)
        assert "digest_host" in connection.introspection.table_names()


# -- the rows -----------------------------------------------------------------------------------


def told(command: str, *arguments: str, **options: Any) -> str:
    out = StringIO()
    call_command(command, *arguments, stdout=out, **options)
    return out.getvalue()


def asked(command: str, *arguments: str) -> Any:
    return json.loads(told(command, *arguments, "--json"))


def test_nothing_is_lost(server: Server, upgraded: None) -> None:
    gone = {"digest_domainpause", "digest_host", "digest_signinbudget"}
    grown = {"django_migrations", "django_content_type", "auth_permission", "subscriptions_budget"}
    with connection.cursor() as cursor:
        for table, rows in json.loads((FOLDER / "rows.json").read_text()).items():
            if table not in gone | grown:
                cursor.execute(f'SELECT count(*) FROM "{table}"')
                assert (table, cursor.fetchone()[0]) == (table, len(rows))


def test_the_audit_is_clean_and_doubts_are_named(upgraded: None) -> None:
    assert asked("audit")["good"]
    named = {one["email"]: one["state"] for one in asked("doubts")["letters"]}
    assert named == {
        "unknown@example.org": "uncertain",
        "doubted@example.org": "ambiguous",
        "broken@example.org": "dead",
    }


def test_pauses_that_hold_move_to_the_limiter(upgraded: None) -> None:
    rows = Budget.objects.exclude(free_at=None).order_by("key").values_list("key", "free_at__year", "reason")
    assert list(rows) == [("destination:slow.example", 2099, "421 too fast"), ("host:feeds.example", 2099, "")]


def test_reports_that_waited_for_a_review_wait_on(upgraded: None) -> None:
    waiting = ProviderEvent.objects.filter(waits=True).order_by("event_key").values_list("event_key", flat=True)
    assert list(waiting) == ["event believed False", "event waiting False"]


def test_gmail_readers_are_known_by_their_mailbox(upgraded: None) -> None:
    keys = dict(Subscriber.objects.filter(email__icontains="@g").values_list("email", "email_key"))
    assert keys == {
        "Jane.Doe+papers@gmail.com": "janedoe@gmail.com",
        "jo.roe@googlemail.com": "jo.roe@googlemail.com",  # joroe@gmail.com has a reader of its own
        "joroe@gmail.com": "joroe@gmail.com",
    }


def test_the_archive_is_indexed_anew(upgraded: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM digest_unindexed")
        assert cursor.fetchone()[0] == 6


# -- the letters --------------------------------------------------------------------------------


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[Letter]:
    letters: list[Letter] = []

    def hand_over(letter: Letter, backend: Any) -> Receipt:
        letters.append(letter)
        return Receipt(Outcome.ACCEPTED, provider_id=f"new-{len(letters)}")

    monkeypatch.setattr(outgoing, "_hand_over", hand_over)
    return letters


def send(at: datetime) -> None:
    told("send_due", "--now", f"{at:%Y-%m-%dT%H:%M:%SZ}")


def test_what_was_under_way_ends_as_it_would_have(upgraded: None, taken: list[Letter]) -> None:
    send(NOW - timedelta(hours=20))
    ended = {one.subscriber.email: one.state for one in Delivery.objects.filter(pk__in=under_way_before())}
    assert ended == {
        "postponed@example.org": "accepted",
        "doubted@example.org": "accepted",
        "claimed@example.org": "accepted",
        "sending@example.org": "uncertain",
    }
    assert {one["email"] for one in asked("doubts")["letters"]} == {
        "unknown@example.org",
        "sending@example.org",
        "broken@example.org",
    }


def under_way_before() -> list[int]:
    rows = json.loads((FOLDER / "rows.json").read_text())["digest_delivery"]
    return [one["id"] for one in rows if one["state"] in {"pending", "claimed", "ambiguous"}]


def test_a_letter_in_doubt_is_offered_again_as_it_was(upgraded: None, taken: list[Letter]) -> None:
    """Its frozen copy is one of before."""
    frozen = FrozenCopy.objects.get()
    kept = json.loads(zlib.decompress(frozen.body))
    send(NOW - timedelta(hours=20))
    again = next(one for one in taken if one.to == "doubted@example.org")
    assert (again.subject, again.text, again.html) == (kept["subject"], kept["text"], kept["html"])
    assert not FrozenCopy.objects.exists()


def test_everybody_due_is_served_once(upgraded: None, taken: list[Letter]) -> None:
    due = set(Subscriber.objects.filter(state="active", next_digest_at=NOW).values_list("email", flat=True))
    assert len(due) == 16
    for hours in (-20, 0, 0, 1):
        send(NOW + timedelta(hours=hours))
    newest = Delivery.objects.filter(edition__serial=3)
    ends = dict(newest.values_list("subscriber__email", "state"))
    assert ends == dict.fromkeys(due, "accepted") | {"uninterested@example.org": "skipped"}
    letters = [one.message_id for one in taken if one.stream == "digest"]
    assert len(letters) == len(set(letters)) == 3 + 15
    assert asked("audit")["good"]


def test_papers_of_doubts_of_before_come_with_the_next_letter(upgraded: None, taken: list[Letter]) -> None:
    send(NOW)
    [letter] = [one for one in taken if one.to == "unknown@example.org"]
    assert "Speech for all 1" in letter.text
    assert "Speech for all 0" in letter.text


def test_held_channels_stay_held(upgraded: None, settings: Any, taken: list[Letter]) -> None:
    settings.MAIL_CHANNEL = "mailgun"
    send(NOW)
    assert not [one for one in taken if one.stream == "digest"]


def test_suppressions_of_before_hold_for_every_spelling(upgraded: None) -> None:
    for email in ("bounced@example.org", "Old.Dots@gmail.com"):
        with pytest.raises(services.SuppressedError):
            services.subscribe(email, queries=["speech"], now=NOW)


def test_roles_of_groups_are_kept(upgraded: None) -> None:
    ada = User.objects.get(username="ada")
    assert ada.has_perm("digest.view_auditentry")
