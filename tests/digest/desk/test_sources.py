"""A source's new address, shown and taken up at the desk."""

from __future__ import annotations

from typing import Any

import pytest

from digest.models import AuditEntry
from digest.papers.entry import Entry
from digest.sources import additions
from tests import make
from tests.make import NOW

pytestmark = pytest.mark.django_db


def test_an_operator_takes_the_new_address_at_the_desk(operator: Any) -> None:
    row = make.source("moss", kind="feed", moved_to="https://moss.example/new", moved_since=NOW)
    shown = operator.get("/desk/sources/moss/").content.decode()
    assert "redirects it for good to" in shown
    operator.post("/desk/sources/moss/move/")
    row.refresh_from_db()
    assert (row.url, row.moved_to) == ("https://moss.example/new", "")
    assert AuditEntry.objects.filter(verb="take new address").exists()


@pytest.mark.parametrize("to", ["", "http://127.0.0.1/feed", "http://169.254.169.254/", "file:///etc/passwd"])
def test_s15_an_operator_cannot_take_an_address_that_must_not_be_asked(operator: Any, to: str) -> None:
    row = make.source("moss", kind="feed", moved_to=to)
    before = row.url
    operator.post("/desk/sources/moss/move/")
    row.refresh_from_db()
    assert row.url == before


def test_a_viewer_sees_the_new_address_and_cannot_take_it(signed_in: Any) -> None:
    viewer = signed_in("viewer")
    row = make.source("moss", kind="feed", moved_to="https://moss.example/new")
    shown = viewer.get("/desk/sources/moss/").content.decode()
    assert "https://moss.example/new" in shown
    assert "/sources/moss/move/" not in shown
    assert viewer.post("/desk/sources/moss/move/").status_code == 403
    row.refresh_from_db()
    assert row.moved_to


def test_looking_at_a_page_fills_in_the_address_of_the_feed_it_names(
    operator: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = Entry("1", "On moss", "https://moss.example/1")
    found = additions.Preview("https://moss.example/feed", "feed", "Moss", 1, (entry,), ("It is a page.",))
    monkeypatch.setattr(additions, "preview", lambda url, now: found)
    monkeypatch.setattr("digest.sources.ssrf_guard.check_url", lambda url, allowed=(): None)
    shown = operator.post("/desk/sources/new/", {"url": "https://moss.example/", "do": "look"}).content.decode()
    assert 'value="https://moss.example/feed"' in shown
    assert "It is a page." in shown
