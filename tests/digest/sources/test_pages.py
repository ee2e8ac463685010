"""Answers that come in pages: fewer entries than they announce are noticed, asked for again, and not lost."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from digest.models import Announcement, Fetch, Paper, Source
from digest.sources import backfill, client, gap_backfill, pull
from tests import make
from tests.digest.sources import feeds
from tests.digest.sources.conftest import Publisher
from tests.digest.sources.test_parsers import ROW, biorxiv

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_process")]
DAY = date(2026, 6, 3)
NOW = datetime(2026, 6, 3, 6, 0, tzinfo=UTC)
SUBMITTED = "2026-06-02T12:00:00Z"  # on the 3rd it is announced
PAGED = "/api?d={compact}&start={cursor}"


def page(start: int, count: int, total: int | None, rows: int | None = 200) -> bytes:
    return feeds.api([feeds.item(n, DAY) for n in range(start, start + count)], SUBMITTED, total, start, rows)


def api_source(publisher: Publisher, path: str = PAGED) -> Source:
    return make.source("api", kind="arxiv-api", url=publisher.url(path), pull_every=14_400)


def in_turn(publisher: Publisher, path: str, *bodies: bytes) -> None:
    """Answer `path` with one body after the other; the last one stays."""
    left = list(bodies)

    def answer(request: BaseHTTPRequestHandler) -> None:
        body = left.pop(0) if len(left) > 1 else left[0]
        request.send_response(200)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    publisher.answers[path] = answer


def compact(start: int, day: date = DAY) -> str:
    return f"/api?d={day:%Y%m%d}&start={start}"


@pytest.mark.parametrize("empty", [page(200, 0, 450), page(200, 0, 450, None), page(200, 0, 0), page(200, 0, None)])
def test_an_empty_later_page_is_asked_again_and_then_flagged(publisher: Publisher, empty: bytes) -> None:
    publisher.says(page(0, 200, 450), compact(0))
    publisher.says(empty, compact(200))
    source = api_source(publisher)
    fetch = pull.pull(source, NOW)
    assert (fetch.outcome, fetch.new, fetch.warnings) == ("truncated", 200, ["200 of 450 entries came."])
    assert len(publisher.asked) == 2 + client.ASKED_AGAIN
    source.refresh_from_db()
    assert source.next_pull_at is not None
    assert timedelta() < source.next_pull_at - NOW < timedelta(minutes=70)


def test_a_page_that_is_empty_once_costs_nothing(publisher: Publisher) -> None:
    publisher.says(page(0, 200, 450), compact(0))
    in_turn(publisher, compact(200), page(200, 0, 450), page(200, 200, 450))
    in_turn(publisher, compact(400), page(400, 0, 450), page(400, 0, 450), page(400, 50, 450))
    fetch = pull.pull(api_source(publisher), NOW)
    assert (fetch.outcome, fetch.new, fetch.warnings) == ("ok", 450, [])


@pytest.mark.parametrize(("came", "total", "rows"), [(0, 184, 200), (0, 184, None), (150, 184, 200), (90, 450, 100)])
def test_one_page_of_fewer_than_it_announces_is_flagged(
    tmp_path: Path, came: int, total: int, rows: int | None
) -> None:
    (tmp_path / "page.xml").write_bytes(page(0, came, total, rows))
    fetch = pull.pull_file(tmp_path / "page.xml", "arxiv-api", None, NOW)
    wanted = total if rows is None or total < rows or not came else rows
    assert (fetch.outcome, fetch.new) == ("truncated", came)
    assert fetch.warnings == [f"{came} of {wanted} entries came."]


@pytest.mark.parametrize(("start", "came", "total", "rows"), [(0, 3, 3, 200), (0, 50, 9_000, 50), (400, 9, 409, 200)])
def test_one_whole_page_is_no_alarm(tmp_path: Path, start: int, came: int, total: int, rows: int) -> None:
    (tmp_path / "page.xml").write_bytes(page(start, came, total, rows))
    fetch = pull.pull_file(tmp_path / "page.xml", "arxiv-api", None, NOW)
    assert (fetch.outcome, fetch.warnings) == ("ok", [])


@pytest.mark.parametrize("rows", [0, 10])
def test_biorxivs_page_that_is_missing_is_flagged(publisher: Publisher, rows: int) -> None:
    days = {"date": "2026-06-02", "version": "1"}
    first = [ROW | days | {"doi": f"10.1101/{n}"} for n in range(30)]
    rest = [ROW | days | {"doi": f"10.1101/{n}"} for n in range(30, 30 + rows)]
    publisher.says(biorxiv(*first, total="70"), "/d/0")
    publisher.says(biorxiv(*rest, total="70"), "/d/30")
    publisher.says(biorxiv(total="70"), f"/d/{30 + rows}")
    source = make.source("biorxiv", kind="biorxiv", url=publisher.url("/d/{cursor}"))
    fetch = pull.pull(source, NOW)
    assert (fetch.outcome, fetch.warnings) == ("truncated", [f"{30 + rows} of 70 entries came."])


def test_pages_without_a_total_that_never_end_are_flagged(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "MAX_PAGES", 2)
    for n in range(3):
        publisher.says(feeds.huggingface_day(DAY, 50, 1 + 50 * n), f"/api?p={n}")
    fetch = pull.pull(make.source("hf", kind="huggingface", url=publisher.url("/api?p={page}")), NOW)
    assert (fetch.outcome, fetch.new) == ("truncated", 100)
    assert fetch.warnings == ["100 entries came, and there are more: ask for a shorter time."]


def test_a_list_of_records_that_goes_on_after_the_last_page_is_flagged(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "MAX_PAGES", 1)
    publisher.says(
        b'<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><ListRecords><record><header/><metadata><arXivRaw>'
        b'<id>2606.00001</id><version version="v1"><date>Mon, 01 Jun 2026 10:00:00 GMT</date></version>'
        b"<title>T</title></arXivRaw></metadata></record><resumptionToken>next</resumptionToken></ListRecords></OAI-PMH>"
    )
    source = make.source("oai", kind="oai-pmh", url=publisher.url("/feed?verb=ListRecords"))
    assert pull.pull(source, NOW).outcome == "truncated"


def test_a_day_that_was_cut_short_is_asked_for_on_the_next_one(publisher: Publisher) -> None:
    """Its own day's hourly tries did not mend it."""
    publisher.says(page(0, 200, 450), compact(0))
    publisher.says(page(200, 0, 450), compact(200))
    source = api_source(publisher)
    pull.pull(source, NOW)
    publisher.says(page(200, 200, 450), compact(200))
    publisher.says(page(400, 50, 450), compact(400))
    found = gap_backfill.pull(NOW + timedelta(days=1))
    assert [(fetch.day, fetch.outcome, fetch.new) for fetch in found] == [(DAY, "ok", 250)]
    assert gap_backfill.pull(NOW + timedelta(days=1, hours=3)) == []


