"""The stock admin: every page of every model opens, and what is proof cannot be touched."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.utils import quote
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from digest.models import Delivery, Edition, Source
from subscriptions.models import Subscriber
from tests import make
from tests.digest import records

MODELS = [model for label in ("digest", "subscriptions") for model in apps.get_app_config(label).get_models()]
PROOF = ["auditentry", "attempt", "delivery", "providerevent", "consent", "suppression", "fetch", "skip"]
named = pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label_lower)


@pytest.fixture
def desk(admin_client):
    return admin_client


def page(model, name, *args):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=args)


def test_a_readers_days_are_in_words(desk):
    reader = make.subscriber(frequency="chosen", days=0b0010010)
    for name, args in (("changelist", ()), ("change", (reader.pk,))):
        assert b"Tuesday and Friday" in desk.get(page(Subscriber, name, *args)).content


@named
def test_every_list_opens(model, desk):
    records.several(2)
    answer = desk.get(page(model, "changelist"))
    assert answer.status_code == 200
    assert b"There are" not in answer.content or model.objects.count() == 0


@named
def test_every_row_opens(model, desk):
    records.one_of_each()
    row = model.objects.first()
    if row is not None:
        assert desk.get(page(model, "change", quote(row.pk))).status_code == 200


@named
def test_every_form_for_a_new_row_opens_or_is_refused(model, desk):
    addable = model._meta.model_name in {"source", "topic"}
    assert desk.get(page(model, "add")).status_code == (200 if addable else 403)


@named
def test_every_list_can_be_searched_where_it_offers_to(model, desk):
    records.one_of_each()
    if admin.site._registry[model].search_fields:
        assert desk.get(page(model, "changelist"), {"q": "anything 1"}).status_code == 200


@named
def test_nothing_is_deleted_by_hand(model, desk):
    records.one_of_each()
    row = model.objects.first()
    if row is not None:
        assert desk.post(page(model, "delete", quote(row.pk)), {"post": "yes"}).status_code == 403
        assert model.objects.filter(pk=row.pk).exists()


@pytest.mark.parametrize("name", PROOF)
def test_proof_is_not_changed_by_hand(name, desk):
    records.one_of_each()
    model = next(model for model in MODELS if model._meta.model_name == name)
    assert desk.post(page(model, "change", quote(model.objects.first().pk)), {"reason": "x"}).status_code == 403


def queries_of(client, address):
    with CaptureQueriesContext(
        connection,
    ) as seen:
        assert client.get(address).status_code == 200
    return len(seen)


@pytest.mark.thorough
@named
def test_a_longer_list_asks_no_more_questions(model, desk):
    records.several(1)
    few = queries_of(desk, page(model, "changelist"))
    for n in range(1, 5):
        records._day(n)
    assert queries_of(desk, page(model, "changelist")) <= few + 1


def test_the_readers_address_state_and_cursor_stay_when_a_form_says_otherwise(desk):
    reader = make.subscriber("a@example.org", cursor=3)
    answer = desk.post(
        page(Subscriber, "change", reader.pk),
        {
            "papers_per_day": 5,
            "empty_day": "line",
            "cursor": 99,
            "state": "paused",
            "email": "evil@example.org",
            "interests-TOTAL_FORMS": 0,
            "interests-INITIAL_FORMS": 0,
            "consents-TOTAL_FORMS": 0,
            "consents-INITIAL_FORMS": 0,
        },
    )
    assert answer.status_code == 302
    reader.refresh_from_db()
    assert (reader.papers_per_day, reader.cursor, reader.state, reader.email) == (5, 3, "active", "a@example.org")


@pytest.mark.parametrize(("state", "kept"), [("collecting", "New note"), ("released", "")])
def test_a_note_is_written_only_while_the_edition_is_open(state, kept, desk):
    edition = make.edition(state=state)
    desk.post(page(Edition, "change", edition.pk), {"note": "New note", "curator": ""})
    edition.refresh_from_db()
    assert edition.note == kept


def test_a_source_may_move_but_not_be_renamed_for_commands(desk):
    source = make.source()
    form = {"name": "New", "kind": "arxiv", "url": "https://feeds.example/x", "pull_every": 60, "slug": "other"}
    assert desk.post(page(Source, "change", source.pk), form).status_code == 302
    source.refresh_from_db()
    assert (source.slug, source.url) == ("arxiv-cs-cl", "https://feeds.example/x")


def test_a_reader_is_found_by_address_in_any_case(desk):
    make.subscriber("Findme@Example.org")
    assert b"Findme@Example.org" in desk.get(page(Subscriber, "changelist"), {"q": "findme@example.org"}).content


def test_the_ledger_narrows_by_state(desk):
    records.one_of_each()
    assert b"0 deliveries" in desk.get(page(Delivery, "changelist"), {"state__exact": "accepted"}).content


@pytest.mark.parametrize("who", ["nobody", "reader"])
def test_a_stranger_is_sent_to_sign_in(who, client, django_user_model):
    if who == "reader":
        client.force_login(django_user_model.objects.create_user("r", password="x"))
    answer = client.get(page(Subscriber, "changelist"))
    assert answer.status_code == 302
    assert "login" in answer.url
