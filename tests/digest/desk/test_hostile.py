"""S20, S25, S28: whatever readers, sources and curators write is shown as they wrote it, and does nothing."""

from __future__ import annotations

import logging
import re
from html.parser import HTMLParser

import pytest

from digest.models import AuditEntry, Edition, Source
from subscriptions import services
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
# What is taken for a number or a day by one half of a program and not by the other, and what no column holds.
ODD = ["²", "٣", "9" * 30, "9" * 5000, "-1", "1e9", "2026-13-45", "0000-00-00", "é" * 300, "a@" + "b" * 300 + ".org"]


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
    reader = make.subscriber(topics=[topic], queries=["voice"])
    reader.interests.filter(kind="filter").update(text=words)
    services.suppress("ben@example.org", "curator", make.NOW, words[:200])
    AuditEntry.objects.create(at=make.NOW, actor=words, verb="x", subject=words, after={"x": words})
    return words, f"/desk/readers/{reader.uuid}/", f"/desk/triage/{DAY}/split/{paper.pk}/"


class Markup(HTMLParser):
    """What of a page could do something: scripts with words in them, handlers, addresses that are none."""

    def __init__(self, page):
        super().__init__()
        self.acting = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        named = dict(attrs)
        if tag in {"script", "iframe", "base", "object", "embed"} and not (named.get("src") or "").startswith("/"):
            self.acting.append(tag)
        for name, value in attrs:
            leads = name in {"href", "src", "action", "formaction", "srcdoc"}
            if (
                name.startswith("on")
                or name == "style"
                or (leads and not re.match(r"/(?!/)|[?#]|https?://|data:image/", value))
            ):
                self.acting.append(f"{tag} {name}={value}")


PAGES = [
    "/desk/", f"/desk/triage/{DAY}/", f"/desk/edition/{DAY}/", f"/desk/edition/{DAY}/release/", "/desk/topics/",
    "/desk/topics/evil/", "/desk/sources/", "/desk/sources/evil/", "/desk/deliverability/", "/desk/log/",
    "/desk/doctor/", "/desk/preview/", "/desk/readers/", "/desk/deliverability/suppression/",
    f"/desk/edition/{DAY}/difference/", f"/desk/triage/{DAY}/add/", "/desk/topics/new/", "/desk/sources/new/",
]  # fmt: skip


@pytest.mark.thorough
def test_s25_hostile_words_are_only_words(hostile, admin):
    words, *pages = hostile
    for address in [*PAGES, *pages]:
        answer = admin.get(address)
        assert answer.status_code == 200, address
        assert Markup(answer.content.decode()).acting == [], address
        assert "1343433" not in answer.content.decode() or "{{ 7 * 191919 }}" not in words, address


@pytest.mark.thorough
@pytest.mark.parametrize("words", EVIL)
def test_s25_what_was_typed_comes_back_as_words(words, places, admin):
    for address, form in FORMS.items():
        for name in form:
            right = {key: value.format(**places) for key, value in form.items()} | {name: words}
            for ask in (admin.get, admin.post):
                answer = ask(f"/desk/{address.format(**places)}", right, follow=True)
                if not answer.streaming and "html" in answer["Content-Type"] and "letter/" not in address:
                    assert Markup(answer.content.decode()).acting == [], (address, name)


def test_s25_a_preview_is_shut_in_twice(hostile, admin):
    page = admin.get(f"/desk/preview/?date={DAY}").content.decode()
    frame = re.search(r"<iframe[^>]+>", page)[0]
    assert re.search(r'\ssandbox(=""|\s)', frame)
    letter = admin.get(f"/desk/preview/letter/?date={DAY}")
    policy = letter["Content-Security-Policy"]
    assert "sandbox" in policy.split("; ")
    assert "allow-scripts" not in policy
    assert "default-src 'none'" in policy
    assert letter["X-Frame-Options"] == "SAMEORIGIN"
    assert "<script" not in letter.content.decode().lower()


def test_s20_a_curators_words_are_no_template(curator):
    make.edition(papers=[make.paper()], state="collecting", note="{{ settings.SECRET_KEY }}{{ 7 * 191919 }}")
    shown = curator.get("/desk/preview/letter/", {"look": "text"}).content.decode()
    assert "{{ settings.SECRET_KEY }}{{ 7 * 191919 }}" in shown


