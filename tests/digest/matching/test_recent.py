from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from digest.matching import recent
from digest.matching.interest_query import InterestQuery
from subscriptions.query import canonical
from subscriptions.questions import Span
from tests import make

pytestmark = pytest.mark.django_db


def want(text: str, **fields: Any) -> InterestQuery:
    return InterestQuery(text, fields.pop("kind", "filter"), canonical(text), **fields)


def preview(wants: list[InterestQuery]) -> recent.RecentMatches:
    return recent.preview(recent.window(), wants)


def editions(*days: int) -> None:
    for back in days:
        papers = [make.paper(f"speech {back} {number}") for number in range(2)] + [make.paper(f"chairs {back}")]
        make.edition(make.TODAY - timedelta(days=back), papers)


def test_it_counts_what_would_have_come_in_the_last_weeks() -> None:
    editions(0, 1, 8, 40)
    shown = preview([want("speech"), want("chairs", muted=True)])
    assert shown.month == Span(30, 9, 6, 2.0)
    assert shown.week == Span(7, 6, 4, 2.0)
    assert list(shown.by_day.values()) == [2, 2, 2]
    assert [(one.of_week, one.of_month) for one in shown.tallies] == [(4, 6), (0, 0)]
    assert len(shown.choices) == 4


def test_a_mute_counts_what_it_keeps_out_and_matches_nothing() -> None:
    editions(0, 1, 8, 40)
    shown = preview([want("chairs", muted=True), want("speech OR chairs")])
    assert (shown.week.matched, shown.month.matched) == (4, 6)
    assert [(one.of_week, one.of_month) for one in shown.tallies] == [(2, 3), (6, 9)]


def test_a_want_that_brings_nothing_or_too_much_or_cannot_be_read_is_told() -> None:
    make.edition(papers=[make.paper(f"speech {number}") for number in range(30)])
    shown = preview([want("speech"), want("quaternions"), InterestQuery("(a", "filter", "(a")])
    much, nothing, broken = (tally.advice for tally in shown.tallies)
    assert "30 papers a day" in much
    assert nothing.startswith("It brings nothing")
    assert "never closed" in broken


def test_the_index_is_kept_until_an_edition_changes(django_assert_num_queries: Any) -> None:
    editions(0)
    preview([want("speech")])
    with django_assert_num_queries(2):
        preview([want("chairs")])
    make.edition(make.TODAY + timedelta(days=1), [make.paper("speech anew")])
    assert preview([want("speech")]).month.matched == 3


def test_with_no_edition_there_is_nothing_to_show() -> None:
    shown = preview([want("speech")])
    assert (shown.month.looked_at, shown.week.matched, shown.by_day) == (0, 0, {})