def test_a_feeds_day_that_was_cut_short_is_asked_of_the_api(publisher: Publisher) -> None:
    source = make.source(url=publisher.url(), fallbacks=[["arxiv-api", publisher.url(PAGED)]])
    for n, outcome in enumerate(("ok", "truncated", "ok")):
        Fetch.objects.create(
            source=source, at=NOW + timedelta(days=n), day=DAY + timedelta(days=n), outcome=outcome, entries=9
        )
    publisher.says(page(1, 9, 9), "/api")
    found = gap_backfill.pull(NOW + timedelta(days=2))
    assert [(fetch.day, fetch.kind) for fetch in found] == [(DAY + timedelta(days=1), "arxiv-api")]


def test_past_days_say_that_they_were_cut_short(publisher: Publisher) -> None:
    publisher.says(page(0, 200, 450), compact(0, DAY - timedelta(days=1)))
    publisher.says(page(200, 0, 450), "/api")
    said: list[str] = []
    day = DAY - timedelta(days=1)
    fetches = list(backfill.days(api_source(publisher), day, day, NOW, said.append))
    assert [fetch.outcome for fetch in fetches] == ["truncated"]
    assert "truncated" in said[0]


def test_a_late_feeds_day_is_taken_from_the_api_by_when_it_is_announced(publisher: Publisher) -> None:
    publisher.says(b"<html></html>")
    source = make.source(
        url=publisher.url(), fallbacks=[["arxiv-api", publisher.url("/api?{compact}-{compact_until}")]]
    )
    older = feeds.item(5, DAY, title="Announced on the day before")
    body = feeds.api([feeds.item(n, DAY) for n in range(4)], SUBMITTED, 5).decode()
    early = feeds.api([older], "2026-06-01T12:00:00Z").decode()
    entry = early[early.index("<entry>") : early.index("</feed>")]
    publisher.says(body.replace("</feed>", f"{entry}</feed>").encode(), "/api")
    fetch = pull.pull(source, NOW)
    assert (fetch.kind, fetch.outcome, fetch.new) == ("arxiv-api", "ok", 4)
    assert publisher.asked[-1][0] == "/api?20260530-20260602"
    assert set(Announcement.objects.values_list("day", flat=True)) == {DAY}


def test_a_replay_of_the_kept_pages_finds_the_same_gap(publisher: Publisher) -> None:
    publisher.says(page(0, 200, 450), compact(0))
    publisher.says(page(200, 0, 450), compact(200))
    fetch = pull.pull(api_source(publisher), NOW)
    again = pull.replay(fetch, NOW)
    assert (again.outcome, again.warnings) == ("truncated", ["200 of 450 entries came."])
    assert Paper.objects.count() == 200
