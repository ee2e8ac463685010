"""S24: every address of the desk x every method x every role. An address without a row here fails."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import get_resolver, reverse

from digest.models import AuditEntry, Edition, EditionPaper, Fetch, Source
from subscriptions.models import Subscriber
from tests import make
from tests.digest import records

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
EVERYBODY = ("viewer", "curator", "operator", "admin")
CURATORS, OPERATORS, ADMINS = ("curator", "admin"), ("operator", "admin"), ("admin",)

# address -> method -> who may. What is not listed is refused to everybody.
READ, NONE = {"GET": EVERYBODY, "HEAD": EVERYBODY}, {}
MATRIX = {
    "desk": READ,
    "desk-doctor": {"GET": OPERATORS, "HEAD": OPERATORS},
    "desk-papers": READ,
    "desk-editions": READ,
    "desk-triage": READ,
    "desk-undo": {"POST": CURATORS},
    "desk-merge": {"POST": CURATORS},
    "desk-split": {"GET": CURATORS, "HEAD": CURATORS, "POST": CURATORS},
    "desk-add": {"GET": CURATORS, "HEAD": CURATORS, "POST": CURATORS},
    "desk-bring-back": {"POST": CURATORS},
    "desk-change": {"POST": CURATORS},
    "desk-edition": READ,
    "desk-note": {"POST": CURATORS},
    "desk-release": {"GET": CURATORS, "HEAD": CURATORS, "POST": CURATORS},
    "desk-release-at": {"POST": CURATORS},
    "desk-difference": READ,
    "desk-step": {"POST": CURATORS},
    "desk-preview": READ,
    "desk-letter": READ,
    "desk-send": {"POST": CURATORS},
    "desk-readers": {"GET": OPERATORS, "HEAD": OPERATORS},
    "desk-import": {"GET": ADMINS, "HEAD": ADMINS, "POST": ADMINS},
    "desk-export": {"POST": ADMINS},
    "desk-reader": {"GET": OPERATORS, "HEAD": OPERATORS},
    "desk-reader-act": {"POST": OPERATORS},
    "desk-erase": {"POST": ADMINS},
    "desk-topics": READ,
    "desk-topic-new": {"GET": CURATORS, "HEAD": CURATORS, "POST": CURATORS},
    "desk-topic": READ | {"POST": CURATORS},
    "desk-topic-merge": {"POST": CURATORS},
    "desk-sources": READ,
    "desk-source-new": {"GET": OPERATORS, "HEAD": OPERATORS, "POST": OPERATORS},
    "desk-source-import": {"GET": OPERATORS, "HEAD": OPERATORS, "POST": OPERATORS},
    "desk-source-export": {"GET": OPERATORS, "HEAD": OPERATORS},
    "desk-replay": {"POST": OPERATORS},
    "desk-source": READ,
    "desk-source-act": {"POST": OPERATORS},
    "desk-deliverability": READ,
    "desk-settle": {"POST": OPERATORS},
    "desk-hold": {"POST": OPERATORS},
    "desk-suppression": {"GET": OPERATORS, "HEAD": OPERATORS, "POST": OPERATORS},
    "desk-log": {"GET": ADMINS, "HEAD": ADMINS},
    "desk-password": READ | {"POST": EVERYBODY},
}
NOWHERE = {"desk-elsewhere"}  # every other address under /desk/; tested in test_missing.py
OPEN_TO_ALL = {"desk-signin", "desk-second", "desk-signout"}  # the way in; tested in test_signin.py
WORDS = {
    "desk-step": {"verb": "hold"},
    "desk-reader-act": {"verb": "ask"},
    "desk-source-act": {"verb": "off"},
}
FORMS = {
    "desk-change": {"verb": "pin"},
    "desk-settle": {"verb": "arrived", "letter": "1"},
    "desk-topic-merge": {"into": "topic-1"},
}


def names():
    desk = next(one for one in get_resolver().url_patterns if str(one.pattern) == "desk/")
    return [pattern.name for pattern in desk.url_patterns]


@pytest.fixture
def world(db):
    records.several(2)
    edition = make.edition(make.TODAY.replace(month=7), [make.paper()], state="collecting")
    return {
        "day": edition.date,
        "entry": EditionPaper.objects.get(edition=edition).pk,
        "paper": edition.entries.first().paper_id,
        "reader": Subscriber.objects.first().uuid,
        "slug": "",
        "fetch": Fetch.objects.first().pk,
    }


def address(name, world):
    values = {**world, **WORDS.get(name, {})}
    values["slug"] = "topic-0" if "topic" in name else Source.objects.filter(slug="arxiv-0").get().slug
    pattern = next(
        one
        for part in get_resolver().url_patterns
        if str(part.pattern) == "desk/"
        for one in part.url_patterns
        if one.name == name
    )
    wanted = pattern.pattern.converters
    return reverse(name, kwargs={key: values[key] for key in wanted})


def test_every_address_has_a_row():
    assert set(names()) == set(MATRIX) | OPEN_TO_ALL | NOWHERE


def answer(client, method, name, world):
    return client.generic(
        method,
        address(name, world),
        data="&".join(f"{key}={value}" for key, value in FORMS.get(name, {}).items()),
        content_type="application/x-www-form-urlencoded",
    )


@pytest.mark.thorough
@pytest.mark.parametrize("name", sorted(MATRIX))
def test_s24_nobody_may_what_the_matrix_does_not_say(name, world, signed_in, monkeypatch):
    monkeypatch.setattr("digest.sources.client.request", lambda *a, **k: pytest.fail("a refused act went out"))
    for method in METHODS:
        allowed = MATRIX[name].get(method, ())
        for role in (*EVERYBODY, "nobody"):
            if role in allowed:
                continue
            response = answer(signed_in(role), method, name, world)
            expected = 403 if role == "nobody" or method in MATRIX[name] else 405
            assert response.status_code == expected, (name, method, role)
        stranger = answer(Client(), method, name, world)
        assert stranger.status_code == 302, (name, method)
        assert "/desk/sign-in/" in stranger.url
    assert AuditEntry.objects.exclude(actor="a").count() == 0


@pytest.mark.thorough
@pytest.mark.parametrize("name", sorted(MATRIX))
def test_s24_whoever_may_is_let_in(name, world, signed_in):
    for method, allowed in MATRIX[name].items():
        for role in allowed:
            response = answer(signed_in(role), method, name, world)
            assert response.status_code in {200, 302, 400, 404}, (name, method, role, response.status_code)
            assert "sign-in" not in response.headers.get("Location", "")
            assert response["Cache-Control"] == "no-store"


@pytest.mark.parametrize("name", sorted(name for name, row in MATRIX.items() if "GET" in row))
def test_get_changes_nothing(name, world, signed_in):
    before = AuditEntry.objects.count(), list(Edition.objects.values()), list(EditionPaper.objects.values())
    assert signed_in("admin").get(address(name, world), follow=True).status_code == 200
    assert (AuditEntry.objects.count(), list(Edition.objects.values()), list(EditionPaper.objects.values())) == before


@pytest.mark.parametrize("name", sorted(name for name, row in MATRIX.items() if "POST" in row))
def test_s18_a_post_without_its_token_is_refused(name, world, staff):
    client = Client(enforce_csrf_checks=True)
    client.force_login(staff("admin"))
    assert client.post(address(name, world)).status_code == 403


def test_s24_a_person_who_left_gets_in_no_more(signed_in, staff):
    client = signed_in("admin")
    user = staff("admin")
    user.is_active = False
    user.save()
    assert client.get("/desk/").status_code == 302


def test_s24_a_role_taken_away_is_gone_at_the_next_page(signed_in, staff):
    client = signed_in("admin")
    assert client.get("/desk/log/").status_code == 200
    staff("admin").groups.clear()
    assert client.get("/desk/log/").status_code == 403


def test_s24_only_a_superuser_or_a_role_may(client, django_user_model):
    client.force_login(django_user_model.objects.create_user("s", is_staff=True))
    assert client.get("/desk/").status_code == 403
    client.force_login(django_user_model.objects.create_superuser("root"))
    assert client.get("/desk/log/").status_code == 200
