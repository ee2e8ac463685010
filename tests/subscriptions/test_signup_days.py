"""Signing up for letters on chosen days."""

from __future__ import annotations

import re

import pytest

from subscriptions.links import urls
from subscriptions.models import Subscriber
from subscriptions.when import schedule, week
from tests.subscriptions.pages import entered, sign_up, signup, text, visitor

pytestmark = pytest.mark.django_db


def test_days_are_chosen_when_signing_up_and_named_before_the_button():
    sign_up(frequency="chosen", days=["4", "1"], hour="7", zone="Europe/Berlin")
    reader = Subscriber.objects.get()
    assert (reader.frequency, week.short(reader.days)) == ("chosen", "tue fri")
    client, page = entered(urls.confirm_url(reader))
    assert "Tuesday and Friday at 07:00, Europe/Berlin time" in text(client.get(page))
    client.post(page)
    reader.refresh_from_db()
    assert schedule.local_date(reader.zone, reader.next_digest_at).weekday() in {1, 4}


def test_a_weekly_letter_names_its_day_before_the_button():
    sign_up(frequency="weekly", weekday="6")
    client, page = entered(urls.confirm_url(Subscriber.objects.get()))
    assert "Once a week on Sunday at 07:00" in text(client.get(page))


def test_to_choose_no_day_is_answered_beside_the_days():
    page = text(sign_up(frequency="chosen", email=""))
    assert "Choose at least one day of the week" in page
    assert "Write your e-mail address." in page
    assert not Subscriber.objects.exists()


def test_the_way_back_from_a_mistyped_address_keeps_the_days():
    page = text(visitor().post("/subscribe/", signup(frequency="chosen", days=["1", "4"])))
    assert re.findall(r'name="days" value="(\d)"', page) == ["1", "4"]


def test_without_javascript_the_days_are_there_with_what_they_count_for():
    page = text(visitor().get("/subscribe/"))
    assert page.count('type="checkbox" name="days"') == 7
    assert "They count only with “On the days I choose”." in page
