from __future__ import annotations

from xml.etree import ElementTree

import pytest

from digest.delivery.channels import holds, traits
from digest.models import Channel
from digest.readers.answers import Answers
from subscriptions import exports, questions
from subscriptions.links import urls
from subscriptions.mail import notices
from subscriptions.models import Notice, Subscriber
from tests import make
from tests.make import NOW
from tests.subscriptions.pages import entered, text, visitor

pytestmark = pytest.mark.django_db


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Subscriptions without digest."""
    monkeypatch.setattr(questions, "digest", questions.NoDigest())


def outline(reader: Subscriber) -> dict[str, str]:
    [found] = ElementTree.fromstring(exports.opml(reader)).findall("./body/outline")
    return found.attrib


def waiting_after_a_sweep() -> int:
    notices.queue(Notice.Kind.LINK, make.subscriber(), NOW, "one")
    notices.send_waiting(NOW)
    return Notice.objects.filter(state=Notice.State.PENDING).count()


def test_digest_answers_once_django_has_started() -> None:
    assert isinstance(questions.digest, Answers)


def test_digest_has_an_answer_to_every_question() -> None:
    asked = {name for name in vars(questions.Digest) if not name.startswith("_")}
    assert asked <= set(vars(Answers))


@pytest.mark.usefixtures("alone")
def test_without_digest_the_reader_pages_open_and_say_less() -> None:
    reader = make.subscriber(queries=["speech"])
    client, _ = entered(urls.preferences_url(reader))
    page = client.get("/preferences/")
    assert page.status_code == 200
    assert "papers last week" not in text(page)
    assert client.post("/preferences/", {"act": "now"}).status_code == 409
    client, _ = entered(urls.account_url(reader))
    assert client.get("/account/").status_code == 200


@pytest.mark.usefixtures("alone")
def test_without_digest_the_subscribe_page_opens_without_a_preview() -> None:
    assert visitor().post("/subscribe/preview/", {"queries": "speech"}).status_code == 200


def test_an_outline_has_the_address_of_a_feed_only_where_digest_publishes_one(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = make.subscriber(queries=["speech"])
    assert outline(reader)["xmlUrl"] == "http://localhost:8000/search/feed.atom?q=speech"
    monkeypatch.setattr(questions, "digest", questions.NoDigest())
    assert "xmlUrl" not in outline(reader)


@pytest.mark.usefixtures("alone")
def test_without_digest_no_mail_is_held() -> None:
    assert waiting_after_a_sweep() == 0


def test_mail_waits_while_digest_names_a_reason() -> None:
    Channel.objects.create(name=traits.current(), held_by=holds.RESTORE, held_reason="put back from a backup")
    assert questions.digest.reason_to_hold(NOW) == "put back from a backup"
    assert waiting_after_a_sweep() == 1
