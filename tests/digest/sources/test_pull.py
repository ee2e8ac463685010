"""Pulling at its doors: what is due, what is concluded, what the publisher is spared."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError

from digest.models import Fetch, Paper, Source
from digest.sources import client, host_limits, ingest, pull, schedule, starters
from digest.sources.parsers.sandbox import KilledError
from subscriptions.limits import limiter
from tests import make
from tests.digest.sources import feeds
from tests.digest.sources.conftest import Publisher

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_process")]
DAY = date(2026, 6, 3)
NOW = datetime(2026, 6, 3, 6, 0, tzinfo=UTC)
TODAYS = feeds.atom(feeds.arxiv_day(DAY, 40), DAY)


def source(publisher: Publisher, path: str = "/feed", slug: str = "arxiv-cs-cl", **fields: Any) -> Source:
    return make.source(slug, url=publisher.url(path), **fields)


def test_a_pull_stores_the_day_and_remembers_how_to_ask_next(publisher: Publisher) -> None:
    publisher.says(TODAYS, ETag='"one"')
    fetch = pull.pull(source(publisher), NOW)
    assert (fetch.outcome, fetch.http_status, fetch.entries, fetch.new, fetch.day) == ("ok", 200, 40, 40, DAY)
    row = Source.objects.get()
    assert (row.etag, row.failures, row.last_ok_at) == ('"one"', 0, NOW)
    assert row.next_pull_at == datetime(2026, 6, 4, 4, 20, tzinfo=UTC)  # 00:20 in New York


def test_the_second_pull_is_conditional_and_304_is_unchanged(publisher: Publisher) -> None:
    publisher.says(TODAYS, ETag='"one"')
    pull.pull(source(publisher), NOW)
    publisher.says(b"", status=304)
    fetch = pull.pull(Source.objects.get(), NOW + timedelta(hours=1))
    assert (fetch.outcome, fetch.http_status) == ("unchanged", 304)
    assert publisher.asked[1][1]["if-none-match"] == '"one"'


@pytest.mark.thorough
def test_the_raw_bytes_of_the_last_answers_are_kept_and_replayed(publisher: Publisher) -> None:
    publisher.says(TODAYS)
    fetch = pull.pull(source(publisher), NOW)
    Paper.objects.all().delete()
    assert client.unkept(bytes(fetch.body or b"")) == (TODAYS,)
    assert pull.replay(fetch, NOW).new == 40
    for n in range(14):
        pull.pull(Source.objects.get(), NOW + timedelta(minutes=n))
    assert Fetch.objects.filter(body__isnull=False).count() == 10


@pytest.mark.parametrize("status", [500, 503, 429, 403])
def test_f51_a_failing_source_is_asked_later_and_later_and_the_others_go_on(publisher: Publisher, status: int) -> None:
    publisher.says(b"no", "/bad", status=status)
    publisher.says(TODAYS, "/good")
    bad = source(publisher, "/bad", "bad", kind="feed")
    source(publisher, "/good", "good")
    outcomes = {fetch.source.slug: (fetch.outcome, fetch.http_status) for fetch in pull.pull_due(NOW)}
    assert outcomes == {"bad": ("failed", status), "good": ("ok", 200)}
    waits = []
    for n in range(1, 9):
        bad.refresh_from_db()
        waits.append((bad.next_pull_at or NOW) - (NOW + timedelta(days=n - 1)))
        pull.pull(bad, NOW + timedelta(days=n))
    assert schedule.FIRST_RETRY < waits[0] < schedule.FIRST_RETRY * 1.1
    assert waits == sorted(waits)
    assert schedule.LONGEST_RETRY < waits[-1] < schedule.LONGEST_RETRY * 1.1


@pytest.mark.thorough
def test_f51_retry_after_is_obeyed_by_every_source_of_the_host(publisher: Publisher) -> None:
    publisher.says(b"slow down", "/one", status=429, Retry_After="3600")
    publisher.says(TODAYS, "/two")
    one = source(publisher, "/one", "one", kind="feed")
    pull.pull(one, NOW)
    two = source(publisher, "/two", "two")
    assert pull.pull_due(NOW + timedelta(minutes=30)) == []
    two.refresh_from_db()
    assert two.next_pull_at == NOW + timedelta(hours=1)
    assert [fetch.outcome for fetch in pull.pull_due(NOW + timedelta(hours=2)) if fetch.source.slug == "two"] == ["ok"]
    assert [path for path, _ in publisher.asked].count("/two") == 1


def test_f51_retry_after_and_the_back_off_are_rows_that_a_restart_finds_again(publisher: Publisher) -> None:
    publisher.says(b"slow down", status=429, Retry_After="3600")
    row = source(publisher)
    pull.pull(row, NOW)
    stored = Source.objects.values("failures", "next_pull_at").get(pk=row.pk)
    assert stored == {"failures": 1, "next_pull_at": NOW + timedelta(hours=1)}
    assert host_limits.waits_until(row.url, NOW) == NOW + timedelta(hours=1)


def test_f51_one_source_is_pulled_by_one_worker_only(publisher: Publisher) -> None:
    publisher.says(TODAYS)
    row = source(publisher)
    assert pull._claim(row, NOW)
    assert not pull._claim(row, NOW)


def test_f51_arxiv_is_asked_one_at_a_time_and_three_seconds_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_limits, "SPACING", timedelta(seconds=0.3))
    with host_limits.wait_for_turn("arxiv.org"):
        with pytest.raises(host_limits.BusyError), host_limits.wait_for_turn("arxiv.org", patience=0.1):
            pass
        ended = time.monotonic()
    with host_limits.wait_for_turn("arxiv.org", patience=5):
        assert time.monotonic() - ended >= 0.3


def test_f51_all_of_arxivs_machines_are_one_host() -> None:
    hosts = ("rss.arxiv.org", "export.arxiv.org", "oaipmh.arxiv.org", "arxiv.org", "ARXIV.org")
    assert {host_limits.name(f"https://{host}/x") for host in hosts} == {"arxiv.org"}
    assert host_limits.name("https://notarxiv.org/") == "notarxiv.org"
    assert host_limits.SPACING.total_seconds() == 3


def test_f51_a_worker_that_died_in_its_turn_gives_it_back() -> None:
    limiter.begin_turn("arxiv.org", datetime.now(UTC) - timedelta(seconds=3), timedelta(seconds=2))
    with host_limits.wait_for_turn("arxiv.org", patience=1):
        pass


def test_f51_when_arxiv_does_not_answer_its_other_categories_are_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(5):
        make.source(
            f"arxiv-{n}", url=f"https://rss.arxiv.org/atom/cs.{n}", fallbacks=[["arxiv", "https://rss.arxiv.org/rss/x"]]
        )
    asked: list[str] = []
    monkeypatch.setattr(client, "get", lambda url, *a: asked.append(url) or unreachable())
    assert [fetch.outcome for fetch in pull.pull_due(NOW)] == ["failed"]
    assert len(asked) == 1
    assert Source.objects.filter(next_pull_at__gt=NOW).count() == 5


def unreachable() -> client.fetch.Answer:
    raise client.fetch.FetchError("rss.arxiv.org is not known (no DNS answer).")


def test_f52_a_slow_source_delays_no_other(publisher: Publisher) -> None:
    """It does not answer before all the others were asked: whoever waited for it would wait until it gives up."""
    late: list[bool] = []

    def slow(request: Any) -> None:
        end = time.monotonic() + 20
        while len(publisher.asked) < 7 and time.monotonic() < end:
            time.sleep(0.01)
        late.append(len(publisher.asked) < 7)

    publisher.answers["/slow"] = slow
    source(publisher, "/slow", "a-slow", kind="feed")  # the first of them
    for n in range(6):
        publisher.says(feeds.rss([(f"P {n}", f"https://e.org/{n}", DAY)]), f"/{n}")
        source(publisher, f"/{n}", f"quick-{n}", kind="feed")
    outcomes = [fetch.outcome for fetch in pull.pull_due(NOW)]
    assert sorted(outcomes) == ["failed", *["ok"] * 6]
    assert late == [False]


def test_f56_a_source_is_quarantined_after_three_killed_answers(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher.says(TODAYS)
    monkeypatch.setattr(client.sandbox, "parse", killed)
    row = source(publisher, kind="feed")
    for n in range(3):
        assert pull.due(NOW + timedelta(days=n)) == [row]
        assert pull.pull(row, NOW + timedelta(days=n)).outcome == "format_error"
    assert "quarantined after 3" in row.held_reason
    assert pull.due(NOW + timedelta(days=30)) == []


def killed(*_: Any) -> Any:
    raise KilledError("Reading it took more than 10 seconds of processor time and was stopped.")


def test_f56_a_fault_of_ours_in_one_source_does_not_stop_the_others(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher.says(TODAYS, "/a")
    publisher.says(TODAYS, "/b")
    source(publisher, "/a", "a")
    source(publisher, "/b", "b")
    conclude = pull.ingest
    monkeypatch.setattr(pull, "ingest", lambda s, *a, **k: 1 / 0 if s.slug == "a" else conclude(s, *a, **k))
    assert [fetch.source.slug for fetch in pull.pull_due(NOW)] == ["b"]
    assert Source.objects.get(slug="a").failures == 1


def test_f59_a_stale_feed_is_mended_by_the_first_fallback_that_is_not(publisher: Publisher) -> None:
    yesterday = DAY - timedelta(days=1)
    row = source(publisher, fallbacks=[["arxiv", publisher.url("/rss")], ["arxiv-list", publisher.url("/list")]])
    publisher.says(feeds.atom(feeds.arxiv_day(yesterday, 40), yesterday))
    assert pull.pull(row, NOW - timedelta(days=1)).outcome == "ok"
    publisher.says(feeds.atom(feeds.arxiv_day(yesterday, 40), yesterday), "/rss")
    publisher.says(LISTING, "/list")
    fetch = pull.pull(row, NOW)
    assert (fetch.kind, fetch.outcome, fetch.day, fetch.new) == ("arxiv-list", "ok", DAY, 2)
    assert list(Fetch.objects.filter(at=NOW).order_by("id").values_list("outcome", flat=True)) == [
        "stale",
        "stale",
        "ok",
    ]


LISTING = b"""<html><body><h3>Showing new listings for Wednesday, 3 June 2026</h3>
<dl id='articles'><h3>New submissions (showing 1 of 1 entries)</h3>
<dt><a name='item1'>[1]</a> <a href ="/abs/2606.09001" title="Abstract" id="2606.09001"> arXiv:2606.09001 </a></dt>
<dd><div class='meta'>
<div class='list-title mathjax'><span class='descriptor'>Title:</span> On <i>listed</i> matter</div>
<div class='list-authors'><a href="https://arxiv.org/search/?q=A">Ada Example</a>,
<a href="x">Andr\\'e Sample</a></div>
<div class='list-comments mathjax'><span class='descriptor'>Comments:</span> 9 pages</div>
<div class='list-subjects'><span class='descriptor'>Subjects:</span>
<span class="primary-subject">Computation and Language (cs.CL)</span>; Artificial Intelligence (cs.AI)</div>
<p class='mathjax'>We list arXiv:1111.11111 and a&lt;b.</p></div></dd>
</dl><dl><h3>Cross submissions (showing 1 of 1 entries)</h3>
<dt><a href ="/abs/2606.09002" title="Abstract">arXiv:2606.09002</a> (cross-list from cs.LG)</dt>
<dd><div class='list-title'>Title: Crossed</div></dd></dl></body></html>"""


def test_a_file_names_its_source_and_a_repeated_day_is_stale(tmp_path: Path) -> None:
    path = tmp_path / "day.xml"
    path.write_bytes(TODAYS)
    fetch = pull.pull_file(path, "arxiv", None, NOW)
    assert (fetch.source.slug, fetch.outcome, fetch.http_status, fetch.new) == ("arxiv-cs-cl", "ok", None, 40)
    assert pull.pull_file(path, "arxiv", None, NOW).outcome == "unchanged"
    assert pull.pull_file(path, "arxiv", None, NOW + timedelta(days=1)).outcome == "stale"
    assert not fetch.source.is_enabled


def test_reading_a_file_first_does_not_keep_the_starter_source_away(tmp_path: Path) -> None:
    (tmp_path / "day.json").write_bytes(feeds.huggingface_day(DAY))
    pull.pull_file(tmp_path / "day.json", "huggingface", None, NOW)
    starters.load()
    row = Source.objects.get(slug="huggingface")
    assert row.is_enabled
    assert row.url.startswith("https://huggingface.co/")


@pytest.mark.parametrize("body", [b"nonsense", b"[]", b'[{"paper": {}}]', b"\x00" * 99])
def test_a_bad_file_says_nothing_about_the_publisher(tmp_path: Path, body: bytes) -> None:
    live = make.source("huggingface", kind="huggingface", last_outcome="ok", last_ok_at=NOW, next_pull_at=NOW)
    before = Source.objects.values().get()
    (tmp_path / "bad.json").write_bytes(body)
    for _ in range(4):
        fetch = pull.pull_file(tmp_path / "bad.json", "huggingface", None, NOW)
        assert (fetch.source, fetch.new) == (live, 0)
        assert fetch.outcome not in {"ok", "unchanged"}
    assert Source.objects.values().get() == before


def test_a_file_whose_reading_was_stopped_does_not_put_its_source_in_quarantine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: Any) -> None:
        raise KilledError("Stopped.")

    make.source("huggingface", kind="huggingface", held_reason="its authors are gone", failures=1)
    monkeypatch.setattr(client.sandbox, "parse", stopped)
    (tmp_path / "bad.json").write_bytes(b"[]")
    for _ in range(4):
        pull.pull_file(tmp_path / "bad.json", "huggingface", None, NOW)
    row = Source.objects.get()
    assert (row.kills, row.failures, row.held_reason) == (0, 1, "its authors are gone")


def test_a_file_that_is_not_there_is_said_to_be_so() -> None:
    with pytest.raises(pull.PullError, match="cannot be read"):
        pull.pull_file("/no/such/file", "arxiv", None, NOW)
    with pytest.raises(pull.PullError, match="no kind"):
        pull.pull_file("/no/such/file", "telex", None, NOW)


def test_f66_when_nothing_can_be_reached_nothing_is_stored_and_everything_is_asked_again(publisher: Publisher) -> None:
    for n in range(4):
        source(publisher, f"/missing-{n}", f"s{n}", kind="feed")
    assert {fetch.outcome for fetch in pull.pull_due(NOW)} == {"failed"}
    assert Paper.objects.count() == 0
    assert all(row.next_pull_at > NOW for row in Source.objects.all())


def test_pages_are_asked_until_one_is_short(publisher: Publisher) -> None:
    pages = {n: feeds.huggingface_day(DAY - timedelta(days=1), size, 1 + n * 50) for n, size in enumerate((50, 50, 7))}
    for n, body in pages.items():
        publisher.says(body, f"/api?date=2026-06-02&p={n}")
    row = make.source("huggingface", kind="huggingface", url=publisher.url("/api?date={day}&p={page}"))
    fetch = pull.pull(row, NOW)
    assert (fetch.outcome, fetch.new, fetch.day) == ("ok", 107, DAY - timedelta(days=1))
    assert len(publisher.asked) == 3


@pytest.mark.parametrize(
    "outcome", ["ok", "unchanged", "holiday", "empty", "stale", "truncated", "format_error", "failed"]
)
@pytest.mark.parametrize("kind", ["arxiv", "huggingface", "feed"])
def test_the_next_pull_is_always_ahead_and_within_four_days(kind: str, outcome: Any) -> None:
    for failures in (1, 5, 60):
        for satisfied in (True, False):
            for hours in range(0, 24 * 8, 7):
                now = NOW + timedelta(hours=hours)
                wait = schedule.next_pull(kind, outcome, failures, timedelta(hours=1), now, satisfied=satisfied) - now
                assert timedelta() < wait <= timedelta(days=4)


@pytest.mark.parametrize("status", [403, 429, 503])
def test_f51_arxiv_that_throttles_is_left_alone_with_all_its_addresses(
    monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    row = make.source(
        url="https://rss.arxiv.org/atom/cs.CL", fallbacks=[["arxiv-list", "https://arxiv.org/list/cs.CL/new"]]
    )
    asked: list[str] = []
    monkeypatch.setattr(client, "get", lambda url, *a: asked.append(url) or throttled(status))
    assert pull.pull(row, NOW).outcome == "failed"
    assert asked == ["https://rss.arxiv.org/atom/cs.CL"]
    assert host_limits.waits_until("https://export.arxiv.org/api/query", NOW + timedelta(minutes=5))


def throttled(status: int) -> client.fetch.Answer:
    raise client.fetch.FetchError("The publisher answered: no.", status=status)


def test_two_workers_that_store_one_paper_at_once_store_it_once(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher.says(TODAYS)
    store, tries = ingest.store.store, []

    def late(*arguments: Any) -> Any:
        tries.append(1)
        if len(tries) == 1:
            raise IntegrityError("UNIQUE constraint failed: digest_identifier.value")
        return store(*arguments)

    monkeypatch.setattr(ingest.store, "store", late)
    assert pull.pull(source(publisher), NOW).new == 40
    assert (len(tries), Fetch.objects.count()) == (2, 1)


def test_f51_sources_that_failed_together_do_not_come_back_together() -> None:
    spreads = {schedule.spread_of(str(row["slug"])) for row in starters.starters()}
    assert all(0 <= spread < 1 for spread in spreads)
    assert len(spreads) > 60


def test_f57_a_feed_that_drifted_is_replaced_by_a_fallback_for_the_day(publisher: Publisher) -> None:
    row = source(publisher, fallbacks=[["arxiv", publisher.url("/rss")]])
    for n in range(4, 0, -1):
        day = DAY - timedelta(days=n)
        if day.weekday() < 5:
            publisher.says(feeds.atom(feeds.arxiv_day(day, 40, n * 100), day))
            pull.pull(row, NOW - timedelta(days=n))
    day = DAY - timedelta(days=1)
    for n, day in enumerate((DAY - timedelta(days=6), DAY - timedelta(days=5))):
        Fetch.objects.create(
            source=row,
            at=NOW - timedelta(days=6 - n),
            day=day,
            outcome="ok",
            kind="arxiv",
            entries=40,
            profile={"authors": 1.0},
        )
    publisher.says(feeds.atom([{**i, "authors": ""} for i in feeds.arxiv_day(DAY, 40)], DAY))
    publisher.says(TODAYS, "/rss")
    fetch = pull.pull(row, NOW)
    assert (fetch.outcome, fetch.url.endswith("/rss"), fetch.new) == ("ok", True, 40)
    assert "authors" in Fetch.objects.get(at=NOW, outcome="format_error").warnings[0]
    assert row.held_reason == ""


class PowerCutError(BaseException):
    """Stands for a death in the middle: nothing catches it, and no line after it runs."""


@pytest.mark.parametrize("where", ["download", "reading"])
def test_f03_a_death_in_the_middle_of_an_answer_leaves_nothing_and_the_next_pull_takes_it_whole(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    publisher.says(TODAYS)
    row = source(publisher)

    def die(*_: Any, **__: Any) -> Any:
        raise PowerCutError

    with monkeypatch.context() as patch:
        patch.setattr(*((client.fetch, "get") if where == "download" else (client.sandbox, "parse")), die)
        with pytest.raises(PowerCutError):
            pull.pull(row, NOW)
    assert (Paper.objects.count(), Fetch.objects.count()) == (0, 0)
    assert Source.objects.get().next_pull_at == row.next_pull_at
    assert pull.pull(Source.objects.get(), NOW + timedelta(minutes=1)).new == 40


def test_f04_what_killed_its_reader_is_kept_for_replay_and_the_others_go_on(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher.says(TODAYS, "/a", ETag='"a"')
    publisher.says(TODAYS, "/b")
    source(publisher, "/a", "a", kind="feed")
    source(publisher, "/b", "b")
    parse = client.sandbox.parse
    with monkeypatch.context() as patch:
        patch.setattr(client.sandbox, "parse", lambda kind, *rest: killed() if kind == "feed" else parse(kind, *rest))
        outcomes = {fetch.source.slug: fetch.outcome for fetch in pull.pull_due(NOW)}
    assert outcomes == {"a": "format_error", "b": "ok"}
    dead = Fetch.objects.get(source__slug="a")
    assert client.unkept(bytes(dead.body or b"")) == (TODAYS,)
    assert Source.objects.get(slug="a").kills == 1
    assert pull.replay(dead, NOW).entries == 40


def test_f05_a_death_between_papers_and_the_sources_state_keeps_neither(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher.says(TODAYS, ETag='"one"')
    row = source(publisher)

    def die(*_: Any, **__: Any) -> None:
        assert Paper.objects.count() == 40  # written, not committed
        raise PowerCutError

    with monkeypatch.context() as patch:
        patch.setattr(ingest, "_update_source", die)
        with pytest.raises(PowerCutError):
            pull.pull(row, NOW)
    assert (Paper.objects.count(), Fetch.objects.count(), Source.objects.get().etag) == (0, 0, "")
    assert pull.pull(Source.objects.get(), NOW + timedelta(minutes=1)).new == 40
    assert pull.pull(Source.objects.get(), NOW + timedelta(minutes=2)).new == 0
