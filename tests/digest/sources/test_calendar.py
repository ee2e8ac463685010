"""The publishers' calendars: blank days, holidays, and the day that is due."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from digest.sources import calendar


@pytest.mark.parametrize(
    "day",
    [
        "2026-01-01",
        "2026-01-19",
        "2026-06-19",
        "2026-07-03",
        "2026-09-07",
        "2026-11-26",
        "2026-12-25",
        "2026-12-29",
        "2026-12-31",
    ],
)
def test_arxivs_holidays_of_2026_are_those_it_lists(day: str) -> None:
    assert calendar.is_holiday("arxiv", date.fromisoformat(day))


def test_a_new_year_on_a_saturday_is_kept_on_the_friday_before() -> None:
    assert calendar.is_holiday("arxiv", date(2027, 12, 31))


def test_arxiv_has_nine_holidays_in_2026_and_no_other() -> None:
    days = [date(2026, 1, 1) + timedelta(days=n) for n in range(365)]
    assert sum(calendar.is_holiday("arxiv", day) for day in days) == 9
    assert not any(calendar.is_holiday("huggingface", day) for day in days)


@pytest.mark.parametrize(
    ("kind", "now", "day"),
    [
        ("arxiv", "2026-06-03T04:19:00Z", "2026-06-02"),
        ("arxiv", "2026-06-03T04:20:00Z", "2026-06-03"),
        ("arxiv", "2026-01-06T05:19:00Z", "2026-01-05"),
        ("arxiv", "2026-01-06T05:20:00Z", "2026-01-06"),
        ("arxiv", "2026-06-07T12:00:00Z", "2026-06-05"),
        ("huggingface", "2026-06-03T00:00:00Z", "2026-06-02"),
        ("huggingface", "2026-06-08T12:00:00Z", "2026-06-05"),
    ],
)
def test_the_newest_day_that_is_due_follows_the_publishers_own_clock(kind: str, now: str, day: str) -> None:
    assert calendar.newest_due(kind, datetime.fromisoformat(now)) == date.fromisoformat(day)


@pytest.mark.parametrize(
    ("submitted", "announced"),
    [
        ("2026-06-03T17:59:00Z", "2026-06-04"),  # before 14:00 Eastern on a Wednesday
        ("2026-06-03T18:01:00Z", "2026-06-05"),
        ("2026-06-05T17:00:00Z", "2026-06-08"),  # a Friday
        ("2026-06-05T19:00:00Z", "2026-06-09"),
        ("2026-06-07T12:00:00Z", "2026-06-09"),  # a Sunday
    ],
)
def test_a_submission_is_announced_on_the_day_arxivs_schedule_says(submitted: str, announced: str) -> None:
    assert calendar.announced(datetime.fromisoformat(submitted)) == date.fromisoformat(announced)
