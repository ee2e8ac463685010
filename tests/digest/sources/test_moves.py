"""Feeds that moved for good, are gone, or have become a page: said, shown to a curator, and taken up."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from digest.desk.pages import dashboard
from digest.models import Source
from digest.sources import additions, discovery, fetch, moves, pull
from tests import make
from tests.digest.sources import feeds
from tests.digest.sources.conftest import Publisher
from tests.digest.sources.test_pull import LISTING

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_process")]
DAY = date(2026, 6, 3)
NOW = datetime(2026, 6, 3, 6, 0, tzinfo=UTC)
FEED = feeds.rss([(f"On moss {n}", f"https://moss.example/{n}", DAY) for n in range(9)])
LINK = '<link rel="alternate" type="application/rss+xml" title="Moss" href="{}">'


def page(*links: str, head: str = "") -> bytes:
    return f"<!doctype html><html><head><title>Moss</title>{head}{''.join(links)}</head></html>".encode()


def redirect(publisher: Publisher, path: str, to: str, status: int = 301) -> None:
    publisher.says(b"", path, status, Location=to)


def source(publisher: Publisher, path: str = "/old", **fields: Any) -> Source:
    return make.source("moss", kind="feed", url=publisher.url(path), **fields)


def pulled(row: Source, days: float) -> list[str]:
    fetch = pull.pull(row, NOW + timedelta(days=days))
    row.refresh_from_db()
    return list(fetch.warnings)


@pytest.mark.parametrize("status", [301, 308])
def test_a_permanent_redirect_is_shown_and_taken_up_when_it_stays(publisher: Publisher, status: int) -> None:
    publisher.says(FEED, "/new", ETag='"n"')
    redirect(publisher, "/old", "/new#top", status)
    row = source(publisher)
    assert f"moved for good, to {publisher.url('/new')}. That is taken up on 6 June" in pulled(row, 0)[-1]
    assert (row.url, row.moved_to, row.moved_since) == (publisher.url("/old"), publisher.url("/new"), NOW)
    pulled(row, 2.9)
    assert row.url == publisher.url("/old")
    assert f"its address is {publisher.url('/new')} now" in pulled(row, 3)[-1]
    assert (row.url, row.moved_to, row.moved_since, row.etag) == (publisher.url("/new"), "", None, '"n"')
    asked = len(publisher.asked)
    assert pulled(row, 4) == []
    assert [path for path, _ in publisher.asked[asked:]] == ["/new"]


@pytest.mark.parametrize("statuses", [(302,), (307,), (303,), (302, 301), (301, 302)])
def test_a_temporary_redirect_is_followed_and_not_taken_up(publisher: Publisher, statuses: tuple[int, ...]) -> None:
    publisher.says(FEED, f"/{len(statuses)}")
    for n, status in enumerate(statuses):
        redirect(publisher, f"/{n}", f"/{n + 1}", status)
    row = source(publisher, "/0")
    for day in range(6):
        pulled(row, day)
    permanent = statuses[0] == 301  # its target stays, the one behind it may change
    assert row.url == publisher.url("/1" if permanent else "/0")


def test_a_redirect_that_was_taken_back_or_changed_starts_anew(publisher: Publisher) -> None:
    publisher.says(FEED, "/new")
    publisher.says(FEED, "/newer")
    row = source(publisher)
    redirect(publisher, "/old", "/new")
    pulled(row, 0)
    publisher.says(FEED, "/old")
    pulled(row, 2)
    assert (row.moved_to, row.moved_since) == ("", None)
    redirect(publisher, "/old", "/new")
    pulled(row, 3)
    redirect(publisher, "/old", "/newer")
    pulled(row, 5)
    assert (row.url, row.moved_to) == (publisher.url("/old"), publisher.url("/newer"))
    pulled(row, 8)
    assert row.url == publisher.url("/newer")


@pytest.mark.parametrize("answer", [b"<html><title>Sign in</title></html>", b"", b"nonsense"])
def test_a_redirect_to_what_is_no_feed_is_not_taken_up(publisher: Publisher, answer: bytes) -> None:
    publisher.says(answer, "/login")
    redirect(publisher, "/old", "/login")
    row = source(publisher)
    for day in range(5):
        pulled(row, day)
    assert (row.url, row.moved_to) == (publisher.url("/old"), "")


@pytest.mark.parametrize("to", ["http://127.0.0.1:1/feed", "http://10.0.0.1/feed", "file:///etc/passwd", "//[::1]/f"])
def test_s15_a_redirect_into_this_machines_network_is_not_taken_up(publisher: Publisher, to: str) -> None:
    redirect(publisher, "/old", to)
    row = source(publisher)
    for day in range(5):
        pulled(row, day)
    assert (row.url, row.moved_to, row.last_outcome) == (publisher.url("/old"), "", "failed")


def test_an_address_that_is_another_sources_or_has_places_for_days_is_only_shown(publisher: Publisher) -> None:
    publisher.says(FEED, "/new")
    redirect(publisher, "/old", "/new")
    row, other = source(publisher), make.source("other", url=publisher.url("/new"), kind="feed")
    assert "the address of other already" in [pulled(row, day) for day in (0, 4)][-1][-1]
    other.delete()
    Source.objects.filter(pk=row.pk).update(url=publisher.url("/old?d={day}"))
    row.refresh_from_db()
    assert "places for days" in [pulled(row, day) for day in (5, 9)][-1][-1]
    with pytest.raises(moves.MoveError, match="places for days"):
        moves.take(row, NOW)


def test_a_fallbacks_redirect_is_none_of_the_sources_own(publisher: Publisher) -> None:
    publisher.says(feeds.atom(feeds.arxiv_day(DAY, 9), DAY), "/new")
    redirect(publisher, "/other", "/new")
    publisher.says(b"", "/gone", 410)
    row = make.source(
        url=publisher.url("/old"), fallbacks=[["arxiv", publisher.url(one)] for one in ("/gone", "/other")]
    )
    pulled(row, 0)
    assert (row.url, row.moved_to, row.is_enabled, row.last_outcome) == (publisher.url("/old"), "", True, "ok")


def test_a_gone_feed_is_switched_off_and_says_so(publisher: Publisher) -> None:
    publisher.says(b"gone", "/old", 410)
    row = source(publisher)
    assert "gone for good (410), so it was switched off" in pulled(row, 0)[-1]
    assert (row.is_enabled, row.next_pull_at, pull.due(NOW + timedelta(days=9))) == (False, None, [])
    assert [one.says for one in dashboard.failing_sources()] == [f"moss is off: {row.held_reason}"]
    additions.set_enabled(row, False, NOW)
    assert dashboard.failing_sources() == []
    publisher.says(FEED, "/old")
    additions.set_enabled(row, True, NOW)
    assert [fetch.outcome for fetch in pull.pull_due(NOW)] == ["ok"]


@pytest.mark.parametrize("status", [404, 403, 500, 451])
def test_other_refusals_switch_nothing_off(publisher: Publisher, status: int) -> None:
    publisher.says(b"no", "/old", status)
    row = source(publisher)
    pulled(row, 0)
    assert (row.is_enabled, row.held_reason) == (True, "")


def test_a_gone_address_with_others_to_fall_back_on_stays_on(publisher: Publisher) -> None:
    publisher.says(b"gone", "/old", 410)
    publisher.says(feeds.atom(feeds.arxiv_day(DAY, 9), DAY), "/rss")
    row = make.source(url=publisher.url("/old"), fallbacks=[["arxiv", publisher.url("/rss")]])
    assert pulled(row, 0) == []
    assert (row.is_enabled, row.last_outcome) == (True, "ok")
    assert "its other addresses are asked" in row.fetches.order_by("pk")[0].warnings[-1]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (page(LINK.format("/feed")), ["https://moss.example/feed"]),
        (page(LINK.format("feed.xml?a=1&amp;b=2#x")), ["https://moss.example/lab/feed.xml?a=1&b=2"]),
        (page("<LINK HREF=/a.atom TYPE='application/atom+xml; charset=utf-8' REL='home alternate'/>"),
         ["https://moss.example/a.atom"]),
        (page(LINK.format("rss"), head='<base href="https://cdn.example/x/">'), ["https://cdn.example/x/rss"]),
        (page(LINK.format("/a"), LINK.format("/b"), LINK.format("/a")),
         ["https://moss.example/a", "https://moss.example/b"]),
        (page(f"<!-- {LINK.format('/no')} -->"), []),
        (page(LINK.format("javascript:alert(1)"), LINK.format("file:///x"), LINK.format("")), []),
        (page(LINK.replace("alternate", "stylesheet").format("/a")), []),
        (page(LINK.format("https://moss.example/lab/")), []),
        (page(LINK.format("http://[bad/")), []),
        (FEED, []),
    ],
)  # fmt: skip
def test_the_feeds_that_a_page_names_are_found(body: bytes, found: list[str]) -> None:
    assert discovery.feeds(body, "https://moss.example/lab/") == found


def test_a_page_names_only_so_many_feeds() -> None:
    many = page(*(LINK.format(f"/{n}") for n in range(2_000)))
    assert len(discovery.feeds(many, "https://moss.example/")) == discovery.MOST


def test_a_source_that_became_a_page_names_the_feed_found_there_and_takes_it_up_only_by_hand(
    publisher: Publisher,
) -> None:
    publisher.says(page(LINK.format("/new")), "/old")
    publisher.says(FEED, "/new")
    row = source(publisher)
    assert f"The page names a feed: {publisher.url('/new')}." in pulled(row, 0)[-1]
    pulled(row, 5)
    assert (row.url, row.moved_to, row.moved_since) == (publisher.url("/old"), publisher.url("/new"), None)
    moves.take(row, NOW)
    assert [(fetch.outcome, fetch.new) for fetch in pull.pull_due(NOW)] == [("ok", 9)]


def test_a_preview_of_a_page_shows_the_feed_that_it_names(publisher: Publisher) -> None:
    publisher.says(page(LINK.format("/nothing"), LINK.format("/new")), "/old")
    publisher.says(FEED, "/new")
    found = additions.preview(publisher.url("/old"), NOW)
    assert (found.url, found.kind, found.count) == (publisher.url("/new"), "feed", 9)
    assert f"this is the feed that it names: {publisher.url('/new')}" in found.warnings[0]
    assert publisher.url("/nothing") in found.warnings[0]


def test_a_listing_page_is_shown_itself_whatever_feeds_it_names(publisher: Publisher) -> None:
    listing = LISTING.replace(b"<html>", f"<html><head>{LINK.format('/new')}</head>".encode())
    publisher.says(listing, "/old")
    publisher.says(FEED, "/new")
    found = additions.preview(publisher.url("/old"), NOW)
    assert (found.url, found.kind) == (publisher.url("/old"), "arxiv-list")


def test_a_preview_of_a_page_whose_feeds_cannot_be_read_says_what_it_is(publisher: Publisher) -> None:
    publisher.says(page(LINK.format("/nothing"), LINK.format("http://127.0.0.1:1/feed")), "/old")
    with pytest.raises(additions.SourceError, match="HTML page titled “Moss”"):
        additions.preview(publisher.url("/old"), NOW)


def test_a_preview_keeps_the_address_it_moved_to_for_good(publisher: Publisher) -> None:
    publisher.says(FEED, "/new")
    redirect(publisher, "/old", "/new")
    redirect(publisher, "/now", "/new", 302)
    assert additions.preview(publisher.url("/old"), NOW).url == publisher.url("/new")
    assert additions.preview(publisher.url("/now"), NOW).url == publisher.url("/now")


def test_the_curators_own_change_of_the_address_is_not_overwritten_by_a_pull(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher.says(FEED, "/old")
    row, get = source(publisher), fetch.get

    def edited_meanwhile(*arguments: Any, **named: Any) -> fetch.Answer:
        Source.objects.update(url="https://moss.example/mine", is_enabled=False)
        return get(*arguments, **named)

    monkeypatch.setattr(fetch, "get", edited_meanwhile)
    pulled(row, 0)
    assert (row.url, row.is_enabled) == ("https://moss.example/mine", False)
