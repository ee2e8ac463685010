"""S27: what was done stays written down, in order, as it was."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.test import RequestFactory

from digest.desk import audit_log, nightly_mail, triggers
from digest.desk.pages import dashboard
from digest.models import Act
from tests import make
from tests.digest.desk.conftest import run

pytestmark = pytest.mark.django_db


@pytest.fixture
def request_of(staff):
    def make_one(role="curator"):
        request = RequestFactory().post("/", REMOTE_ADDR="203.0.113.77")
        request.user = staff(role)
        return request

    return make_one


def test_an_act_says_who_from_where_what_before_and_after(request_of):
    act = audit_log.record(request_of(), "pin", "paper 1", make.NOW, {"is_pinned": False}, {"is_pinned": True})
    assert (act.actor, act.network, act.verb) == ("curator", "203.0.113.0/24", "pin")
    assert (act.before, act.after) == ({"is_pinned": False}, {"is_pinned": True})


def test_a_change_in_the_stock_admin_is_an_act_too(admin_client):
    source = make.source()
    form = {"name": "New", "kind": "arxiv", "url": "https://feeds.example/x", "pull_every": 60, "fallbacks": "[]"}
    assert admin_client.post(f"/admin/digest/source/{source.pk}/change/", form).status_code == 302
    act = Act.objects.get()
    assert (act.actor, act.verb, act.subject) == ("admin", "change record", f"source {source.pk}")
    assert audit_log.verify() == 1


def test_each_act_follows_from_the_one_before(request_of):
    one, two = (audit_log.record(request_of(), "pin", f"paper {n}", make.NOW) for n in (1, 2))
    assert two.previous == one.hash
    assert audit_log.verify() == 2


@pytest.mark.parametrize("what", ["update", "delete", "sql update", "sql delete"])
def test_s27_the_database_refuses_to_change_or_drop_an_act(what, request_of):
    act = audit_log.record(request_of(), "pin", "paper 1", make.NOW)
    tamper = {
        "update": lambda: Act.objects.filter(pk=act.pk).update(actor="someone else"),
        "delete": lambda: Act.objects.filter(pk=act.pk).delete(),
        "sql update": lambda: connection.cursor().execute("UPDATE digest_act SET verb = 'x'"),
        "sql delete": lambda: connection.cursor().execute("DELETE FROM digest_act"),
    }[what]
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        tamper()
    assert audit_log.verify() == 1


@pytest.mark.parametrize("same", ["id", "hash", "previous"])
def test_s27_no_act_is_written_over_another(same, request_of):
    """SQLite's REPLACE would take the old row away without a word to the trigger that guards deletion."""
    kept = audit_log.record(request_of(), "pin", "paper 1", make.NOW)
    columns = "id, at, actor, network, verb, subject, before, after, hash, previous"
    new = {"id": "99", "hash": "'x'", "previous": "'y'"} | {same: same}
    insert, instead = {
        "sqlite": ("INSERT OR REPLACE", ""),
        "postgresql": ("INSERT", f"ON CONFLICT ({same}) DO UPDATE SET actor = excluded.actor"),
    }[connection.vendor]
    sql = (
        f"{insert} INTO digest_act ({columns}) SELECT {new['id']}, at, 'innocent', network, verb, subject, "
        f"before, after, {new['hash']}, {new['previous']} FROM digest_act {instead}"
    )
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        connection.cursor().execute(sql)
    assert list(Act.objects.values_list("pk", "actor")) == [(kept.pk, "curator")]


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE digest_act SET actor = 'innocent' WHERE verb = 'act 1'",
        "UPDATE digest_act SET after = '{\"a\": 2}' WHERE verb = 'act 1'",
        "DELETE FROM digest_act WHERE verb = 'act 1'",
        "UPDATE digest_act SET at = '2020-01-01 00:00:00+00' WHERE verb = 'act 2'",
    ],
)
def test_s27_whoever_takes_the_triggers_away_is_found_out_by_the_chain(sql, request_of, capsys):
    for n in range(4):
        audit_log.record(request_of(), f"act {n}", "paper 1", make.NOW, {}, {"a": 1})
    run(triggers.DROP)
    connection.cursor().execute(sql)
    with pytest.raises(audit_log.ChainError, match="does not follow"):
        audit_log.verify()
    with pytest.raises(SystemExit):
        call_command("verify_log", "--json")
    assert '"whole": false' in capsys.readouterr().out


def test_the_command_counts_a_whole_log(request_of, capsys):
    audit_log.record(request_of(), "pin", "paper 1", make.NOW)
    call_command("verify_log", "--json")
    assert capsys.readouterr().out.strip() == '{"whole": true, "acts": 1}'


def test_s27_acts_at_the_same_moment_make_one_chain(monkeypatch):
    """Another act slips in between reading the last hash and writing: the later one moves up behind it."""
    plain, rivals = audit_log._hash, [1, 2, 3]

    def slow_hash(values, previous):
        if rivals:
            rival = {**values, "subject": f"rival {rivals.pop()}"}
            Act.objects.create(**rival, previous=previous, hash=plain(rival, previous))
        return plain(values, previous)

    monkeypatch.setattr(audit_log, "_hash", slow_hash)
    audit_log.record(None, "act", "mine", make.NOW)
    monkeypatch.undo()
    assert audit_log.verify() == 4
    assert Act.objects.order_by("id").last().subject == "mine"


