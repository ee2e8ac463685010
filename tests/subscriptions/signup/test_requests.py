from __future__ import annotations

from datetime import timedelta

import pytest

from subscriptions import services
from subscriptions.models import Notice, SignupRequest, Subscriber
from subscriptions.signup import requests
from tests import make
from tests.make import NOW

pytestmark = pytest.mark.django_db


def test_a_signup_written_down_becomes_a_waiting_reader():
    requests.store("signup", "ada@example.org", {"queries": ["protein"], "hour": 9}, "192.0.2.0/24", NOW)
    assert not Subscriber.objects.exists()
    assert requests.process(NOW) == {"signup": 1}
    reader = Subscriber.objects.get()
    assert (reader.hour, reader.interests.count(), Notice.objects.count(), SignupRequest.objects.count()) == (
        9,
        1,
        1,
        0,
    )


@pytest.mark.parametrize(
    ("email", "outcome", "letters"), [("ada@example.org", "link", 1), ("nobody@example.org", "nobody", 0)]
)
def test_a_fresh_link_goes_to_readers_only(email, outcome, letters):
    make.subscriber("ada@example.org")
    requests.store("link", email, {}, "", NOW)
    assert requests.process(NOW) == {outcome: 1}
    assert Notice.objects.count() == letters


def test_one_ask_that_comes_to_nothing_holds_up_no_other():
    services.suppress("eve@example.org", "complaint", NOW)
    requests.store("signup", "eve@example.org", {}, "", NOW)
    requests.store("signup", "ada@example.org", {"topics": ["gone"]}, "", NOW)
    requests.store("signup", "ben@example.org", {}, "", NOW)
    assert requests.process(NOW) == {"refused": 2, "signup": 1}
    assert not SignupRequest.objects.exists()


def test_f44_one_ask_that_breaks_stops_no_other_and_is_dropped_in_time(caplog):
    requests.store("signup", "ada@example.org", {"colour": "red"}, "", NOW)
    requests.store("signup", "ben@example.org", {}, "", NOW)
    assert requests.process(NOW) == {"troubled": 1, "signup": 1}
    assert requests.process(NOW + timedelta(minutes=59)) == {"troubled": 1}
    assert requests.process(NOW + timedelta(minutes=61)) == {"dropped": 1}
    assert "example.org" not in caplog.text
    assert not SignupRequest.objects.exists()


def test_a_refused_ask_is_not_logged_by_name(caplog):
    caplog.set_level("DEBUG")
    requests.store("signup", "ada@example.org", {"topics": ["gone"]}, "", NOW)
    requests.process(NOW)
    assert "ada" not in caplog.text
