"""Weeks and months."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from digest.site import periods
from tests import make

some_day = st.dates(date(1991, 1, 1), date(2090, 1, 1))


@given(some_day)
def test_every_day_lies_in_its_week_and_its_month(day: date) -> None:
    for one in (periods.week_of(day), periods.month_of(day)):
        assert one.start <= day < one.end
    assert periods.week(periods.week_of(day).name) == periods.week_of(day)
    assert periods.month(periods.month_of(day).name) == periods.month_of(day)


def page(client: Client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status
    return answer.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/week/2026-W23/", "/month/2026-06/"])
def test_a_period_shows_its_papers_pins_first_then_the_most_raised(client: Client, path: str) -> None:
    first = make.edition(date(2026, 6, 1), [make.paper("Plain"), make.paper("Pinned")])
    first.entries.filter(paper__title="Pinned").update(is_pinned=True)
    make.edition(date(2026, 6, 3), [make.paper("Raised", upvotes=5)])
    make.edition(date(2026, 5, 29), [make.paper("Earlier")])
    text = page(client, path)

    assert text.index("Pinned</a>") < text.index("Raised</a>") < text.index("Plain</a>")
    assert "Earlier" not in text
    assert "3 papers in 2 editions" in text
    assert '<a href="/day/2026-06-03/">Wednesday, 3 June 2026</a> <span class="num">1</span>' in text


@pytest.mark.django_db
def test_periods_are_stepped_through_over_gaps(client: Client) -> None:
    for day in (date(2026, 3, 31), date(2026, 6, 3), date(2026, 8, 1)):
        make.edition(day, [make.paper()])

    assert '<a rel="prev" href="/week/2026-W14/">' in page(client, "/week/2026-W23/")
    assert '<a rel="next" href="/month/2026-08/">' in page(client, "/month/2026-06/")


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/week/2026-W23/", "/month/2026-06/", "/week/2026-W60/", "/month/2026-13/"])
def test_a_period_without_an_edition_is_not_found(client: Client, path: str) -> None:
    page(client, path, 404)


@pytest.mark.django_db
def test_a_period_without_an_edition_names_the_nearest_that_have_one(client: Client) -> None:
    for day in (date(2026, 3, 31), date(2026, 8, 1)):
        make.edition(day, [make.paper()])
    week = page(client, "/week/2026-W23/", 404)
    assert "No edition lies in the week of 1 June to 7 June 2026" in week
    assert '<a href="/week/2026-W14/">' in week
    assert '<a href="/month/2026-08/">' in page(client, "/month/2026-06/", 404)


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/month/9999-12/", "/week/9999-W52/", "/month/0001-01/", "/week/0001-W01/"])
def test_the_ends_of_the_calendar_are_not_found(client: Client, path: str) -> None:
    page(client, path, 404)


@pytest.mark.django_db
def test_a_period_asks_the_database_the_same_however_long_it_is(client: Client, django_assert_num_queries: Any) -> None:
    for day in range(1, 20):
        make.edition(date(2026, 6, day), [make.paper(), make.paper()])
    with django_assert_num_queries(5):
        client.get("/month/2026-06/")


@pytest.mark.django_db
def test_past_the_end_the_last_page_is_shown(client: Client) -> None:
    make.edition(date(2026, 6, 3), [make.paper(f"Paper {n:03d}.") for n in range(41)])
    text = page(client, "/week/2026-W23/?page=99")

    assert "Page 2 of 2" in text
    assert "Paper 040." in text
