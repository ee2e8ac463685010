"""Attacks on the reader's pages, by the numbers of the project's list of attacks."""

from __future__ import annotations

import base64
import logging
import re
import zlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from config import logs
from digest.letters import links
from subscriptions import services
from subscriptions.limits import limiter
from subscriptions.links import urls
from subscriptions.models import Budget, Consent, Interest, Notice, SignupRequest, Subscriber, Suppression
from subscriptions.signup import bot_check, requests
from tests import make
from tests.digest.letters.posts import delivery
from tests.load import scanners
from tests.make import NOW
from tests.subscriptions.pages import entered, path, signup, text, unmasked, visitor

pytestmark = pytest.mark.django_db
State = Subscriber.State
KEPT = (Subscriber, Interest, Consent, Notice, Suppression, SignupRequest, Budget)
DOORS: dict[str, Callable[[Subscriber], str]] = {
    "confirm": urls.confirm_url,
    "preferences": urls.preferences_url,
    "unsubscribe": urls.unsubscribe_url,
    "account": urls.account_url,
    "block": urls.block_url,
    "address": urls.address_url,
    "return": urls.return_url,
}


def everything() -> list[list[Any]]:
    return [list(model.objects.order_by("pk").values()) for model in KEPT]


def reader(**fields: Any) -> Subscriber:
    return make.subscriber("ada@example.org", new_email="ada@example.net", ended_at=NOW, **fields)


# -- S1: list bombs -----------------------------------------------------------------------------------


@pytest.mark.thorough
def test_s1_nine_addresses_under_fire_get_at_most_twenty_seven_letters_and_others_still_sign_up(settings):
    victims = [f"victim{number}@host{number}.example" for number in range(9)]
    for day in range(40):
        now = NOW + timedelta(days=day)
        for number in range(18):
            requests.store("signup", victims[number % 9], {}, f"198.51.{number}.0/24", now)
        requests.store("signup", f"honest{day}@example.org", {}, "192.0.2.0/24", now)
        requests.process(now)
    in_thirty_days = Notice.objects.filter(subscriber__email__startswith="victim", created_at__lt=NOW + timedelta(30))
    assert in_thirty_days.count() == 27
    assert Notice.objects.filter(subscriber__email__startswith="honest").count() == 40


@pytest.mark.thorough
def test_s1_a_thousand_networks_cannot_spend_more_than_the_sites_budget(settings):
    settings.SIGNUPS_PER_HOUR = 30
    for number in range(200):
        requests.store("signup", f"v{number}@h{number}.example", {}, f"10.{number}.0.0/24", NOW)
    requests.process(NOW)
    assert Notice.objects.count() == 30
    requests.store("signup", "ada@example.org", {}, "192.0.2.0/24", NOW + timedelta(hours=2))
    requests.process(NOW + timedelta(hours=2))
    assert Notice.objects.filter(subscriber__email="ada@example.org").exists()


@pytest.mark.thorough
def test_s1_one_network_is_slowed_down_and_told_when_to_return():
    client = visitor()
    answers = [client.post("/subscribe/", signup(email=f"v{n}@host{n}.example")) for n in range(45)]
    assert [answer.status_code for answer in answers] == [200] * 40 + [429] * 5
    assert "Retry-After" in answers[-1].headers


# -- S2: scanners that open every link ----------------------------------------------------------------


@pytest.mark.parametrize("state", [State.PENDING, State.ACTIVE, State.UNSUBSCRIBED])
def test_s2_opening_every_link_changes_nothing(state):
    row = reader(state=state)
    before = everything()
    for make_url in DOORS.values():
        for method in ("get", "head", "options"):
            client = visitor()
            getattr(client, method)(path(make_url(row)))
            client.get(path(make_url(row)), follow=True)
    assert everything() == before


# -- S4: who reads here? --------------------------------------------------------------------------------


# Names of one length, so that the answers are of one length too.
PEOPLE = {
    "someone@example.org": {},
    "waiting@example.org": {"state": State.PENDING, "confirmed_at": None},
    "reading@example.org": {},
    "pausing@example.org": {"state": State.PAUSED},
    "leaving@example.org": {"state": State.UNSUBSCRIBED},
    "blocked@example.org": {"state": State.SUPPRESSED},
}


@pytest.fixture
def people() -> None:
    for email, fields in list(PEOPLE.items())[1:]:
        make.subscriber(email, **fields)
    services.suppress("blocked@example.org", "complaint", NOW)
    limiter.take("address", "waiting@example.org", timezone.now())