@pytest.mark.postgresql
def test_s27_postgresql_has_the_same_triggers():
    """The statements themselves, on a server, whatever database the rest of the suite uses."""
    import os

    import psycopg

    url = os.environ.get("TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
    name = f"offprint_desk_{os.getpid()}"
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f"CREATE SCHEMA {name}")
        try:
            server.execute(f"SET search_path TO {name}")
            server.execute("CREATE TABLE digest_act (id serial, verb text)")
            server.execute("TRUNCATE digest_act")
            for statement in triggers.POSTGRESQL:
                server.execute(statement)
            server.execute("TRUNCATE digest_act")
            server.execute("INSERT INTO digest_act (verb) VALUES ('pin')")
            for tamper in ("UPDATE digest_act SET verb = 'x'", "DELETE FROM digest_act", "TRUNCATE digest_act"):
                with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
                    server.execute(tamper)
        finally:
            server.execute(f"DROP SCHEMA {name} CASCADE")


def test_the_page_says_what_changed_and_nothing_else(request_of, signed_in):
    before = {"is_pinned": False, "note": "", "position": 1}
    act = audit_log.record(
        request_of(), "pin", "paper 1", make.NOW, before, {**before, "is_pinned": True, "note": "Read it"}
    )
    assert audit_log.changes(act) == ["pinned: no → yes", "note: none → Read it"]
    assert "pinned: no → yes; note: none → Read it" in signed_in("admin").get("/desk/log/?verb=pin").content.decode()


def test_a_number_is_no_yes(request_of):
    act = audit_log.record(
        request_of(), "import readers", "readers", make.NOW, {}, {"new": 1, "known": 0, "names": ["a", "b"]}
    )
    assert audit_log.changes(act) == ["known: 0", "names: a, b", "new: 1"]


def test_older_acts_are_a_page_further(request_of, signed_in, monkeypatch):
    monkeypatch.setattr("digest.desk.pages.log.ACTS_SHOWN", 2)
    for n in range(3):
        audit_log.record(request_of(), "pin", f"paper {n}", make.NOW)
    admin = signed_in("admin")
    first = admin.get("/desk/log/").content.decode()
    assert "paper 2" in first
    assert "paper 0" not in first
    assert f"before={Act.objects.order_by('-id')[1].pk}" in first
    second = admin.get(f"/desk/log/?before={Act.objects.order_by('-id')[1].pk}").content.decode()
    assert "paper 0" in second
    assert "Older acts" not in second


def test_a_paper_is_named_and_led_to_an_edition_too(request_of, signed_in):
    paper = make.paper("Whales & <b>song</b>")
    entry = make.edition(papers=[paper]).entries.get()
    audit_log.record(request_of(), "pin", f"paper {paper.pk} in edition {make.TODAY}", make.NOW)
    audit_log.record(request_of(), "pin", "paper 999999 in edition 2026-06-03", make.NOW)
    audit_log.record(request_of(), "hold", f"edition {make.TODAY}", make.NOW)
    page = signed_in("admin").get("/desk/log/").content.decode()
    link = f'<a href="/desk/triage/{make.TODAY}/#p{entry.pk}">Whales &amp; &lt;b&gt;song&lt;/b&gt;</a>'
    assert link in page
    assert "paper 999999 in edition 2026-06-03" in page
    assert f'<a href="/desk/edition/{make.TODAY}/">edition {make.TODAY}</a>' in page
    assert "3 Jun 2026, 06:00:00" in page


@pytest.mark.parametrize(
    ("day", "shown"),
    [("2026-06-03", {"mine"}), ("2026-06-04", {"late"}), ("9999-12-31", set()), ("2026-02-45", {"mine", "late"})],
)
def test_the_log_of_one_day(day, shown, request_of, signed_in):
    audit_log.record(request_of(), "pin", "mine", make.NOW)
    audit_log.record(request_of(), "pin", "late", make.NOW + timedelta(hours=18))
    page = signed_in("admin").get("/desk/log/", {"day": day}).content.decode()
    assert {one for one in ("mine", "late") if f">{one}<" in page} == shown


def test_the_page_says_when_the_chain_was_last_walked(request_of, signed_in):
    admin = signed_in("admin")
    assert "has not been verified yet" in admin.get("/desk/log/").content.decode()
    audit_log.record(request_of(), "pin", "paper 1", make.NOW)
    nightly_mail.send_if_due(make.NOW.replace(hour=20))
    assert "last verified on 3 June 2026 at 20:00 UTC: 1 act, whole" in admin.get("/desk/log/").content.decode()
    assert not [one for one in dashboard.alerts(None, make.NOW) if "tampered" in one.says]


def test_s27_a_broken_chain_stands_on_today_and_in_the_evenings_mail(request_of, signed_in):
    for n in range(2):
        audit_log.record(request_of(), f"act {n}", "paper 1", make.NOW)
    run(triggers.DROP)
    Act.objects.filter(verb="act 1").update(actor="innocent")
    assert audit_log.check(make.NOW).broken
    assert "The log was tampered with." in signed_in("admin").get("/desk/log/").content.decode()
    assert "An admin can look at it." in signed_in("curator").get("/desk/").content.decode()
    assert "The log was tampered with." in nightly_mail.letter("a@example.org", make.NOW).text
