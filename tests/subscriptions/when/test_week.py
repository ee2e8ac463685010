from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscriptions.when import schedule, week


@pytest.mark.parametrize("text", ["tue fri", "tue,fri", "Tuesday; FRI", " fr | tues,  fri ", "fri,tue"])
def test_days_are_read_however_they_are_parted(text):
    assert week.names(week.read(text)) == ["Tuesday", "Friday"]


@pytest.mark.parametrize("text", ["tue never", "t", "5", "tuesdays", "ｔue", "days"])
def test_what_is_no_day_is_refused_by_name(text):
    with pytest.raises(schedule.ScheduleError, match=r"is not a day of the week\. Write days") as caught:
        week.read(text)
    assert caught.value.field == "days"


def test_no_days_are_no_error_here():
    assert week.read("") == week.read(" , ") == 0


@given(st.integers(0, schedule.EVERY_DAY))
def test_a_set_is_read_back_from_every_form_it_is_written_in(days):
    assert week.read(week.short(days)) == week.read(" ".join(week.names(days))) == days
    assert week.of(week.numbers(days)) == days


@pytest.mark.parametrize(
    ("days", "said", "gap"),
    [
        ("tue", "Tuesday", 7),
        ("tue fri", "Tuesday and Friday", 4),
        ("mon tue", "Monday and Tuesday", 6),
        ("mon wed fri", "Monday, Wednesday and Friday", 3),
        ("mon tue wed thu fri", "Monday, Tuesday, Wednesday, Thursday and Friday", 3),
        ("mon tue wed thu fri sat sun", "Every day", 1),
        ("", "", 1),
    ],
)
def test_a_set_in_words_and_its_longest_gap(days, said, gap):
    assert (week.said(week.read(days)), week.gap(week.read(days))) == (said, gap)
