"""Feeds brought in and taken out as OPML at the desk: looked at first, duplicates named, nothing added unasked."""

from __future__ import annotations

import base64
import re
import zlib

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from digest.models import AuditEntry, Source
from digest.sources import opml
from tests import make

pytestmark = pytest.mark.django_db
PAGE = "/desk/sources/import/"
LIST = b"""<opml version="2.0"><body><outline text="Folder">
<outline text="New journal" xmlUrl="https://journal.example/feed"/>
<outline text="New journal again" xmlUrl="https://journal.example/feed"/>
<outline text="Known" xmlUrl="https://feeds.example/known"/>
<outline text="Here" xmlUrl="http://127.0.0.1/feed"/>
<outline text="cs.RO" xmlUrl="https://rss.arxiv.org/rss/cs.RO"/></outline></body></opml>"""


@pytest.fixture(autouse=True)
def nobody_is_asked(monkeypatch):
    monkeypatch.setattr("digest.sources.client.get", lambda *a, **k: pytest.fail("a publisher was asked"))


def look(client, body=LIST):
    return client.post(PAGE, {"file": SimpleUploadedFile("feeds.opml", body), "do": "look"})


def carried(response):
    return re.search(r'name="carried" value="([^"]*)"', response.content.decode())[1]


def test_a_look_tells_kinds_duplicates_and_what_cannot_be_asked_and_adds_nothing(operator):
    make.source("known", name="My known feed")
    page = look(operator).content.decode()
    assert "2 of 5 feeds can be added" in page
    assert "a source already: New journal, in this list before." in page
    assert "a source already: My known feed." in page
    assert "this machine’s own network" in page.replace("&#39;", "’").replace("'", "’")
    assert "arXiv feed (Atom or RSS)" in page
    assert (Source.objects.count(), AuditEntry.objects.count()) == (1, 0)


def test_what_is_ticked_is_added_and_logged(operator):
    form = {"carried": carried(look(operator)), "do": "add", "feed": ["https://rss.arxiv.org/rss/cs.RO"]}
    assert "1 source is added" in operator.post(PAGE, form, follow=True).content.decode()
    source = Source.objects.get()
    assert (source.kind, source.is_enabled, source.is_daily) == ("arxiv", True, True)
    act = AuditEntry.objects.get()
    assert (act.verb, act.after) == ("import sources", {"added": 1, "names": ["cs.RO"]})


@pytest.mark.parametrize("feeds", [[], ["http://127.0.0.1/feed"], ["https://evil.example/not-in-the-list"]])
def test_nothing_is_added_that_was_refused_or_is_not_in_the_list(feeds, operator):
    response = operator.post(PAGE, {"carried": carried(look(operator)), "do": "add", "feed": feeds})
    assert (response.status_code, Source.objects.count()) == (400, 0)
    assert "at least one feed" in response.content.decode()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "at most 1 MB"),
        (b" " * 1_100_000, "at most 1 MB"),
        (b"<html/>", "not OPML"),
        (b"<opml><body/></opml>", "no feeds"),
        (b"<opml>" + b'<outline xmlUrl="https://a.example/"/>' * 501 + b"</opml>", "import_opml"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><opml/>', "document type"),
    ],
)
def test_what_is_no_list_is_refused_in_words(body, said, operator):
    response = look(operator, body)
    assert response.status_code == 400
    assert said in response.content.decode()


@pytest.mark.parametrize("lost", ["%%%", "AAAA", "é"])
def test_a_list_lost_on_the_way_is_asked_for_again(lost, operator):
    response = operator.post(PAGE, {"carried": lost, "do": "add"})
    assert response.status_code == 400
    assert "Choose it again" in response.content.decode()


@pytest.mark.thorough
def test_the_largest_list_that_may_be_looked_at_can_be_added(operator):
    feeds = [f"https://feeds.example/{n}/{'long' * 25}" for n in range(500)]
    lines = "".join(f'<outline text="Feed {n}" xmlUrl="{url}"/>' for n, url in enumerate(feeds))
    rest = "".join(f"<!-- {n} kept by the feed reader -->" for n in range(40_000))[: 1_000_000 - len(lines)]
    body = f'<opml version="2.0"><body>{lines}</body></opml>{rest[: rest.rindex("<!")]}'.encode()
    assert len(body) > 900_000
    form = {"carried": carried(look(operator, body)), "do": "add", "feed": feeds}
    assert operator.post(PAGE, form).status_code == 302
    assert Source.objects.count() == 500


@pytest.mark.thorough
def test_a_packed_bomb_is_opened_no_further_than_a_list_may_be_long(operator):
    bomb = base64.b64encode(zlib.compress(b" " * 50_000_000)).decode()
    response = operator.post(PAGE, {"carried": bomb, "do": "add"})
    assert response.status_code == 400
    assert "at most 1 MB" in response.content.decode()


def test_the_export_holds_what_is_on_or_everything_and_comes_back_as_it_went(operator):
    make.source("on")
    make.source("off", is_enabled=False)
    make.source("sample", is_sample=True)
    assert [one.name for one in opml.read(operator.get("/desk/sources/export/").content)] == ["on"]
    response = operator.get("/desk/sources/export/?all=yes")
    assert "sources.opml" in response["Content-Disposition"]
    assert [(one.name, one.kind) for one in opml.read(response.content)] == [("off", "arxiv"), ("on", "arxiv")]
    Source.objects.all().delete()
    assert "2 of 2 feeds can be added" in look(operator, response.content).content.decode()