# Every form of the desk, filled in as it should be, and every page that reads its address.
FORMS = {
    "sign-in/": {"username": "ann", "password": "x", "next": "/desk/"},
    "second/": {"code": "123456"},
    "triage/{day}/": {"q": "speech", "show": "all", "page": "1"},
    "triage/{day}/{entry}/": {"verb": "note", "note": "new", "seen": "", "here": "/desk/"},
    "triage/{day}/undo/": {"here": "/desk/"},
    "triage/{day}/merge/": {"one": "{paper}", "two": "{other}", "here": "/desk/"},
    "triage/{day}/split/{paper}/": {"name": "arxiv:1"},
    "triage/{day}/add/": {"what": "https://a.example/1", "title": "New", "authors": "A, B", "abstract": "Text."},
    "edition/{day}/note/": {"note": "new", "curator": "ann", "revision": "0"},
    "edition/{day}/release/": {"revision": "0", "typed": "1"},
    "edition/{day}/release-at/": {"at": "2026-06-03T07:00"},
    "preview/": {
        "reader": "{number}",
        "topic": "evil",
        "q": "speech",
        "date": "{day}",
        "look": "text",
        "width": "phone",
    },
    "preview/letter/": {"reader": "{number}", "topic": "evil", "q": "speech", "date": "{day}", "look": "text"},
    "preview/send/": {"reader": "{number}", "topic": "evil", "q": "speech", "date": "{day}"},
    "readers/": {"q": "ann", "state": "active"},
    "readers/{reader}/suppress/": {"detail": "asked"},
    "readers/{reader}/erase/": {"typed": "{number}"},
    "topics/new/": {
        "name": "New",
        "group": "G",
        "description": "D",
        "query": "speech",
        "is_active": "yes",
        "do": "keep",
    },
    "topics/evil/": {
        "name": "New",
        "group": "G",
        "description": "D",
        "query": "speech",
        "is_active": "yes",
        "do": "try",
    },
    "topics/evil/merge/": {"into": "other"},
    "sources/new/": {"name": "N", "kind": "feed", "url": "https://a.example/f", "is_daily": "yes", "do": "add"},
    "sources/import/": {"carried": "eJyzyS/IzdG3AwAKCQJi", "do": "add", "feed": "https://a.example/f"},
    "sources/export/": {"all": "yes"},
    "deliverability/settle/": {"verb": "arrived", "letter": "1"},
    "deliverability/hold/": {"verb": "hold", "reason": "why"},
    "deliverability/suppression/": {"email": "ann@example.org", "verb": "suppress", "detail": "asked"},
    "log/": {"actor": "ann", "verb": "pin", "day": "2026-06-03"},
    "password/": {"old_password": "x", "new_password1": "a long new word", "new_password2": "a long new word"},
}


@pytest.fixture
def places():
    """What stands for itself in the addresses and forms above."""
    edition = make.edition(papers=[make.paper("One"), make.paper("Two")], state="collecting")
    make.topic("evil"), make.topic("other", query="voice")
    reader = make.subscriber("ann@example.org")
    one, two = edition.entries.order_by("id")
    known = {"day": DAY, "entry": one.pk, "paper": one.paper_id, "other": two.paper_id}
    return known | {"reader": reader.uuid, "number": reader.pk}


@pytest.mark.thorough
@pytest.mark.parametrize("address", FORMS)
def test_s20_no_words_in_any_field_break_a_page(address, places, admin):
    where = f"/desk/{address.format(**places)}"
    right = {name: value.format(**places) for name, value in FORMS[address].items()}
    for name in right:
        for words in (*SQL, *ODD):
            for ask in (admin.get, admin.post):
                answer = ask(where, right | {name: words})
                assert answer.status_code < 500, (name, words[:20])
                if "\0" in words and answer.status_code not in {404, 405}:
                    assert answer.status_code == 400, name


@pytest.mark.parametrize("number", ["9" * 18, "9" * 19, "9" * 30])
def test_s20_no_number_in_an_address_breaks_a_page(number, places, admin):
    for address in (f"triage/{DAY}/{number}/", f"triage/{DAY}/split/{number}/", f"triage/{DAY}/back/{number}/",
                    f"sources/replay/{number}/"):  # fmt: skip
        assert admin.post(f"/desk/{address}", {"verb": "pin"}).status_code == 404


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


@pytest.mark.thorough
def test_s24_a_readers_letter_lends_nobody_that_readers_links(signed_in, client):
    reader = make.subscriber("ann@example.org", queries=["voice"])
    make.edition(papers=[make.paper("A voice")])
    for look in ("light", "text"):
        letter = signed_in("viewer").get("/desk/preview/letter/", {"reader": reader.pk, "look": look}).content.decode()
        assert "A voice" in letter
        assert not re.search(f"ann@example.org|{reader.uuid.hex}|{reader.uuid}", letter)
        for link in set(re.findall(r"/[pu]/[^/#\s\"]+/", letter)):
            assert client.post(link, {"List-Unsubscribe": "One-Click"}).status_code in {200, 302, 404, 405, 410}
    reader.refresh_from_db()
    assert reader.state == "active"


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
