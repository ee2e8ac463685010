"""A letter goes to the address its reader has at that moment, and to no reader of the demonstration."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from digest import delivery
from digest.delivery import claim, plan, reasons, resolve, send
from digest.delivery.accounts import audit, why
from digest.models import Delivery, Edition
from digest.operate import demo_data
from subscriptions import accounts, services
from subscriptions.addresses import keyed_hash
from subscriptions.mail import notices, outgoing
from subscriptions.mail.outcomes import Outcome
from subscriptions.mail.outgoing import Letter
from subscriptions.models import Notice, Subscriber
from subscriptions.wants.topics import load_starter_topics
from tests import make
from tests.digest.delivery.conftest import Provider
from tests.make import NOW

pytestmark = pytest.mark.django_db
NEW = "ada@new.example"


@pytest.fixture
def reader(edition: Edition, channel: Callable[[str], None]) -> Subscriber:
    return make.subscriber("ada@example.org", queries=["speech"])


def move(reader: Subscriber, email: str = NEW) -> None:
    accounts.ask_new_address(reader, email, NOW)
    accounts.take_new_address(reader, NOW)


@pytest.mark.parametrize("name", ["postmark", "resend", "smtp", "outbox"])
def test_a_claimed_letter_goes_to_the_new_address(
    name: str, reader: Subscriber, provider: Provider, channel: Callable[[str], None]
) -> None:
    channel(name)
    plan.plan(NOW)
    claims = claim.claim(NOW, name, 1)
    move(reader)
    send.send(claims, NOW, None)
    assert not provider.taken
    assert Delivery.objects.get().state == "pending"
    delivery.deliver(NOW)
    assert [one.to for one in provider.taken] == [NEW]
    assert Delivery.objects.get().address_hmac == keyed_hash(NEW)
    assert audit.audit().good


def test_who_is_claimed_beside_a_mover_gets_the_letter_at_once(
    reader: Subscriber, provider: Provider, channel: Callable[[str], None]
) -> None:
    channel("resend")
    make.subscriber("ben@example.org", queries=["speech"])
    plan.plan(NOW)
    claims = claim.claim(NOW, "resend", 10)
    move(reader)
    send.send(claims, NOW, None)
    assert [one.to for one in provider.taken] == ["ben@example.org"]
    delivery.deliver(NOW)
    assert sorted(one.to for one in provider.taken) == [NEW, "ben@example.org"]
    assert audit.audit().good


def test_a_claimed_letter_has_no_links_that_were_made_void(reader: Subscriber, provider: Provider) -> None:
    plan.plan(NOW)
    claims = claim.claim(NOW, "postmark", 1)
    accounts.renew_links(reader)
    send.send(claims, NOW, None)
    assert not provider.taken
    delivery.deliver(NOW)
    assert len(provider.taken) == 1


def test_who_left_after_moving_is_skipped(reader: Subscriber, provider: Provider) -> None:
    plan.plan(NOW)
    claims = claim.claim(NOW, "postmark", 1)
    move(reader)
    services.unsubscribe(reader, NOW)
    send.send(claims, NOW, None)
    delivery.deliver(NOW)
    assert not provider.taken
    assert Delivery.objects.get().reason == reasons.UNSUBSCRIBED


def test_a_doubtful_letter_is_not_offered_to_the_old_address_again(
    reader: Subscriber, provider: Provider, channel: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    channel("resend")
    provider.always(Outcome.UNCLEAR)
    plan.plan(NOW)
    delivery.deliver(NOW)
    move(reader)
    provider.answer = provider.accept
    monkeypatch.setattr(resolve, "REPEAT_AFTER", timedelta(0))
    delivery.deliver(NOW)
    assert not provider.taken
    row = Delivery.objects.get()
    assert (row.state, row.reason) == ("uncertain", reasons.MOVED_MEANWHILE)
    tomorrow = NOW + timedelta(days=1)
    make.edition(tomorrow.date(), papers=[make.paper("Speech again")])
    plan.plan(tomorrow)
    delivery.deliver(tomorrow)
    assert [one.to for one in provider.taken] == [NEW]
    assert len(Delivery.objects.get(state="accepted").papers) == 2


def test_the_same_mailbox_gets_an_edition_once_though_its_reader_moved_and_another_signed_up(
    reader: Subscriber, provider: Provider
) -> None:
    plan.plan(NOW)
    delivery.deliver(NOW)
    move(reader)
    later = NOW + timedelta(hours=2)
    make.subscriber("ada@example.org", queries=["speech"], confirmed_at=later, next_digest_at=later)
    planned = plan.plan(later)
    delivery.deliver(later)
    assert planned.skipped == {reasons.ALREADY_SENT: 1}
    assert len(provider.taken) == 1


# -- the demonstration --------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["smtp", "postfix", "postmark", "resend", "amazon_ses"])
def test_no_real_letter_goes_to_the_demonstration(
    name: str, edition: Edition, provider: Provider, channel: Callable[[str], None]
) -> None:
    load_starter_topics()
    demo_data.add_readers(NOW)
    channel(name)
    plan.plan(NOW)
    delivery.deliver(NOW)
    assert not provider.taken
    went = Delivery.objects.exclude(state="skipped")
    assert not went.exists()
    some = Delivery.objects.filter(reason=reasons.DEMONSTRATION).first()
    assert some is not None
    assert why.why(some.subscriber, some.local_date, NOW).reason == reasons.DEMONSTRATION


def test_no_real_notice_goes_to_the_demonstration(db: None, provider: Provider, channel: Callable[[str], None]) -> None:
    load_starter_topics()
    demo_data.add_readers(NOW)
    reader = Subscriber.objects.first()
    assert reader is not None
    notices.queue(Notice.Kind.LINK, reader, NOW, "link")
    notices.send_waiting(NOW)
    assert not provider.taken
    assert Notice.objects.get().state == "rejected"


@pytest.mark.parametrize(
    ("address", "is_made_up"),
    [
        ("speech@demo.example.org", True),
        ("Speech@Demo.Example.ORG", True),
        ("ada@example.org", False),
        ("demo.example.org@example.net", False),
        ("ada@notdemo.example.org", False),
    ],
)
def test_only_the_demonstrations_own_domain_is_kept_from_mail(
    address: str, is_made_up: bool, db: None, channel: Callable[[str], None]
) -> None:
    assert bool(outgoing.suppressed([address])) is is_made_up


def test_files_still_take_the_demonstrations_letters(edition: Edition, provider: Provider, settings: Any) -> None:
    settings.MAIL_CHANNEL = "outbox"
    letter = Letter(to="speech@demo.example.org", subject="s", text="t")
    assert outgoing.send(letter).outcome is Outcome.ACCEPTED
