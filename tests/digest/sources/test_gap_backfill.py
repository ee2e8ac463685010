"""A machine that was off, or a publisher that was down, costs no papers once both are back."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from digest.models import Announcement, Fetch
from digest.sources import gap_backfill, pull
from tests import make
from tests.digest.sources import feeds
from tests.digest.sources.conftest import Publisher

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_process")]
MONDAY = date(2026, 6, 8)


def morning(day: date) -> datetime:
    return datetime.combine(day, datetime.min.time(), tzinfo=UTC) + timedelta(hours=6)


def test_days_the_machine_was_off_are_asked_for_when_it_is_back(publisher: Publisher) -> None:
    """On for Tuesday's edition, off until Friday's: Hugging Face's Tuesday and Wednesday come with Thursday."""
    for n in range(5):
        day = MONDAY + timedelta(days=n)
        publisher.says(feeds.huggingface_day(day, 9, 1 + n * 100), f"/api?date={day}")
    make.source("huggingface", kind="huggingface", url=publisher.url("/api?date={day}"))
    pull.pull_due(morning(MONDAY + timedelta(days=1)))
    back = morning(MONDAY + timedelta(days=4))
    fetches = pull.pull_due(back)
    assert sorted(fetch.day.weekday() for fetch in fetches if not fetch.is_backfill) == [3]
    assert sorted(fetch.day.weekday() for fetch in fetches if fetch.is_backfill) == [1, 2]
    assert set(Announcement.objects.values_list("day", flat=True)) == {MONDAY + timedelta(days=n) for n in range(4)}
    assert gap_backfill.pull(back + timedelta(hours=5)) == []


def test_arxivs_missed_day_is_asked_of_its_api_and_counts_as_that_day(publisher: Publisher, captured: Path) -> None:
    body = (captured / "arxiv/api_query_atom/id_1605.08386_s0_m100_199195aa31ad.atom.xml").read_bytes()
    publisher.says(body, "/api")
    source = make.source(
        url=publisher.url(), fallbacks=[["arxiv-api", publisher.url("/api?q={compact}-{compact_until}")]]
    )
    for day in (MONDAY, MONDAY + timedelta(days=2)):
        Fetch.objects.create(source=source, at=morning(day), day=day, outcome="ok", entries=9)
    found = gap_backfill.pull(morning(MONDAY + timedelta(days=2)))
    assert [(fetch.day, fetch.kind, fetch.outcome) for fetch in found] == [
        (MONDAY + timedelta(days=1), "arxiv-api", "ok")
    ]
    assert publisher.asked[0][0] == "/api?q=20260605-20260608"


def test_a_day_that_cannot_be_got_is_given_up_after_three_tries(publisher: Publisher) -> None:
    source = make.source("huggingface", kind="huggingface", url=publisher.url("/api?date={day}"))
    for n in (0, 2):
        Fetch.objects.create(source=source, at=morning(MONDAY), day=MONDAY + timedelta(days=n), outcome="ok", entries=9)
    now = morning(MONDAY + timedelta(days=3))
    tried = 0
    for hour in range(24):
        source.failures, source.next_pull_at = 0, None
        source.save()
        tried += len(gap_backfill.pull(now + timedelta(hours=hour * 0.7)))
    assert tried == 3


def test_a_new_source_has_missed_nothing() -> None:
    source = make.source("huggingface", kind="huggingface")
    assert gap_backfill.missed(source, morning(MONDAY)) == []
    Fetch.objects.create(source=source, at=morning(MONDAY), day=date(2026, 6, 5), outcome="ok", entries=9)
    assert gap_backfill.missed(source, morning(MONDAY)) == []
