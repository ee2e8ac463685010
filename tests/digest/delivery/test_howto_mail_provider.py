"""The steps of docs/howto-mail-provider.md, done with a made-up provider called `parcel`."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Iterator, Sequence
from datetime import timedelta
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from anymail import urls as anymail_urls
from anymail.signals import AnymailTrackingEvent, tracking
from anymail.webhooks.base import AnymailBaseWebhookView
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.http import HttpRequest
from django.test import Client
from django.urls import path

from config import mailbox
from config.env import Environment
from digest import delivery
from digest.delivery import plan, run
from digest.delivery.channels import provider_api, traits
from digest.delivery.channels.traits import Kind, Traits
from digest.delivery.reports import provider_report, webhooks
from digest.models import Attempt, Delivery
from subscriptions.clock import database_now
from subscriptions.models import Suppression
from tests import make
from tests.make import NOW

pytestmark = pytest.mark.django_db

SECRET = "offprint:0123456789abcdefghijkl"
PAGE = Path(__file__).parents[3] / "docs" / "howto-mail-provider.md"
TRAITS = Traits(Kind.EVIDENCE, batch=10, lookup=True, lag=timedelta(minutes=5), tag=True, rate=20)
PERMANENT = (("bounce", "class"), frozenset({"permanent"}))


class EmailBackend(BaseEmailBackend):
    """Anymail's part: takes letters, and answers the first `answers` of them; after that the line breaks."""

    taken: list[EmailMessage] = []
    answers = 1000
    takes_unanswered = True

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        cls = type(self)
        for message in email_messages:
            cls.answers -= 1
            if cls.answers >= 0 or cls.takes_unanswered:
                cls.taken.append(message)
            if cls.answers < 0:
                raise ConnectionResetError("the line broke")
        return len(email_messages)


class ParcelTrackingWebhookView(AnymailBaseWebhookView):
    """Anymail's part: reads the provider's reports."""

    esp_name = "Parcel"
    signal = tracking

    def parse_events(self, request: HttpRequest) -> list[AnymailTrackingEvent]:
        said = json.loads(request.body)
        event = AnymailTrackingEvent(
            event_type="bounced",
            event_id=said["id"],
            recipient=said["to"],
            metadata=said["metadata"],
            mta_response=said["answer"],
            esp_event=said,
        )
        return [event]


def parcel_lookup(attempt: Attempt) -> set[str]:
    """Step 3: the letters with the attempt's key as their tag."""
    return {one.metadata["delivery"] for one in EmailBackend.taken if one.tags == [str(attempt.key)]}  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def parcel(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path) -> Iterator[None]:
    known_to_anymail = ModuleType("anymail.backends.parcel")
    known_to_anymail.__spec__ = ModuleSpec(known_to_anymail.__name__, None)
    known_to_anymail.EmailBackend = EmailBackend  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, known_to_anymail.__name__, known_to_anymail)
    hook = path("parcel/tracking/", ParcelTrackingWebhookView.as_view(), name="parcel_tracking_webhook")
    monkeypatch.setattr(anymail_urls, "urlpatterns", [*anymail_urls.urlpatterns, hook])
    monkeypatch.setitem(traits.TRAITS, "parcel", TRAITS)
    monkeypatch.setitem(provider_api.LOOKUPS, "parcel", parcel_lookup)
    monkeypatch.setitem(provider_report.PERMANENT, "parcel", PERMANENT)
    monkeypatch.setattr(EmailBackend, "taken", [])
    monkeypatch.setattr(EmailBackend, "answers", 1000)
    webhooks._view.cache_clear()
    box = mailbox.read(Environment(tmp_path, {"EMAIL_URL": "anymail://parcel"}))
    settings.MAIL_CHANNEL = box.channel
    settings.EMAIL_BACKEND = box.backend
    settings.ANYMAIL = {"WEBHOOK_SECRET": SECRET}
    make.edition(papers=[make.paper("Speech for all")])
    for number in range(3):
        make.subscriber(f"reader{number}@example.org", queries=["speech"])
    plan.plan(NOW)
    yield
    webhooks._view.cache_clear()


def states() -> list[str]:
    return list(Delivery.objects.order_by("pk").values_list("state", flat=True))


