"""A real Postfix on this machine, our process killed while it hands letters over, and the log that ends the doubt."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from digest import delivery
from digest.delivery import plan, resolve, run, send
from digest.delivery.channels import evidence, postfix, traits
from digest.models import Attempt, Delivery, Edition
from digest.operate.doctor import services
from subscriptions.clock import database_now
from subscriptions.mail import backends, outgoing
from tests import make
from tests.chaos.postfix import Postfix, absent
from tests.chaos.provider import Provider, SmtpServer
from tests.make import NOW

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.slow,
    pytest.mark.skipif(bool(absent()), reason=absent() or "Postfix is here"),
]


class KilledError(BaseException):
    """Our process is gone: nothing after it runs."""


@pytest.fixture(scope="module")
def truth() -> Provider:
    return Provider()


@pytest.fixture(scope="module")
def server(truth: Provider) -> Iterator[Postfix]:
    with SmtpServer(truth) as sink, Postfix(sink.port) as running:
        time.sleep(2.5)  # the log shall reach back to before the first letter
        yield running


@pytest.fixture(autouse=True)
def house(server: Postfix, settings: Any, monkeypatch: pytest.MonkeyPatch, edition: Edition) -> None:
    """Sends through that Postfix; patience is a matter of a second instead of a quarter of an hour."""
    settings.MAIL_CHANNEL, settings.POSTFIX_CONFIG = "postfix", str(server.config)
    settings.EMAIL_BACKEND = "subscriptions.mail.backends.SmtpBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
    monkeypatch.setattr(postfix, "MARGIN", timedelta(seconds=1.5))
    monkeypatch.setattr(evidence, "FLOOR", timedelta())
    monkeypatch.setattr(evidence, "MARGIN", timedelta())
    quick = replace(traits.TRAITS["postfix"], lag=timedelta())
    monkeypatch.setitem(traits.TRAITS, "postfix", quick)
    make.subscriber("control@example.org", queries=["speech"])
    deliver()
    assert states() == ["accepted"]


def deliver() -> None:
    plan.plan(NOW)
    delivery.deliver(NOW)


def states() -> list[str]:
    return list(Delivery.objects.order_by("pk").values_list("state", flat=True))


def killed_while_sending(monkeypatch: pytest.MonkeyPatch, number: int, before_the_dot: bool = False) -> None:
    """A process of ours hands over letters and is killed with the last line of the `number`th, right before or after
    it leaves. Its attempt stays as it was committed; then its lease is over.
    """

    def offer(attempt: Attempt, going: Sequence[Any], until: float, postbox: Any, *_: Any) -> list[Any]:
        child = os.fork()
        if child == 0:
            _hand_over_and_die([letter for _, letter in going], postbox, number, before_the_dot)
        _, status = os.waitpid(child, 0)
        assert os.WTERMSIG(status) == signal.SIGKILL
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(send, "offer", offer)
        with pytest.raises(KilledError):
            deliver()
    Attempt.objects.filter(state=Attempt.State.SENDING).update(lease_until=database_now())
    time.sleep(0.05)


def _hand_over_and_die(letters: Sequence[outgoing.Letter], postbox: Any, number: int, before_the_dot: bool) -> None:
    whole, dots = backends._Watched.send, [0]

    def deadly(self: Any, s: Any) -> None:
        raw = s if isinstance(s, bytes) else str(s).encode()
        if raw.endswith(b"\r\n.\r\n"):
            dots[0] += 1
            if dots[0] == number:
                whole(self, raw[:-3] if before_the_dot else raw)
                os.kill(os.getpid(), signal.SIGKILL)
        whole(self, s)

    backends._Watched.send = deadly  # type: ignore[method-assign]
    for letter in letters:
        outgoing._hand_over(letter, postbox)
    os._exit(1)


def sweep_until_settled(seconds: float = 15.0) -> None:
    """What the sweeper does every 15 seconds, a little faster."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and Delivery.objects.filter(state__in=["ambiguous", "claimed", "pending"]).exists():
        deliver()
        time.sleep(0.3)


def arrived(server: Postfix, truth: Provider) -> list[int]:
    """How often each reader's letter got through, in their order."""
    server.drain()
    return [truth.accepted()[str(one)] for one in Delivery.objects.order_by("pk").values_list("uuid", flat=True)]


def readers(many: int) -> None:
    for n in range(many):
        make.subscriber(f"reader{n}@example.org", queries=["speech"])


