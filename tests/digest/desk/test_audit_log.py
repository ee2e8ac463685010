"""S27: what was done stays written down, in order, as it was."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.test import RequestFactory

from digest.desk import audit_log
from digest.models import AppendOnlyError, AuditEntry
from tests import make

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
    act = AuditEntry.objects.get()
    assert (act.actor, act.verb, act.subject) == ("admin", "change record", f"source {source.pk}")


def test_s27_an_act_is_neither_changed_nor_deleted(request_of):
    act = audit_log.record(request_of(), "pin", "paper 1", make.NOW)
    act.actor = "someone else"
    attempts = [
        act.save,
        act.delete,
        lambda: AuditEntry.objects.filter(pk=act.pk).update(actor="someone else"),
        lambda: AuditEntry.objects.filter(pk=act.pk).delete(),
        lambda: AuditEntry.objects.bulk_update([act], ["actor"]),
        lambda: AuditEntry.objects.update_or_create(pk=act.pk, defaults={"actor": "someone else"}),
        lambda: AuditEntry(pk=act.pk, at=make.NOW, actor="someone else", verb="pin").save(),
    ]
    for attempt in attempts:
        with pytest.raises((AppendOnlyError, IntegrityError)), transaction.atomic():
            attempt()
    assert list(AuditEntry.objects.values_list("pk", "actor")) == [(act.pk, "curator")]


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
    assert f"before={AuditEntry.objects.order_by('-id')[1].pk}" in first
    second = admin.get(f"/desk/log/?before={AuditEntry.objects.order_by('-id')[1].pk}").content.decode()
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