def asked(url: str, fields: dict[str, Any]) -> tuple[Any, ...]:
    """All that can be seen from outside, and the statements that took the time."""
    client = visitor(REMOTE_ADDR="192.0.2.7")
    with CaptureQueriesContext(connection, ) as queries:  # fmt: skip
        response = client.post(url, fields)
    seen = unmasked(response.content).decode().replace(fields["email"], "…")
    headers = dict(response.headers.items())
    return response.status_code, seen, headers, [_shape(query["sql"]) for query in queries]


def _shape(sql: str) -> str:
    """A statement without its values and names of save points."""
    return re.sub(r" (VALUES|SET|WHERE) .*|SAVEPOINT .*", r" \1", sql, flags=re.DOTALL)


@pytest.mark.usefixtures("people")
def test_s4_a_signup_looks_and_works_alike_whoever_reads_there():
    fields = signup()
    asked("/subscribe/", fields | {"email": "earlier@example.org"})
    seen = [asked("/subscribe/", fields | {"email": email}) for email in PEOPLE]
    assert all(one == seen[0] for one in seen)
    assert seen[0][0] == 200
    assert len(seen[0][3]) > 3


@pytest.mark.usefixtures("people")
def test_s4_asking_for_a_link_looks_and_works_alike_whoever_reads_there():
    asked("/preferences/", {"email": "earlier@example.org"})
    seen = [asked("/preferences/", {"email": email}) for email in PEOPLE]
    assert all(one == seen[0] for one in seen)
    assert seen[0][0] == 200


# -- S5: tokens -----------------------------------------------------------------------------------------


def test_s5_no_door_opens_to_the_key_of_another():
    row = reader()
    for made_for, make_url in DOORS.items():
        token = path(make_url(row)).split("/")[2]
        for letter in [one for one, purpose in _PURPOSE.items() if purpose != made_for]:
            client = visitor()
            page = client.get(f"/{letter}/{token}/").headers["Location"]
            answer = client.get(page)
            assert answer.status_code == 404, (made_for, letter)


_PURPOSE = {"c": "confirm", "p": "preferences", "a": "account", "n": "address", "r": "return"}


def test_s5_an_unsubscribe_token_changes_no_preferences():
    row = reader(state=State.ACTIVE)
    token = path(urls.unsubscribe_url(row)).split("/")[2]
    client = visitor()
    client.cookies["preferences-link"] = token
    client.post("/preferences/", {"act": "schedule", "hour": "23"})
    row.refresh_from_db()
    assert row.hour == 6


# -- S6, S7: forwarded letters, tokens that leak -----------------------------------------------------------


def test_s6_a_forwarded_letters_links_tell_no_address():
    row = reader(state=State.ACTIVE)
    for make_url in (urls.unsubscribe_url, urls.preferences_url, urls.block_url):
        assert "ada@" not in text(visitor().get(path(make_url(row)), follow=True))


@pytest.mark.parametrize("door", DOORS)
def test_s7_pages_with_a_token_tell_nobody_where_their_visitor_was(door):
    response = visitor().get(path(DOORS[door](reader())))
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert response.headers["Cache-Control"] == "no-store, private"


@pytest.mark.parametrize("door", ["confirm", "preferences", "account", "address", "return"])
def test_s7_links_lead_on_to_an_address_without_the_token(door):
    url = DOORS[door](reader())
    response = visitor().get(path(url))
    assert response.status_code == 302
    assert path(url).split("/")[2] not in response.headers["Location"]
    (cookie,) = response.cookies.values()
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")


def test_s7_on_a_public_site_the_cookie_is_bound_to_host_and_tls(settings):
    settings.PUBLIC = True
    response = visitor().get(path(urls.preferences_url(reader())))
    (cookie,) = response.cookies.values()
    assert cookie.key.startswith("__Host-")
    assert (cookie["secure"], cookie["path"], cookie["domain"]) == (True, "/", "")


def test_s7_no_token_and_no_address_reaches_the_log(caplog):
    caplog.set_level(logging.DEBUG)
    row = reader(state=State.ACTIVE)
    for make_url in DOORS.values():
        visitor().get(path(make_url(row)), follow=True)
        visitor().post(path(make_url(row)))
        visitor().get(path(make_url(row))[:-4] + "/", follow=True)
    visitor().post("/subscribe/", signup(email="ada@example.org", hour="99"))
    formatter = logs.Discreet()
    written = "\n".join(formatter.format(record) for record in caplog.records)
    tokens = [path(make_url(row)).split("/")[2] for make_url in DOORS.values()]
    assert written
    assert [one for one in (*tokens, "ada@example") if one in written] == []