def test_f10_killed_between_the_dot_and_the_answer_the_log_shows_that_it_was_taken(
    server: Postfix, truth: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    readers(3)
    killed_while_sending(monkeypatch, number=2)
    run.sweep(NOW)
    assert states()[-1] == "ambiguous"  # of the others the log tells at once
    sweep_until_settled()
    assert states() == ["accepted"] * 4
    assert arrived(server, truth) == [1] * 4
    assert Attempt.objects.filter(outcome="evidence").count() == 1


def test_f09_killed_before_the_dot_the_log_shows_that_it_was_not_taken_and_it_is_sent_once(
    server: Postfix, truth: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    readers(1)
    killed_while_sending(monkeypatch, number=1, before_the_dot=True)
    run.sweep(NOW)
    assert states() == ["accepted", "ambiguous"]
    assert arrived(server, truth) == [1, 0]
    sweep_until_settled()
    assert states() == ["accepted"] * 2
    assert arrived(server, truth) == [1] * 2


def test_what_the_log_shows_counts_at_once_and_its_silence_only_when_it_is_whole(
    server: Postfix, truth: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    readers(3)
    killed_while_sending(monkeypatch, number=2)
    server.rotate()
    for _ in range(12):
        deliver()
        time.sleep(0.3)
    assert states() == ["accepted", "accepted", "accepted", "ambiguous"]
    monkeypatch.setattr(resolve, "LONGEST_DOUBT", timedelta())
    deliver()
    assert states()[-1] == "uncertain"
    assert [one.subscriber.email for one in resolve.backlog()] == ["reader2@example.org"]
    assert arrived(server, truth) == [1, 1, 1, 0]


def test_a_log_that_cannot_be_read_leaves_every_doubt_and_the_doctor_says_why(
    server: Postfix, truth: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    readers(1)
    killed_while_sending(monkeypatch, number=1)
    hidden = server.log.with_name("hidden")
    server.log.rename(hidden)
    try:
        deliver()
        time.sleep(2.5)
        deliver()
        assert states() == ["accepted", "ambiguous"]
        finding = services.mail_log()
        assert (finding.state, "cannot be read" in finding.detail) == ("warn", True)
    finally:
        hidden.rename(server.log)
    sweep_until_settled()
    assert states() == ["accepted"] * 2
    assert arrived(server, truth) == [1] * 2


def test_the_log_of_another_postfix_proves_nothing(
    server: Postfix, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    readers(1)
    with Postfix() as other:
        settings.POSTFIX_CONFIG = str(other.config)
        time.sleep(2.5)
        killed_while_sending(monkeypatch, number=1)
        time.sleep(3)
        monkeypatch.setattr(postfix, "PATIENCE", 0.5)
        deliver()
        assert states() == ["accepted", "ambiguous"]
        assert "belongs to another one" in services.mail_log().detail


def test_postfix_crashing_with_us_never_makes_a_second_letter(
    truth: Provider, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    """Its queue outlives it and the last lines of its log may not: what they would have said stays open."""
    with SmtpServer(truth) as sink, Postfix(sink.port) as own:
        settings.EMAIL_PORT, settings.POSTFIX_CONFIG = own.port, str(own.config)
        time.sleep(2.5)
        readers(2)
        killed_while_sending(monkeypatch, number=1)
        own.crash()
        own.log.write_bytes(b"".join(line for line in own.log.open("rb") if b"message-id=<d." not in line))
        own.start()
        time.sleep(3)
        deliver()
        assert states() == ["accepted", "ambiguous", "ambiguous"]
        monkeypatch.setattr(resolve, "LONGEST_DOUBT", timedelta())
        deliver()
        assert states() == ["accepted", "uncertain", "uncertain"]
        own.drain()
    assert (
        max(arrived_counts := [truth.accepted()[str(one)] for one in Delivery.objects.values_list("uuid", flat=True)])
        == 1
    )
    assert sum(arrived_counts) == 2


def test_the_doctor_is_content_with_a_log_that_postfix_writes_itself(server: Postfix) -> None:
    assert services.mail_log().state == "ok"
    assert services.postbox().state == "ok"


def test_a_log_through_syslog_is_no_evidence(server: Postfix, settings: Any, tmp_path: Any) -> None:
    settings.POSTFIX_CONFIG = str(tmp_path / "etc")
    shutil.copytree(server.config, settings.POSTFIX_CONFIG)
    subprocess.run(["/usr/sbin/postconf", "-c", settings.POSTFIX_CONFIG, "-e", "maillog_file="], check=True)
    assert "syslog" in services.mail_log().detail
    settings.POSTFIX_CONFIG = str(tmp_path / "nowhere")
    assert "postconf fails" in services.mail_log().detail
