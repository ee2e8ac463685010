from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.http import HttpResponse
from django.test import RequestFactory
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as settings_of
from hypothesis import strategies as st

from digest.operate.doctor import visitors
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
    letters = [limiter.take_for_letter(addresses.read(f"a{n}@example.org"), NOW) for n in range(10)]
    assert letters == [True] * 8 + [False] * 2


def asked(number: int, network: int, proved: bool = False, domain: str = "example.org") -> bool:
    address = addresses.read(f"a{number}@{domain}")
    return limiter.take_for_signup(address, f"10.{network}.0.0/24", NOW, proved)


@pytest.mark.django_db
def test_one_network_gets_a_part_of_what_a_domain_may_have():
    assert [asked(n, network=1) for n in range(12)] == [True] * 10 + [False] * 2
    assert asked(20, network=1, domain="example.net")
    assert asked(21, network=2)
    assert asked(22, network=1, proved=True)


@pytest.mark.django_db
def test_who_used_up_a_domains_allowance_cannot_shut_others_out(settings):
    settings.SIGNUPS_PER_HOUR = 100  # of these 40 to one domain without a proof, 80 with
    strangers = [asked(n, network=n % 6, proved=True) for n in range(200)]
    assert strangers.count(True) == 40 + 6 * 3
    assert not asked(300, network=77)
    assert asked(300, network=77, proved=True)


@pytest.mark.django_db
def test_who_used_up_the_sites_allowance_cannot_shut_others_out(settings):
    settings.SIGNUPS_PER_HOUR = 50  # of these 40 without a proof
    strangers = [asked(n, network=n % 3, proved=True, domain=f"h{n}.example") for n in range(100)]
    assert strangers.count(True) == 40 + 3 * 3
    assert not asked(300, network=77)
    assert asked(300, network=77, proved=True)


@pytest.mark.django_db
def test_a_signup_that_is_refused_uses_nothing(settings):
    settings.SIGNUPS_PER_HOUR = 1
    assert [asked(1, network=1), asked(2, network=2), asked(3, network=3, proved=True)] == [True, False, False]
    assert limiter.has_room("network", "10.2.0.0/24", NOW)
    assert not Budget.objects.filter(key__startswith="late:").exists()


@pytest.mark.django_db
def test_a_use_is_counted_even_where_there_is_no_room():
    for _ in range(3):
        limiter.note("address", "ada@example.org", NOW)
    assert not limiter.has_room("address", "ada@example.org", NOW + 2 * DAY)
    limiter.forget("address", "ada@example.org")
    assert limiter.take("address", "ada@example.org", NOW)


@pytest.mark.django_db
def test_what_is_put_off_goes_on_by_itself():
    limiter.hold("destination", "slow.example", NOW + HOUR, "451 later")
    limiter.hold("destination", "quick.example", NOW + timedelta(minutes=1))
    limiter.hold("destination", "quick.example", NOW + timedelta(minutes=2))
    assert limiter.held_until("destination", "quick.example", NOW) == NOW + timedelta(minutes=2)
    assert limiter.held_until("host", "slow.example", NOW) is None
    held = [(one.subject, one.reason) for one in limiter.held("destination", NOW + timedelta(minutes=2))]
    assert held == [("slow.example", "451 later")]


@pytest.mark.django_db
def test_turns_are_one_at_a_time_and_end_by_themselves():
    minute = timedelta(minutes=1)
    assert limiter.begin_turn("arxiv.org", NOW, minute)
    assert not limiter.begin_turn("arxiv.org", NOW, minute)
    assert limiter.begin_turn("example.org", NOW, minute)
    assert limiter.begin_turn("arxiv.org", NOW + minute, minute)
    limiter.end_turn("arxiv.org", NOW + minute + timedelta(seconds=3))
    assert not limiter.begin_turn("arxiv.org", NOW + minute + timedelta(seconds=2), minute)
    assert limiter.begin_turn("arxiv.org", NOW + minute + timedelta(seconds=3), minute)


def drawn(wanted: int, seconds: float, rate: float = 5, size: float = 10) -> int:
    return limiter.draw("channel", "smtp", wanted, rate, size, NOW + timedelta(seconds=seconds))


@pytest.mark.django_db
def test_a_bucket_gives_what_it_holds_and_fills_again():
    assert [drawn(8, 0), drawn(8, 0), drawn(8, 0)] == [8, 2, 0]
    assert [drawn(8, 1), drawn(99, 60)] == [5, 10]
    limiter.give_back("channel", "smtp", 4, 5, NOW + timedelta(seconds=60))
    assert drawn(99, 60) == 4


@pytest.mark.django_db
def test_a_bucket_outlives_a_clock_that_steps_back():
    drawn(10, 3600)
    assert [drawn(1, 0), drawn(99, 2)] == [0, 10]


@pytest.mark.django_db
def test_an_emptied_bucket_fills_at_its_new_rate():
    limiter.empty("channel", "smtp", 2, 4, NOW)
    assert [drawn(9, 0, 2, 4), drawn(9, 1, 2, 4)] == [0, 2]


