from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from subscriptions.when import schedule, week
from subscriptions.when.schedule import Times

ZONES = sorted(schedule.zone_names())
zones = st.sampled_from(ZONES)
hours = st.integers(0, 23)
moments = st.datetimes(datetime(2020, 1, 1), datetime(2035, 12, 31), timezones=st.just(UTC))
sets = st.integers(1, schedule.EVERY_DAY)
all_times = st.builds(Times, st.sampled_from(schedule.FREQUENCIES), hours, st.integers(0, 6), zones, sets)
JUMPY = ("America/Nuuk", "Africa/Cairo", "Asia/Beirut", "America/Asuncion", "Australia/Lord_Howe", "Atlantic/Azores")


def due(text: str, frequency: str = "daily", **wishes) -> str:
    wanted = Times(frequency, 7, 0, "Europe/Berlin")._replace(**wishes)
    return schedule.next_due(wanted, datetime.fromisoformat(text)).isoformat()


def test_a_daily_reader_is_due_at_their_own_hour():
    assert due("2026-06-03T04:59:00+00:00") == "2026-06-03T05:00:00+00:00"


def test_due_is_strictly_after():
    assert due("2026-06-03T05:00:00+00:00") == "2026-06-04T05:00:00+00:00"


def test_a_weekday_reader_rests_from_friday_to_monday():
    assert due("2026-06-05T05:00:00+00:00", "weekdays") == "2026-06-08T05:00:00+00:00"


def test_a_weekly_reader_is_due_on_their_day():
    assert due("2026-06-03T06:00:00+00:00", "weekly", weekday=6) == "2026-06-07T05:00:00+00:00"


def test_a_reader_of_chosen_days_is_due_on_those_alone():
    days = week.read("tue fri")
    assert due("2026-06-03T06:00:00+00:00", "chosen", days=days) == "2026-06-05T05:00:00+00:00"
    assert due("2026-06-05T05:00:00+00:00", "chosen", days=days) == "2026-06-09T05:00:00+00:00"


def test_one_chosen_day_comes_once_a_week():
    assert due("2026-06-09T05:00:00+00:00", "chosen", days=week.read("tue")) == "2026-06-16T05:00:00+00:00"


def test_a_row_that_names_no_day_is_served_daily_rather_than_never():
    assert due("2026-06-03T06:00:00+00:00", "chosen") == "2026-06-04T05:00:00+00:00"


def test_an_hour_that_the_clock_skips_comes_just_after():
    assert due("2026-03-28T12:00:00+00:00", hour=2) == "2026-03-29T01:00:00+00:00"  # 03:00 summer time


def test_an_hour_that_comes_twice_counts_once():
    first = datetime.fromisoformat(due("2026-10-24T12:00:00+00:00", hour=2))
    assert first.isoformat() == "2026-10-25T00:00:00+00:00"
    assert schedule.next_due(Times("daily", 2, 0, "Europe/Berlin"), first).date() == date(2026, 10, 26)


def test_a_gap_that_ends_at_midnight_keeps_the_date():
    at = datetime.fromisoformat(due("2026-03-28T03:00:00+00:00", hour=23, zone="America/Nuuk"))
    assert at.astimezone(ZoneInfo("America/Nuuk")).isoformat() == "2026-03-28T22:00:00-02:00"


def test_a_date_that_a_zone_never_had_is_no_one_s_due_day():
    at = datetime(2011, 12, 29, 20, tzinfo=UTC)  # Samoa went from the 29th to the 31st
    found = schedule.next_due(Times("daily", 7, 0, "Pacific/Apia"), at)
    assert schedule.local_date("Pacific/Apia", found) == date(2011, 12, 31)


def test_leap_days_and_year_ends_are_days_like_others():
    assert due("2028-02-28T06:00:00+00:00") == "2028-02-29T06:00:00+00:00"
    assert due("2026-12-31T06:00:00+00:00") == "2027-01-01T06:00:00+00:00"


def test_f49_a_zone_that_tzdata_dropped_is_served_by_utc():
    assert due("2026-06-03T06:00:00+00:00", zone="Europe/Atlantis") == "2026-06-03T07:00:00+00:00"
    assert not schedule.is_known("Europe/Atlantis")


@pytest.mark.parametrize(
    ("field", "wish"),
    [
        ("zone", ("daily", 7, 0, "Berlin")),
        ("zone", ("daily", 7, 0, "../../etc/passwd")),
        ("zone", ("daily", 7, 0, "")),
        ("hour", ("daily", 24, 0, "UTC")),
        ("hour", ("daily", -1, 0, "UTC")),
        ("weekday", ("weekly", 7, 7, "UTC")),
        ("frequency", ("hourly", 7, 0, "UTC")),
        ("days", ("chosen", 7, 0, "UTC")),
        ("days", ("chosen", 7, 0, "UTC", 128)),
        ("days", ("daily", 7, 0, "UTC", -1)),
    ],
)
def test_a_wish_that_cannot_be_kept_is_refused_with_a_sentence(field, wish):
    with pytest.raises(schedule.ScheduleError) as caught:
        schedule.check(Times(*wish))
    assert caught.value.field == field
    assert caught.value.message.endswith(".")


def dates_served(zone: str, hour: int, start: datetime, days: int) -> list[date]:
    at, served = start, []
    for _ in range(days):
        at = schedule.next_due(Times("daily", hour, 0, zone), at)
        served.append(schedule.local_date(zone, at))
    return served


