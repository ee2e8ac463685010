from __future__ import annotations

from datetime import date

import pytest

from subscriptions.when import schedule, zones


@pytest.mark.parametrize(
    ("name", "today"),
    [
        ("Asia/Calcutta", "Asia/Kolkata"),
        ("Europe/Kiev", "Europe/Kyiv"),
        ("Australia/LHI", "Australia/Lord_Howe"),
        ("Brazil/DeNoronha", "America/Noronha"),
        ("Etc/UTC", "UTC"),
        ("GMT", "UTC"),
        ("Europe/Oslo", "Europe/Oslo"),
        ("Etc/GMT+5", "Etc/GMT+5"),
        ("Berlin", "Berlin"),
        ("", ""),
    ],
)
def test_an_earlier_name_is_todays(name: str, today: str) -> None:
    assert zones.canonical(name) == today


def test_each_place_is_offered_once_with_its_hours_from_utc() -> None:
    summer = {one.name: one for _, group in zones.groups(date(2026, 7, 1)) for one in group}
    assert summer.keys() == zones.names() <= schedule.zone_names()
    assert summer["Europe/Berlin"].shown == "Berlin (UTC+02:00)"
    assert summer["Asia/Kolkata"].shown == "Kolkata (UTC+05:30)"
    assert "Asia/Calcutta" in summer["Asia/Kolkata"].earlier.split()
    winter = {one.name: one.shown for _, group in zones.groups(date(2026, 12, 1)) for one in group}
    assert winter["America/New_York"] == "New York (UTC\N{MINUS SIGN}05:00)"