@pytest.mark.django_db
@settings_of(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 30), st.floats(0, 20)), max_size=12))
def test_a_bucket_never_gives_more_than_it_was_filled_with(steps):
    Budget.objects.all().delete()
    rate, size, got, at = 3.0, 7.0, 0, 0.0
    for wanted, seconds in steps:
        at += seconds
        got += drawn(wanted, at, rate, size)
    assert got <= size + rate * at + 0.001


@pytest.mark.django_db
def test_a_refusal_by_the_domain_leaves_the_address_its_own(settings):
    settings.SIGNUPS_PER_HOUR = 1
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


def came(peer: str, forwarded: str | None, path: str = "/", **headers: str) -> str:
    """The network a request counts for, by its peer and X-Forwarded-For."""
    given = headers if forwarded is None else {"HTTP_X_FORWARDED_FOR": forwarded, **headers}
    request = RequestFactory().get(path, REMOTE_ADDR=peer, **given)
    client_prefix.TrustedProxies(lambda _: HttpResponse())(request)
    return client_prefix.prefix_of(request)


@pytest.fixture(autouse=True)
def nothing_noted():
    cache.clear()


@pytest.mark.django_db
@pytest.mark.parametrize("peer", ["192.0.2.1", "127.0.0.1", "10.0.0.7", "2001:db8:1::1"])
def test_a_visitors_own_header_is_not_believed(peer, settings):
    settings.TRUSTED_PROXIES = []
    assert came(peer, "198.51.100.1") == client_prefix.prefix(peer)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("peer", "forwarded", "network"),
    [
        ("127.0.0.1", "203.0.113.9, 198.51.100.1", "198.51.100.0/24"),  # the proxy's own entry is the last
        ("172.18.0.3", "198.51.100.1", "198.51.100.0/24"),
        ("", "198.51.100.1", "198.51.100.0/24"),  # a Unix socket
        ("::1", "2001:db8:1::1", "2001:db8:1::/48"),
        ("127.0.0.1", "203.0.113.9, 10.0.0.5", "10.0.0.0/24"),  # a visitor in a private network
        ("127.0.0.1", "198.51.100.1:8080", "198.51.100.0/24"),
        ("127.0.0.1", "[2001:db8:1::1]:8080", "2001:db8:1::/48"),
        ("127.0.0.1", "::ffff:198.51.100.1%eth0", "198.51.100.0/24"),
        ("127.0.0.1", "nonsense", "127.0.0.0/24"),
        ("203.0.113.7", "198.51.100.1", "203.0.113.0/24"),  # past the proxy
    ],
)
def test_a_proxy_of_this_machine_or_its_networks_is_believed(peer, forwarded, network, settings):
    settings.TRUSTED_PROXIES = ["private"]
    assert came(peer, forwarded) == network


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("peer", "forwarded", "network"),
    [
        ("192.0.2.7", "6.6.6.6, 198.51.100.1, 203.0.113.8", "198.51.100.0/24"),
        ("192.0.2.7", "203.0.113.8", "203.0.113.0/24"),
        ("127.0.0.1", "198.51.100.1", "127.0.0.0/24"),
    ],
)
def test_listed_proxies_are_believed_and_no_others(peer, forwarded, network, settings):
    settings.TRUSTED_PROXIES = ["192.0.2.7/32", "203.0.113.0/24"]
    assert came(peer, forwarded) == network


@pytest.mark.django_db
def test_no_stranger_says_that_a_request_came_by_tls(settings):
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.TRUSTED_PROXIES = ["private"]
    for peer, is_secure in (("203.0.113.7", False), ("127.0.0.1", True)):
        request = RequestFactory().get("/", REMOTE_ADDR=peer, HTTP_X_FORWARDED_PROTO="https")
        client_prefix.TrustedProxies(lambda _: HttpResponse())(request)
        assert request.is_secure() == is_secure


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("trusted", "peer", "forwarded", "said"),
    [
        ([], "127.0.0.1", "198.51.100.1", "nothing trusts it"),
        ([], "198.51.100.1", "203.0.113.9", ""),  # a visitor's own doing
        ([], "127.0.0.1", None, ""),
        (["private"], "203.0.113.7", None, "reached past it"),
        (["192.0.2.7/32"], "127.0.0.1", "198.51.100.1", "nothing trusts it"),
        (["private"], "10.0.0.7", None, "without X-Forwarded-For"),
        (["private"], "127.0.0.1", "198.51.100.1", ""),
        (["private"], "127.0.0.1", None, ""),  # whoever looks from the machine itself
    ],
)
def test_doctor_says_when_requests_do_not_come_by_the_proxy(trusted, peer, forwarded, said, settings):
    settings.TRUSTED_PROXIES = trusted
    came(peer, forwarded)
    finding = visitors.proxy(timezone.now())
    assert finding.state == ("warn" if said else "ok")
    assert said in finding.detail
    assert bool(finding.fix) == bool(said)
    assert visitors.proxy(timezone.now() + 2 * DAY).state == "ok"


@pytest.mark.django_db
def test_who_watches_the_site_needs_no_proxy(settings):
    settings.TRUSTED_PROXIES = ["private"]
    came("10.0.0.7", None, path="/healthz/")
    assert visitors.proxy(timezone.now()).state == "ok"