def consecutive(dates: list[date]) -> bool:
    return all(later - earlier == timedelta(days=1) for earlier, later in itertools.pairwise(dates))


@given(zones, hours, moments)
def test_f46_every_local_date_is_served_once(zone, hour, start):
    assert consecutive(dates_served(zone, hour, start, 10))


@pytest.mark.parametrize("zone", JUMPY)
def test_f46_zones_with_odd_changes_serve_every_date_at_every_hour(zone):
    for hour in (0, 1, 2, 22, 23):
        assert consecutive(dates_served(zone, hour, datetime(2025, 1, 1, tzinfo=UTC), 730)), hour


@pytest.mark.slow
def test_f46_every_zone_serves_every_local_date_from_2020_to_2035_once():
    start, days = datetime(2020, 1, 1, tzinfo=UTC), 16 * 365 + 4
    wrong = [zone for number, zone in enumerate(ZONES) if not consecutive(dates_served(zone, number % 24, start, days))]
    assert wrong == []


@given(all_times, moments)
def test_last_due_and_next_due_meet(times, at):
    last, following = schedule.last_due(times, at), schedule.next_due(times, at)
    assert last <= at < following
    assert schedule.next_due(times, last) == following


def all_dates(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def chosen_dates(times: Times, start: datetime, letters: int) -> list[date]:
    at, served = start, []
    for _ in range(letters):
        at = schedule.next_due(times, at)
        served.append(schedule.local_date(times.zone, at))
    return served


@given(sets, zones, hours, moments)
def test_f46_every_chosen_day_is_served_once_and_no_other(days, zone, hour, start):
    served = chosen_dates(Times("chosen", hour, 0, zone, days), start, 10)
    wanted = [day for day in all_dates(served[0], served[-1]) if days >> day.weekday() & 1]
    assert served == wanted


@pytest.mark.parametrize("zone", JUMPY)
def test_f46_chosen_days_meet_zones_with_odd_changes_at_every_hour(zone):
    for hour in (0, 1, 2, 22, 23):
        for days in ("sat", "sun", "fri sun", "mon thu sat"):
            times = Times("chosen", hour, 0, zone, week.read(days))
            served = chosen_dates(times, datetime(2025, 1, 1, tzinfo=UTC), 120)
            wanted = [day for day in all_dates(served[0], served[-1]) if times.days >> day.weekday() & 1]
            assert served == wanted, (hour, days)


def test_a_chosen_day_that_a_zone_never_had_is_left_out():
    times = Times("chosen", 7, 0, "Pacific/Apia", week.read("fri sat"))
    served = chosen_dates(times, datetime(2011, 12, 24, 20, tzinfo=UTC), 3)  # no Friday the 30th
    assert served == [date(2011, 12, 31), date(2012, 1, 6), date(2012, 1, 7)]


@given(zones, hours, moments, st.sampled_from(["daily", "weekdays"]))
def test_days_chosen_one_by_one_are_the_ready_made_ones(zone, hour, at, frequency):
    days = {"daily": schedule.EVERY_DAY, "weekdays": schedule.WORKING_DAYS}[frequency]
    assert schedule.next_due(Times("chosen", hour, 0, zone, days), at) == schedule.next_due(
        Times(frequency, hour, 0, zone), at
    )


@given(all_times, all_times, moments)
def test_f48_no_change_of_wishes_serves_a_local_date_twice(before, after, now):
    served = schedule.last_due(before, now)
    due_at = schedule.next_due_after_serving(after, now, served)
    assert due_at > now
    assert schedule.local_date(after.zone, due_at) > schedule.local_date(after.zone, served)
    assert due_at - now <= timedelta(days=9, hours=2)


@given(zones, hours, zones, hours, moments)
def test_f48_a_change_of_zone_never_serves_a_local_date_twice(old_zone, old_hour, zone, hour, now):
    served = schedule.last_due(Times("daily", old_hour, 0, old_zone), now)
    due_at = schedule.next_due_after_serving(Times("daily", hour, 0, zone), now, served)
    assert due_at > now
    assert schedule.local_date(zone, due_at) > schedule.local_date(zone, served)
    assert due_at - now <= timedelta(days=2, hours=2)


@given(st.lists(st.tuples(zones, hours, st.integers(1, 48)), min_size=2, max_size=12))
@settings(max_examples=60)
def test_f48_however_often_a_reader_changes_their_mind_they_are_due_again_within_two_days(changes):
    now = datetime(2026, 3, 20, tzinfo=UTC)
    zone, hour, _ = changes[0]
    due_at, served = schedule.next_due(Times("daily", hour, 0, zone), now), None
    for zone, hour, wait in changes[1:]:
        now += timedelta(hours=wait)
        if due_at <= now:
            served = due_at
        due_at = schedule.next_due_after_serving(Times("daily", hour, 0, zone), now, served)
        assert now < due_at <= now + timedelta(days=2, hours=2)


@given(zones, hours, moments)
def test_the_first_letter_after_the_start_of_a_day_comes_on_that_day(zone, hour, at):
    day = at.date()
    start = schedule.start_of(zone, day)
    due_at = schedule.next_due(Times("daily", hour, 0, zone), start - timedelta(seconds=1))
    assert schedule.local_date(zone, start) == schedule.local_date(zone, due_at) >= day
