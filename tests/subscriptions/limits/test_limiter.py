from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import RequestFactory

from subscriptions import addresses
from subscriptions.limits import client_prefix, limiter
from subscriptions.models import Budget
from tests.make import NOW

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.mark.django_db
def test_a_budget_is_used_up_and_comes_back():
    taken = [limiter.take("address", "ada@example.org", NOW + hours * HOUR) for hours in (0, 1, 23, 25)]
    assert taken == [True, False, False, True]


@pytest.mark.django_db
def test_a_refusal_uses_nothing():
    for hours in range(24):
        limiter.take("address", "ada@example.org", NOW + hours * HOUR)
    assert limiter.take("address", "ada@example.org", NOW + DAY + HOUR)


@pytest.mark.django_db
def test_budgets_of_different_people_are_apart():
    assert limiter.take("address", "ada@example.org", NOW)
    assert limiter.take("address", "ben@example.org", NOW)


@pytest.mark.django_db
def test_it_tells_when_there_is_room_again():
    limiter.take("address", "ada@example.org", NOW)
    assert not limiter.has_room("address", "ada@example.org", NOW + HOUR)
    assert limiter.free_again("address", "ada@example.org", NOW + HOUR) == 23 * HOUR
    assert limiter.free_again("address", "ben@example.org", NOW) == timedelta(0)


@pytest.mark.django_db
def test_the_site_has_a_budget_of_its_own(settings):
    settings.SIGNUPS_PER_HOUR = 5
    letters = [limiter.take_for_letter(addresses.read(f"a{n}@host{n}.example"), NOW) for n in range(8)]
    assert letters == [True] * 5 + [False] * 3


@pytest.mark.django_db
def test_a_domain_gets_a_share_of_the_sites_budget(settings):
    settings.SIGNUPS_PER_HOUR = 10
    letters = [limiter.take_for_letter(addresses.read(f"a{n}@example.org"), NOW) for n in range(8)]
    assert letters == [True] * 4 + [False] * 4


@pytest.mark.django_db
def test_a_refusal_by_the_domain_leaves_the_address_its_own(settings):
    settings.SIGNUPS_PER_HOUR = 2
    limiter.take_for_letter(addresses.read("ben@example.org"), NOW)
    ada = addresses.read("ada@example.org")
    assert [limiter.take_for_letter(ada, NOW), limiter.take_for_letter(ada, NOW + 2 * HOUR)] == [False, True]


@pytest.mark.django_db
def test_no_budget_names_anybody():
    limiter.take_for_letter(addresses.read("zoe@example.org"), NOW)  # letters that no hash in hex has
    limiter.take("network", "192.0.2.0/24", NOW)
    kept = repr(list(Budget.objects.values()))
    assert "zoe" not in kept
    assert "192.0" not in kept


@pytest.mark.django_db
def test_old_budgets_are_forgotten():
    limiter.take("address", "ada@example.org", NOW)
    assert limiter.prune(NOW + 29 * DAY) == 0
    assert limiter.prune(NOW + 31 * DAY) == 1


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2::7", "2001:db8:1::/48"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
        ("", ""),
        ("unix", ""),
    ],
)
def test_networks_are_cut(address, network):
    assert client_prefix.prefix(address) == network


def test_a_visitors_own_header_is_not_believed(settings):
    request = RequestFactory().get("/", REMOTE_ADDR="192.0.2.1", HTTP_X_FORWARDED_FOR="198.51.100.1")
    assert client_prefix.prefix_of(request) == "192.0.2.0/24"
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    request = RequestFactory().get("/", REMOTE_ADDR="127.0.0.1", HTTP_X_FORWARDED_FOR="203.0.113.9, 198.51.100.1")
    assert client_prefix.prefix_of(request) == "198.51.100.0/24"
