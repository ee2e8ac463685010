"""Has an edition all it waits for? The receipt says what was looked at and what was missing, truthfully."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from digest.editions import coverage, lifecycle
from digest.models import Announcement, Edition, Fetch, Source
from digest.sources import client
from digest.sources.ingest import ingest
from tests import make
from tests.digest.sources import feeds

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_process")]
DAY = date(2026, 6, 3)  # a Wednesday
NOW = datetime(2026, 6, 3, 6, 0, tzinfo=UTC)


def fetched(slug: str, kind: str, day: date, outcome: str, warnings: list[str] | None = None, **fields: Any) -> Source:
    source = make.source(slug, kind=kind)
    Fetch.objects.create(
        source=source, at=NOW, day=day, outcome=outcome, kind=kind, entries=9, warnings=warnings or [], **fields
    )
    return source


def test_an_edition_waits_for_arxivs_day_and_hugging_faces_day_before() -> None:
    fetched("arxiv-cs-cl", "arxiv", DAY, "ok")
    fetched("huggingface", "huggingface", DAY - timedelta(days=1), "ok")
    found = coverage.coverage(DAY, NOW)
    assert (found.complete, found.missing) == (True, ())
    assert [(row["slug"], row["outcome"], row["entries"]) for row in found.receipt["sources"]] == [
        ("arxiv-cs-cl", "ok", 9), ("huggingface", "ok", 9),
    ]  # fmt: skip


@pytest.mark.parametrize("outcome", ["stale", "truncated", "format_error", "failed", "empty"])
def test_what_is_not_ok_on_a_working_day_is_missing_and_named_with_its_reason(outcome: str) -> None:
    fetched("arxiv-cs-cl", "arxiv", DAY, outcome, ["Because."])
    found = coverage.coverage(DAY, NOW)
    assert (found.complete, found.missing) == (False, ("arxiv-cs-cl",))
    assert found.receipt["sources"][0]["why"] == "Because."


def test_a_source_that_was_not_pulled_or_is_held_is_missing() -> None:
    make.source("arxiv-cs-cl")
    make.source("arxiv-cs-ai", held_reason="authors are gone")
    found = coverage.coverage(DAY, NOW)
    assert [row["why"] for row in found.receipt["sources"]] == ["held: authors are gone", "not pulled yet"]


def test_a_mended_day_counts_as_its_best_fetch() -> None:
    fetched("arxiv-cs-cl", "arxiv", DAY, "stale", ["Yesterday's."])
    fetched("arxiv-cs-cl", "arxiv-list", DAY, "ok")
    assert coverage.coverage(DAY, NOW).complete


@pytest.mark.parametrize(("day", "outcome"), [(date(2026, 6, 6), "none"), (date(2026, 6, 19), "holiday")])
def test_a_blank_day_needs_no_fetch(day: date, outcome: str) -> None:
    make.source("arxiv-cs-cl")
    found = coverage.coverage(day, NOW)
    assert found.complete
    assert found.receipt["sources"][0]["outcome"] == outcome


def test_sources_nobody_waits_for_are_on_the_receipt_but_never_missing() -> None:
    fetched("sample-nature", "feed", DAY, "ok")
    Source.objects.update(is_daily=False, is_sample=True, is_enabled=False)
    found = coverage.coverage(DAY, NOW)
    assert found.complete
    assert found.receipt["samples"]


def test_the_receipt_counts_papers_not_sources_and_each_once() -> None:
    sources = [fetched(slug, "arxiv", DAY, "ok") for slug in ("arxiv-cs-ai", "arxiv-cs-cl")]
    for paper in [make.paper(f"Paper {n}") for n in range(5)]:
        make.announcement(paper, by=sources[0], day=DAY)
        make.announcement(paper, by=sources[1], day=DAY)
    make.announcement(make.paper("Another day's"), by=sources[0], day=DAY - timedelta(days=1))
    assert coverage.coverage(DAY, NOW).receipt["looked_at"] == 5


def test_papers_that_an_edition_took_up_late_were_looked_at_too() -> None:
    make.edition(DAY, papers=[make.paper("Late"), make.paper("Later")])
    assert coverage.coverage(DAY, NOW).receipt["looked_at"] == 2


def test_only_a_source_that_brought_something_lately_is_one_to_wait_for() -> None:
    make.source("arxiv-cs-ai", last_ok_at=NOW - timedelta(days=1))
    make.source("arxiv-cs-cl", last_ok_at=NOW - timedelta(days=8))
    make.source("arxiv-cs-cv")
    make.source("arxiv-cs-lg", last_ok_at=NOW, held_reason="authors are gone")
    assert [row["lately"] for row in coverage.coverage(DAY, NOW).receipt["sources"]] == [True, False, False, False]


def test_f66_with_all_sources_down_the_edition_waits_and_then_says_what_was_missing() -> None:
    make.source("arxiv-cs-cl")
    make.announcement(make.paper(), by=make.source("journal", kind="feed", is_daily=False), day=DAY)
    assert lifecycle.release_due(NOW) == []
    late = lifecycle.deadline(DAY) + timedelta(minutes=1)
    released = lifecycle.release_due(late)
    assert [one.state for one in released] == [Edition.State.RELEASED]
    assert released[0].coverage["missing"] == ["arxiv-cs-cl"]
    assert released[0].coverage["complete"] is False


def test_f62_what_comes_after_the_freeze_goes_into_the_next_edition() -> None:
    source = make.source("arxiv-cs-cl")
    ingest(source, client.read("arxiv", (feeds.atom(feeds.arxiv_day(DAY, 10), DAY),), DAY), NOW)
    edition = lifecycle.release(lifecycle.collect(DAY, NOW), NOW)
    before, frozen = edition.entries.count(), edition.content_hash
    other = make.source("arxiv-cs-ai")
    ingest(
        other, client.read("arxiv", (feeds.atom(feeds.arxiv_day(DAY, 10, 900), DAY),), DAY), NOW + timedelta(hours=3)
    )
    lifecycle.collect(DAY, NOW + timedelta(hours=3))
    assert (edition.entries.count(), lifecycle.content_hash(edition)) == (before, frozen)
    tomorrow = lifecycle.collect(DAY + timedelta(days=1), NOW + timedelta(days=1))
    assert tomorrow.entries.count() == Announcement.objects.filter(source=other, kind__in=["new", "cross"]).count() > 0