@pytest.mark.thorough
def test_s7_no_token_of_a_letters_links_reaches_the_log(caplog):
    caplog.set_level(logging.DEBUG)
    paths = scanners.addresses(scanners.letters(timezone.now()))
    for one in paths:
        visitor().get(one.partition("#")[0], follow=True)
        visitor().delete(one.partition("#")[0])
    formatter = logs.Discreet()
    written = "\n".join(formatter.format(record) for record in caplog.records)
    assert "Method Not Allowed" in written
    assert [one for one in paths if one.split("/")[2] in written] == []


# -- S8: host headers ------------------------------------------------------------------------------------------


def test_s8_no_host_a_visitor_names_gets_into_a_page_or_a_letter():
    names = ["X-Forwarded-Host", "X-Host", "X-Forwarded-Server", "Forwarded", "X-Original-URL", "X-Rewrite-URL"]
    row = reader(state=State.ACTIVE)
    for name in names:
        headers = {name: "evil.example"}
        for page in ("/subscribe/", "/preferences/", path(urls.unsubscribe_url(row))):
            assert "evil.example" not in text(visitor().get(page, headers=headers))
        visitor().post("/subscribe/", signup(email="ben@example.org"), headers=headers)
    assert visitor().get("/subscribe/", headers={"Host": "evil.example"}).status_code == 400
    assert urls.confirm_url(row).startswith("http://localhost:8000/")


# -- S18: forms of other sites -----------------------------------------------------------------------------------


FORMS = {
    "/subscribe/": None,
    "/subscribe/preview/": None,
    "/preferences/": "preferences",
    "/confirm/": "confirm",
    "/account/": "account",
    "/new-address/": "address",
    "/return/": "return",
}


@pytest.mark.parametrize("page", FORMS)
def test_s18_another_sites_form_changes_nothing(page):
    row = reader(state=State.ACTIVE)
    client = Client(HTTP_HOST="localhost", enforce_csrf_checks=True)
    door = FORMS[page]
    if door:
        client.get(path(DOORS[door](row)))
    before = everything()
    assert client.post(page, signup() | {"act": "pause"}, headers={"Origin": "https://evil.example"}).status_code == 403
    assert everything() == before


def test_s18_our_own_form_goes_through():
    client = Client(HTTP_HOST="localhost", enforce_csrf_checks=True)
    page = text(client.get("/subscribe/"))
    token = page.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    answer = client.post("/subscribe/", signup() | {"csrfmiddlewaretoken": token})
    assert answer.status_code == 200


# -- S20: what no text field should get --------------------------------------------------------------------------


FIELDS = [
    "act", "email", "topics", "queries", "description", "papers", "papers_kept", "hour", "weekday", "days", "zone",
    "frequency", "papers_per_day", "empty_day", "abstracts", "text_only", "until", "catch_up", "likes_weight", "paper",
    "form", "sure", "age", bot_check.TRAP, "undo", "reason", "do", "challenge", "solution",
]  # fmt: skip
ACTS = [
    "", "subscribe", "preview", "interests", "schedule", "pause", "resume", "link", "renew", "now", "taste", "drop",
    "reset", "move", "export", "erase", "close", "undo", "weekly",
]  # fmt: skip
ODD = {
    "a NUL": "ab\x00c",
    "a NUL in a list of papers": "@article{a, title={One\x00Two}, eprint={2106.09685}, archiveprefix={arXiv}}",
    "a NUL in a carried list": base64.b64encode(
        zlib.compress(b"l.bib\n@article{a, title={A\x00B}, doi={10.1/x}}")
    ).decode(),
    "five thousand digits": "9" * 5_000,
    "digits of other scripts": "\u0663\u00b2",
    "half a pair": "\ud800".encode("utf-8", "surrogatepass").decode("utf-8", "replace"),
}


