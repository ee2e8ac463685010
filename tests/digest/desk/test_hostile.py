"""S20, S25, S28: whatever readers, sources and curators write is shown as they wrote it, and does nothing."""

from __future__ import annotations

import logging
import re

import pytest

from digest.desk.models import Act
from digest.models import Edition, Source
from subscriptions.models import Topic
from tests import make

pytestmark = pytest.mark.django_db
DAY = make.TODAY
EVIL = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "<svg/onload=alert(1)>",
    "javascript:alert(1)",
    "{{ 7 * 191919 }}{% raw %}",
    "</title></textarea><script>alert(1)</script>",
    "'-alert(1)-'",
]
SQL = [
    "' OR 1=1 --",
    '"; DROP TABLE digest_act; --',
    "%' AND SLEEP(5) --",
    "\x00",
    "\\",
    "1) UNION SELECT 1",
    "a" * 5000,
]


@pytest.fixture
def admin(signed_in):
    return signed_in("admin")


@pytest.fixture(params=EVIL)
def hostile(request):
    """The same hostile words in every place the desk shows."""
    words = request.param
    paper = make.paper(words, abstract=words, authors=[words], primary_category=words[:100], url=words)
    edition = make.edition(papers=[paper], state="collecting", note=words, curator=words)
    edition.entries.update(note=words, is_pinned=True)
    make.source("evil", name=words, held_reason=words, url="https://feeds.example/x")
    topic = make.topic("evil", name=words[:80], group=words[:60], description=words)
    make.subscriber(topics=[topic], queries=["voice"])
    Act.objects.create(at=make.NOW, actor=words, verb="x", subject=words, after={"x": words}, previous="", hash="h")
    return words


PAGES = [
    "/desk/", f"/desk/triage/{DAY}/", f"/desk/edition/{DAY}/", f"/desk/edition/{DAY}/release/", "/desk/topics/",
    "/desk/topics/evil/", "/desk/sources/", "/desk/sources/evil/", "/desk/deliverability/", "/desk/log/",
    "/desk/doctor/", "/desk/preview/",
]  # fmt: skip


def test_s25_hostile_words_are_only_words(hostile, admin):
    for address in PAGES:
        shown = admin.get(address).content.decode()
        assert "<script>alert" not in shown, address
        assert not re.search(r"<(img|svg)[^>]+on(error|load)=", shown), address
        assert 'href="javascript:' not in shown, address
        assert "1343433" not in shown or "{{ 7 * 191919 }}" not in hostile, address


def test_s25_a_preview_is_shut_in_twice(hostile, admin):
    page = admin.get(f"/desk/preview/?date={DAY}").content.decode()
    frame = re.search(r"<iframe[^>]+>", page)[0]
    assert re.search(r'\ssandbox(=""|\s)', frame)
    letter = admin.get(f"/desk/preview/letter/?date={DAY}")
    policy = letter["Content-Security-Policy"]
    assert policy.startswith("sandbox;")
    assert "allow-scripts" not in policy
    assert "default-src 'none'" in policy
    assert letter["X-Frame-Options"] == "SAMEORIGIN"
    assert "<script" not in letter.content.decode().lower()


def test_s20_a_curators_words_are_no_template(curator):
    make.edition(papers=[make.paper()], state="collecting", note="{{ settings.SECRET_KEY }}{{ 7 * 191919 }}")
    shown = curator.get("/desk/preview/letter/", {"look": "text"}).content.decode()
    assert "{{ settings.SECRET_KEY }}{{ 7 * 191919 }}" in shown


@pytest.mark.parametrize("words", SQL)
def test_s20_no_words_in_a_query_break_a_page(words, admin):
    make.edition(papers=[make.paper()], state="collecting")
    for address, name in (
        (f"/desk/triage/{DAY}/", "q"),
        (f"/desk/triage/{DAY}/", "show"),
        (f"/desk/triage/{DAY}/", "page"),
        ("/desk/readers/", "q"),
        ("/desk/readers/", "state"),
        ("/desk/log/", "actor"),
        ("/desk/log/", "verb"),
        ("/desk/preview/", "q"),
        ("/desk/preview/", "topic"),
        ("/desk/preview/", "reader"),
        ("/desk/preview/", "date"),
        ("/desk/preview/", "look"),
    ):
        expected = 400 if "\0" in words else 200
        assert admin.get(address, {name: words}).status_code == expected, (address, name)
    assert Act.objects.count() == 0


@pytest.mark.parametrize("words", SQL)
def test_s20_no_words_in_a_form_break_an_act(words, admin):
    edition = make.edition(papers=[make.paper()], state="collecting")
    row = edition.entries.get()
    answer = admin.post(f"/desk/triage/{DAY}/{row.pk}/", {"verb": "note", "note": words, "seen": ""})
    assert answer.status_code == (400 if "\0" in words else 302)
    note = {"note": words, "curator": words, "revision": words}
    assert admin.post(f"/desk/edition/{DAY}/note/", note).status_code in {302, 400, 409}
    topic = {"name": words, "group": words, "description": words, "query": words}
    assert admin.post("/desk/topics/new/", topic).status_code in {302, 400}
    assert admin.post(f"/desk/triage/{DAY}/add/", {"what": words, "title": words}).status_code in {302, 400}
    settled = admin.post("/desk/deliverability/settle/", {"verb": "arrived", "letter": words})
    assert settled.status_code == (400 if "\0" in words else 404)
    assert admin.post("/desk/sign-in/", {"username": words, "password": words}).status_code == 400
    assert admin.get("/desk/").status_code == 200


def test_s24_a_form_cannot_set_what_it_does_not_show(curator):
    edition = make.edition(papers=[make.paper()], state="collecting")
    extra = {"serial": 99, "state": "released", "content_hash": "x", "date": "2020-01-01"}
    curator.post(f"/desk/edition/{DAY}/note/", {"note": "n", "curator": "c", "revision": 0, **extra})
    assert Edition.objects.get().serial is None
    assert Edition.objects.get().state == edition.state
    curator.post(
        "/desk/topics/new/", {"name": "n", "group": "g", "description": "", "query": "q", "slug": "mine", "id": 77}
    )
    assert Topic.objects.get().slug == "n"
    assert Topic.objects.get().pk != 77


def test_s24_one_editions_paper_is_not_changed_through_another(curator):
    row = make.edition(papers=[make.paper()], state="collecting").entries.get()
    assert curator.post(f"/desk/triage/2020-01-01/{row.pk}/", {"verb": "pin"}).status_code == 404


def test_s28_no_address_and_no_password_is_logged(signed_in, client, caplog):
    caplog.set_level(logging.DEBUG)
    admin, reader = signed_in("admin"), make.subscriber("ann@example.org")
    admin.post(f"/desk/readers/{reader.uuid}/suppress/", {"detail": "x"})
    admin.post(f"/desk/readers/{reader.uuid}/lift/")
    admin.post(f"/desk/readers/{reader.uuid}/erase/", {"typed": reader.pk})
    client.post("/desk/sign-in/", {"username": "ben@example.org", "password": "hunter2\nERROR forged"})
    assert not any(word in caplog.text for word in ("ann@example.org", "ben@example.org", "hunter2", "forged"))


def test_the_desk_keeps_the_sites_strict_policy(curator):
    policy = curator.get("/desk/")["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert Source.objects.count() == 0