def an_hour_later() -> None:
    """The doubt is so old that the provider's record is complete past it."""
    Attempt.objects.update(ambiguous_at=database_now() - timedelta(hours=1))
    run.sweep(NOW)


def report(letter: Delivery, name: str, bounce_class: str, answer: str) -> int:
    said = {
        "id": "event-1",
        "to": letter.subscriber.email,
        "metadata": {"delivery": str(letter.uuid)},
        "answer": answer,
        "bounce": {"class": bounce_class},
    }
    token = base64.b64encode(SECRET.encode()).decode()
    response = Client().post(
        f"/hooks/{name}/",
        json.dumps(said),
        content_type="application/json",
        headers={"Authorization": f"Basic {token}"},
    )
    return response.status_code


def test_the_page_names_what_the_test_does() -> None:
    text = PAGE.read_text()
    assert f'"parcel": {source_of(TRAITS)},' in text
    assert '"parcel": (("bounce", "class"), frozenset({"permanent"})),' in text
    assert str(Path(__file__).relative_to(PAGE.parents[1])) in text


def source_of(one: Traits) -> str:
    minutes = int(one.lag.total_seconds() // 60)
    return (
        f"Traits(Kind.{one.kind.name}, batch={one.batch}, lookup={one.lookup}, "
        f"lag=timedelta(minutes={minutes}), tag={one.tag}, rate={one.rate})"
    )


def test_letters_of_a_batch_share_an_attempt_and_carry_what_finds_them() -> None:
    delivery.deliver(NOW)
    attempt = Attempt.objects.get()
    assert states() == ["accepted"] * 3
    assert {tuple(one.tags) for one in EmailBackend.taken} == {(str(attempt.key),)}  # type: ignore[attr-defined]
    assert {one.metadata["delivery"] for one in EmailBackend.taken} == {  # type: ignore[attr-defined]
        str(one.uuid) for one in Delivery.objects.all()
    }


def test_what_the_lookup_finds_is_not_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(EmailBackend, "answers", 1)
    delivery.deliver(NOW)
    assert states() == ["accepted", "ambiguous", "ambiguous"]
    an_hour_later()
    delivery.deliver(NOW)
    assert states() == ["accepted"] * 3
    assert len(EmailBackend.taken) == 3


def test_what_the_lookup_does_not_find_is_sent_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(EmailBackend, "answers", 1)
    monkeypatch.setattr(EmailBackend, "takes_unanswered", False)
    delivery.deliver(NOW)
    assert states() == ["accepted", "ambiguous", "ambiguous"]
    monkeypatch.setattr(EmailBackend, "answers", 1000)
    an_hour_later()
    delivery.deliver(NOW)
    assert states() == ["accepted"] * 3
    assert sorted(one.to for one in EmailBackend.taken) == [[f"reader{n}@example.org"] for n in range(3)]


def test_nothing_is_looked_up_or_sent_again_while_the_record_may_be_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(EmailBackend, "answers", 1)
    monkeypatch.setattr(EmailBackend, "takes_unanswered", False)
    delivery.deliver(NOW)
    monkeypatch.setattr(EmailBackend, "answers", 1000)
    delivery.deliver(NOW)
    assert states() == ["accepted", "ambiguous", "ambiguous"]


@pytest.mark.parametrize(
    ("bounce_class", "answer", "is_suppressed"),
    [
        ("permanent", "550 5.1.1 no such user", True),
        ("permanent", "", True),
        ("transient", "550 5.1.1 no such user", False),
        ("permanent", "550 5.7.1 blocked by policy", False),
    ],
)
def test_a_bounce_suppresses_the_address_where_provider_and_server_agree(
    bounce_class: str, answer: str, is_suppressed: bool
) -> None:
    delivery.deliver(NOW)
    letter = Delivery.objects.select_related("subscriber").first()
    assert letter is not None
    assert report(letter, "parcel", bounce_class, answer) == 200
    assert Suppression.objects.exists() == is_suppressed


def test_reports_come_to_the_providers_own_address_only() -> None:
    letter = Delivery.objects.select_related("subscriber").first()
    assert letter is not None
    assert report(letter, "postmark", "permanent", "") == 404
    assert not Suppression.objects.exists()
