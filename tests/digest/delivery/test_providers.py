"""Group G of the fault list: every provider's real format over HTTP and SMTP, and every way it can fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from digest import delivery
from digest.delivery import carry_over, claim, plan, resolve, send, settle
from digest.delivery.channels import evidence, provider_api, throttle
from digest.models import Attempt, Channel, Delivery, Edition, FrozenCopy
from subscriptions.clock import database_now
from subscriptions.limits import limiter
from subscriptions.mail import outgoing
from subscriptions.models import Suppression
from tests import make
from tests.chaos.provider import HttpServer, Provider, SmtpServer
from tests.chaos.proxy import Proxy
from tests.make import NOW

pytestmark = pytest.mark.django_db

HTTP = ("resend", "brevo", "postmark", "mailgun", "amazon_ses")
ENDLESS = {"before hang", "after hang", "after drip", "blackhole"}
OURS = {"resend": "subscriptions.mail.backends.ResendBackend"}


@pytest.fixture
def truth() -> Provider:
    return Provider(hang=0.8)


@pytest.fixture
def use(settings: Any, truth: Provider, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    monkeypatch.setattr(send, "NEEDED", 1.5)
    settings.MAIL_RATE = 10_000
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    with HttpServer(truth) as http, SmtpServer(truth) as smtp:
        monkeypatch.setenv("AWS_ENDPOINT_URL", http.url)

        def choose(name: str, fault: str = "") -> None:
            if fault in ENDLESS:  # only here is the deadline short: elsewhere a slow machine must not make a doubt
                monkeypatch.setattr(outgoing, "DEADLINE", 2.0)
                truth.hang = 2.5
            settings.MAIL_CHANNEL = name
            settings.EMAIL_BACKEND = OURS.get(name, f"anymail.backends.{name}.EmailBackend")
            settings.ANYMAIL = {
                "RESEND_API_KEY": "k",
                "RESEND_API_URL": http.url,
                "BREVO_API_KEY": "k",
                "BREVO_API_URL": f"{http.url}/v3/",
                "POSTMARK_SERVER_TOKEN": "k",
                "POSTMARK_API_URL": http.url,
                "MAILGUN_API_KEY": "k",
                "MAILGUN_API_URL": f"{http.url}/v3",
                "MAILGUN_SENDER_DOMAIN": "example.org",
                "AMAZON_SES_CLIENT_PARAMS": {"config": {"retries": {"total_max_attempts": 1}}},
            }
            if name == "smtp":
                settings.EMAIL_BACKEND = "subscriptions.mail.backends.SmtpBackend"
                settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", smtp.port

        yield choose


@pytest.fixture
def readers(edition: Edition) -> list[str]:
    names = [f"reader{n}@example.org" for n in range(3)]
    for name in names:
        make.subscriber(name, queries=["speech"])
    return names


def states() -> list[str]:
    return list(Delivery.objects.order_by("pk").values_list("state", flat=True))


def day(now: Any = NOW) -> None:
    plan.plan(now)
    delivery.deliver(now)


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """Leases and doubts see a clock that is so much further."""

    def shift(by: timedelta) -> None:
        for module in (claim, settle, resolve, evidence, throttle):
            monkeypatch.setattr(module, "database_now", lambda: database_now() + by)

    return shift


@pytest.mark.parametrize("name", [*HTTP, "smtp"])
def test_each_provider_takes_the_letter_with_what_finds_it_again(
    name: str, use: Callable[[str], None], truth: Provider, readers: list[str]
) -> None:
    use(name)
    day()
    assert states() == ["accepted"] * 3
    assert sorted(one.to for one in truth.log) == readers
    assert {one.delivery for one in truth.log} == {str(one) for one in Delivery.objects.values_list("uuid", flat=True)}
    if name != "smtp":
        assert {one.metadata["attempt"] for one in truth.log} == {
            str(one) for one in Attempt.objects.values_list("key", flat=True)
        }


@pytest.mark.thorough
@pytest.mark.parametrize("name", HTTP)
def test_f73_too_many_requests_is_a_definite_not_now_and_burns_no_try(
    name: str, use: Callable[[str], None], truth: Provider, readers: list[str]
) -> None:
    use(name)
    truth.scripted = ["before 429"]
    truth.retry_after = 60  # longer than the round may take: its clock moves on, and a second later the letter is due
    day()
    late = Delivery.objects.filter(state="pending")
    assert [row.tries for row in late] == [0]
    delivery.deliver(NOW + timedelta(minutes=5))
    assert states() == ["accepted"] * 3
    assert not truth.duplicates()


@pytest.mark.thorough
def test_f73_the_rate_falls_and_recovers_by_itself(use: Any, truth: Provider, readers: list[str]) -> None:
    use("postmark")
    truth.scripted = ["before 429"]
    day()
    slow = Channel.objects.get().rate
    assert slow is not None
    assert slow <= 5_000
    for days in range(1, 16):
        at = NOW + timedelta(days=days)
        make.edition(at.date(), papers=[make.paper("Speech")])
        day(at)
    assert Channel.objects.get().rate is None


@pytest.mark.thorough
@pytest.mark.parametrize("code", ["421", "450", "451"])
def test_f73_smtp_says_not_now(code: str, use: Any, truth: Provider, readers: list[str]) -> None:
    use("smtp")
    truth.scripted = [f"before {code}"]
    day()
    assert Delivery.objects.filter(state="pending", tries=0).count() >= 1
    assert bool(limiter.held("destination", NOW)) == (code == "421")
    delivery.deliver(NOW + timedelta(minutes=11))
    assert states() == ["accepted"] * 3
    assert not truth.duplicates()


def test_f74_a_refused_connection_is_definite(use: Any, readers: list[str], settings: Any) -> None:
    use("postmark")
    settings.ANYMAIL = {**settings.ANYMAIL, "POSTMARK_API_URL": "http://127.0.0.1:9"}
    day()
    assert states() == ["pending"] * 3
    assert not Attempt.objects.exclude(state="closed").exists()


def test_f74_no_smtp_server_is_definite(use: Any, readers: list[str], settings: Any) -> None:
    use("smtp")
    settings.EMAIL_PORT = 9
    day()
    assert states() == ["pending"] * 3


UNCLEAR = [
    "before 500", "before reset", "before hang", "before half",
    "after 500", "after reset", "after hang", "after bad json", "after no id", "after drip",
]  # fmt: skip


@pytest.mark.thorough
@pytest.mark.parametrize("fault", UNCLEAR)
def test_f75_an_unclear_answer_is_a_doubt_and_evidence_ends_it(
    fault: str, use: Any, truth: Provider, readers: list[str], later: Callable[[timedelta], None]
) -> None:
    use("postmark", fault)
    truth.scripted = [fault]
    day()
    assert sorted(states()) == ["accepted", "accepted", "ambiguous"]
    delivery.deliver(NOW)
    assert "ambiguous" in states()
    later(timedelta(minutes=20))
    delivery.deliver(NOW)
    delivery.deliver(NOW)
    assert states() == ["accepted"] * 3
    assert len(truth.log) == 3
    assert not truth.duplicates()


@pytest.mark.parametrize("fault", UNCLEAR)
@pytest.mark.parametrize("name", ["resend", "brevo"])
def test_f75_the_same_letter_under_the_same_key_ends_it_too(
    name: str, fault: str, use: Any, truth: Provider, readers: list[str], later: Callable[[timedelta], None]
) -> None:
    use(name, fault)
    truth.scripted = [fault]
    day()
    assert FrozenCopy.objects.count() == 1
    later(timedelta(minutes=2))
    delivery.deliver(NOW)
    assert states() == ["accepted"] * 3
    assert len(truth.log) == 3
    assert not truth.duplicates()
    assert not FrozenCopy.objects.exists()


@pytest.mark.thorough
@pytest.mark.parametrize("name", ["mailgun", "postmark"])
def test_f75_a_record_is_asked_over_all_its_pages(
    name: str, use: Any, truth: Provider, edition: Edition, later: Callable[[timedelta], None]
) -> None:
    use(name)
    for number in range(12):
        make.subscriber(f"r{number}@example.org", queries=["speech"])
    truth.scripted = [""] * 11 + ["after reset"]
    day()
    assert states().count("ambiguous") == 1
    later(timedelta(minutes=40))
    delivery.deliver(NOW)
    assert states() == ["accepted"] * 12
    assert len(truth.log) == 12


def test_f75_a_record_that_cannot_be_asked_proves_nothing(
    use: Any, truth: Provider, readers: list[str], later: Callable[[timedelta], None]
) -> None:
    use("postmark")
    truth.scripted = ["before reset"]
    day()
    later(timedelta(minutes=20))
    truth.down = True
    delivery.deliver(NOW)
    assert states().count("ambiguous") == 1


@pytest.mark.thorough
def test_f75_without_evidence_the_doubt_is_named_in_the_end(
    use: Any, truth: Provider, readers: list[str], later: Callable[[timedelta], None]
) -> None:
    use("amazon_ses")
    truth.scripted = ["after reset"]
    day()
    later(timedelta(hours=7))
    delivery.deliver(NOW)
    assert states().count("uncertain") == 1
    assert [row.subscriber.email for row in resolve.backlog()]


def test_f76_each_letter_has_its_own_answer(use: Any, truth: Provider, readers: list[str]) -> None:
    use("postmark")
    truth.refused = {readers[1]: "inactive"}
    day()
    assert states() == ["accepted", "rejected", "accepted"]


def test_f78_a_refused_address_is_suppressed_and_never_tried_again(
    use: Any, truth: Provider, readers: list[str]
) -> None:
    use("smtp")
    truth.refused = {readers[0]: "550 5.1.1 no such user"}
    day()
    assert states() == ["rejected", "accepted", "accepted"]
    assert Suppression.objects.count() == 1
    delivery.deliver(NOW + timedelta(hours=1))
    assert len(truth.log) == 2


@pytest.mark.thorough
def test_f78_a_refusal_for_policy_does_not_suppress(use: Any, truth: Provider, readers: list[str]) -> None:
    use("smtp")
    truth.refused = {readers[0]: "550 5.7.1 we do not like you today"}
    day()
    assert states()[0] == "pending"
    assert not Suppression.objects.exists()
    for hours in range(1, 8):
        delivery.deliver(NOW + timedelta(hours=hours))
    assert states() == ["dead", "accepted", "accepted"]


@pytest.mark.thorough
def test_f79_a_poison_letter_is_set_aside_and_the_others_go(use: Any, truth: Provider, readers: list[str]) -> None:
    use("resend")
    truth.refused = {readers[1]: "poison"}
    plan.plan(NOW)
    for hours in range(4):
        delivery.deliver(NOW + timedelta(hours=hours))
    assert states() == ["accepted", "dead", "accepted"]


@pytest.mark.thorough
def test_f79_the_replay_button_sends_it_after_all(use: Any, truth: Provider, readers: list[str]) -> None:
    use("resend")
    truth.refused = {readers[1]: "poison"}
    plan.plan(NOW)
    for hours in range(4):
        delivery.deliver(NOW + timedelta(hours=hours))
    truth.refused = {}
    at = NOW + timedelta(hours=5)
    assert resolve.revive(Delivery.objects.get(state="dead"), at)
    delivery.deliver(at)
    assert states() == ["accepted"] * 3


@pytest.mark.thorough
def test_f81_a_provider_that_is_down_all_day_costs_the_day_but_no_papers(
    use: Any, truth: Provider, readers: list[str], settings: Any
) -> None:
    use("postmark")
    up = settings.ANYMAIL
    settings.ANYMAIL = {**up, "POSTMARK_API_URL": "http://127.0.0.1:9"}
    plan.plan(NOW)
    for hours in (0, 1, 21):
        delivery.deliver(NOW + timedelta(hours=hours))
    assert states() == ["expired"] * 3
    settings.ANYMAIL = up
    tomorrow = NOW + timedelta(days=1)
    make.edition(tomorrow.date(), papers=[make.paper("Speech of tomorrow")])
    day(tomorrow)
    brought = Delivery.objects.filter(state="accepted")
    assert [len(row.papers) for row in brought] == [2, 2, 2]
    assert all(row.papers[1]["reasons"][0]["kind"] == carry_over.KIND for row in brought)
    assert Delivery.objects.filter(carried_by=None, state="expired").count() == 0


@pytest.mark.thorough
@pytest.mark.parametrize("fault", ["after reset", "before reset"])
def test_f82_smtp_that_hangs_up_after_the_last_dot_is_a_doubt(
    fault: str, use: Any, truth: Provider, readers: list[str]
) -> None:
    use("smtp")
    truth.scripted = [fault]
    day()
    assert sorted(states()) == ["accepted", "accepted", "uncertain"]
    delivery.deliver(NOW + timedelta(hours=1))
    assert not truth.duplicates()


def test_a_pull_that_is_not_whole_says_so(use: Any, truth: Provider, readers: list[str], settings: Any) -> None:
    use("postmark")
    day()
    truth.down = True
    with pytest.raises(provider_api.PullError):
        provider_api.accepted(Attempt.objects.first())


# -- a network that breaks, between us and a provider that does not ------------------------------


@pytest.mark.thorough
@pytest.mark.parametrize("cut", [1, 20, 150])
def test_f09_f75_a_connection_cut_within_the_answer_is_a_doubt(
    cut: int, use: Any, truth: Provider, readers: list[str], settings: Any, later: Callable[[timedelta], None]
) -> None:
    use("postmark")
    straight = settings.ANYMAIL
    with Proxy(_port(straight["POSTMARK_API_URL"]), cut_after=cut) as proxy:
        settings.ANYMAIL = {**straight, "POSTMARK_API_URL": f"http://127.0.0.1:{proxy.port}"}
        day()
    assert set(states()) == {"ambiguous"}
    settings.ANYMAIL = straight
    later(timedelta(minutes=20))
    delivery.deliver(NOW)
    delivery.deliver(NOW)
    assert states() == ["accepted"] * 3
    assert not truth.duplicates()


@pytest.mark.thorough
def test_f75_a_provider_that_takes_and_never_answers_costs_a_deadline_each(
    use: Any, truth: Provider, readers: list[str], settings: Any
) -> None:
    use("resend", "blackhole")
    straight = settings.ANYMAIL
    with Proxy(_port(straight["RESEND_API_URL"]), blackhole=True) as proxy:
        settings.ANYMAIL = {**straight, "RESEND_API_URL": f"http://127.0.0.1:{proxy.port}"}
        day()
        assert set(states()) == {"ambiguous"}
    assert FrozenCopy.objects.count() == 3


@pytest.mark.thorough
def test_f74_a_connection_reset_at_the_door_is_no_duplicate(
    use: Any, truth: Provider, readers: list[str], settings: Any, later: Callable[[timedelta], None]
) -> None:
    use("resend")
    straight = settings.ANYMAIL
    with Proxy(_port(straight["RESEND_API_URL"]), refuse=True) as proxy:
        settings.ANYMAIL = {**straight, "RESEND_API_URL": f"http://127.0.0.1:{proxy.port}"}
        day()
    settings.ANYMAIL = straight
    later(timedelta(minutes=2))
    delivery.deliver(NOW + timedelta(minutes=2))
    assert states() == ["accepted"] * 3
    assert len(truth.log) == 3


def _port(url: str) -> int:
    return int(url.rstrip("/").rpartition(":")[2])