@pytest.mark.thorough
@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("act", ACTS)
def test_s20_no_value_of_any_field_breaks_a_form_or_reaches_the_database_with_a_nul(act, odd):
    """PostgreSQL stores no NUL; SQLite takes one, so the statements are looked at too."""
    row = reader(state=State.ACTIVE)
    letter = delivery([make.paper()], row)
    sent = dict.fromkeys(FIELDS, ODD[odd]) | {"act": act}
    own, number = links.own(letter, row), letter.papers[0]["paper"]
    letters_pages = [path(own.saved), f"{path(own.act)}/{number}/why/", f"{path(own.act)}/{number}/save/"]
    pages = [*FORMS, path(urls.unsubscribe_url(row)), path(urls.block_url(row)), *letters_pages]
    given: list[str] = []

    def listen(execute, sql, params, many, context):
        given.append(repr(params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(listen):
        for page in pages:
            client = visitor(raise_request_exception=False)
            if door := FORMS.get(page):
                client.get(path(DOORS[door](row)))
            assert client.post(page, sent).status_code < 500, page
            alone = signup() | {"act": act, "topics": ODD[odd]}  # else the other fields' errors come first
            assert client.post(page, alone).status_code < 500, page
            listed = SimpleUploadedFile("l.bib", sent["papers"].encode())
            fresh = (
                signup(papers_file=listed, email="eve@example.org")
                if page == "/subscribe/"
                else {"papers_file": listed}
            )
            assert client.post(page, {"act": act} | fresh).status_code < 500, page
        requests.process(timezone.now())
    assert given
    assert [one for one in given if "\\x00" in one or "\\u0000" in one] == []


# -- S35: two at once ----------------------------------------------------------------------------------------------


def test_s35_only_one_of_two_confirmations_counts():
    """Both have read the row before either writes: the write itself decides."""
    row = services.subscribe("ada@example.org", now=NOW)
    first, second = (Subscriber.objects.get(pk=row.pk) for _ in range(2))
    assert [services.confirm(first, NOW), services.confirm(second, NOW)] == [True, False]
    assert Consent.objects.filter(act="confirmed").count() == 1


def test_s35_whoever_left_meanwhile_is_not_confirmed():
    row = services.subscribe("ada@example.org", now=NOW)
    stale = Subscriber.objects.get(pk=row.pk)
    services.unsubscribe(row, NOW)
    assert not services.confirm(stale, NOW)
    assert stale.state == State.UNSUBSCRIBED


def test_s35_a_pause_of_one_who_left_meanwhile_brings_nobody_back():
    row = make.subscriber()
    stale = Subscriber.objects.get(pk=row.pk)
    services.unsubscribe(row, NOW)
    assert not services.pause(stale, NOW)
    assert not services.resume(stale, NOW)
    services.set_schedule(stale, NOW, hour=3)
    stale.refresh_from_db()
    assert (stale.state, stale.next_digest_at) == (State.UNSUBSCRIBED, None)


# -- S36: caches -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", [*FORMS, "/u/x.y/", "/b/x.y/", "/c/x.y/"])
def test_s36_no_cache_keeps_a_readers_page(page):
    response = visitor().get(page)
    assert "no-store" in response.headers["Cache-Control"]


# -- S38: load -------------------------------------------------------------------------------------


def test_s38_previews_are_counted_and_then_left_out(monkeypatch):
    monkeypatch.setitem(limiter.RULES, "preview", (limiter.Rule(2, limiter.HOUR),))
    make.edition(papers=[make.paper("Speech in noise")])
    answers = [text(visitor().post("/subscribe/preview/", {"queries": "speech"})) for _ in range(3)]
    assert ["Speech in noise" in answer for answer in answers] == [True, True, False]
    assert "not to be had at this moment" in answers[-1]


@pytest.mark.parametrize("lines", [1, 20])
def test_s38_a_preview_costs_the_same_however_many_lines_and_papers(lines, django_assert_max_num_queries):
    make.edition(papers=[make.paper(f"Speech {number}") for number in range(5 * lines)])
    asked = {"queries": "\n".join(f"speech {number}" for number in range(lines))}
    client = visitor()
    client.post("/subscribe/preview/", asked)
    with django_assert_max_num_queries(8):
        assert "papers of the last" in text(client.post("/subscribe/preview/", asked))


def test_s38_a_page_of_preferences_costs_the_same_however_many_interests(django_assert_max_num_queries):
    row = make.subscriber(queries=[f"word{number}" for number in range(20)])
    client, page = entered(urls.preferences_url(row))
    client.get(page)
    with django_assert_max_num_queries(20):
        assert client.get(page).status_code == 200


def test_s38_long_input_is_refused_not_chewed():
    answer = visitor().post("/subscribe/", signup(queries="(" * 11_000))
    assert answer.status_code == 422
