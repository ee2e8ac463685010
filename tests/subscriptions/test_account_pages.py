from __future__ import annotations

import json
from datetime import timedelta
from xml.etree import ElementTree

import pytest
import time_machine
from django.core import mail

from digest.letters import links as letter_doors
from subscriptions import accounts, services
from subscriptions.links import urls
from subscriptions.mail import notices
from subscriptions.models import Notice, Subscriber, Suppression
from tests import make
from tests.make import NOW
from tests.subscriptions.pages import entered, path, text, visitor

pytestmark = pytest.mark.django_db
State = Subscriber.State


def opened(reader: Subscriber):
    client, page = entered(urls.account_url(reader))
    assert client.post(page).headers["Location"] == page
    return client


def test_s5_a_fresh_link_opens_the_account_once():
    reader = make.subscriber("ada@example.org")
    link = urls.account_url(reader)
    client, page = entered(link)
    assert "Open it on this device" in text(client.get(page))
    client.post(page)
    assert "ada@example.org" in text(client.get(page))
    second, page = entered(link)
    assert [second.get(page).status_code, second.post(page).status_code] == [410, 410]


def test_s5_a_fresh_link_is_good_for_ten_minutes():
    reader = make.subscriber()
    with time_machine.travel(NOW, tick=False):
        link = urls.account_url(reader)
    with time_machine.travel(NOW + timedelta(minutes=11), tick=False):
        client, page = entered(link)
        assert client.post(page).status_code == 404


def test_s5_an_open_account_closes_after_half_an_hour_of_rest():
    reader = make.subscriber("ada@example.org")
    with time_machine.travel(NOW, tick=False):
        client = opened(reader)
    with time_machine.travel(NOW + timedelta(minutes=29), tick=False):
        assert "ada@example.org" in text(client.get("/account/"))
    with time_machine.travel(NOW + timedelta(minutes=60), tick=False):
        assert "ada@example.org" not in text(client.get("/account/"))


def test_s6_the_link_of_a_letter_does_not_open_the_account():
    client, _ = entered(urls.preferences_url(make.subscriber("ada@example.org")))
    assert "ada@example.org" not in text(client.get("/account/"))
    assert "Erase" not in text(client.post("/account/", {"act": "erase", "sure": "yes"}))


def test_a_newer_link_closes_the_older_devices():
    reader = make.subscriber("ada@example.org")
    first = opened(reader)
    reader.refresh_from_db()
    opened(reader)
    assert "ada@example.org" not in text(first.get("/account/"))


def test_an_address_moves_once_the_new_one_says_yes():
    reader = make.subscriber("ada@example.org")
    client = opened(reader)
    assert "Look in the inbox of the new address" in text(
        client.post("/account/", {"act": "move", "email": "ada@new.example"})
    )
    reader.refresh_from_db()
    assert (reader.email, Notice.objects.get().kind) == ("ada@example.org", "address")
    second, page = entered(urls.address_url(reader))
    assert "ada@new.example" in text(second.get(page))
    assert "The letters come here now" in text(second.post(page))
    reader.refresh_from_db()
    assert reader.email == "ada@new.example"


def moved(reader: Subscriber, email: str) -> None:
    accounts.ask_new_address(reader, email, NOW)
    accounts.take_new_address(reader, NOW)


def test_the_address_left_behind_is_told_once_and_not_kept():
    reader = make.subscriber("ada@example.org")
    moved(reader, "ada@new.example")
    notices.send_waiting(NOW)
    letters = {letter.to[0]: letter for letter in mail.outbox}
    told = letters["ada@example.org"]
    assert told.subject == "Your letters from Offprint go to another address now"
    assert "/subscribe/" in told.body
    assert reader.uuid.hex not in told.body  # whoever has the old mailbox gets no link to the reader's pages
    assert Notice.objects.get(kind="moved").to == ""
    assert notices.send_waiting(NOW).total() == 0


def test_each_move_is_told_to_the_address_before():
    reader = make.subscriber("ada@example.org")
    moved(reader, "ada@new.example")
    moved(reader, "ada@third.example")
    told = Notice.objects.filter(kind="moved").order_by("id")
    assert [one.to for one in told] == ["ada@example.org", "ada@new.example"]


def test_erasing_forgets_an_address_left_behind_that_was_not_told_yet():
    reader = make.subscriber("ada@example.org")
    moved(reader, "ada@new.example")
    services.forget(reader, NOW)
    assert not Notice.objects.exists()


def test_the_link_of_an_earlier_wish_for_an_address_is_void():
    reader = make.subscriber()
    accounts.ask_new_address(reader, "eve@new.example", NOW)
    link = urls.address_url(reader)
    accounts.ask_new_address(reader, "ada@new.example", NOW)
    client, page = entered(link)
    assert client.post(page).status_code == 404


def test_an_address_somebody_reads_at_is_told_to_its_owner_only():
    make.subscriber("ben@example.org")
    reader = make.subscriber("ada@example.org")
    free = text(opened(reader).post("/account/", {"act": "move", "email": "new@example.org"}))
    other = make.subscriber("cyd@example.org")
    taken = text(opened(other).post("/account/", {"act": "move", "email": "ben@example.org"}))
    assert "Look in the inbox" in free
    assert "Look in the inbox" in taken
    other.refresh_from_db()
    client, page = entered(urls.address_url(other))
    assert "Somebody reads at this address already" in text(client.post(page))


def test_a_bad_new_address_is_told():
    response = opened(make.subscriber()).post("/account/", {"act": "move", "email": "ada@"})
    assert response.status_code == 422


def test_s30_the_export_holds_everything_as_json():
    reader = make.subscriber("ada@example.org", topics=[make.topic()])
    response = opened(reader).post("/account/", {"act": "export", "form": "json"})
    assert response.headers["Content-Disposition"] == 'attachment; filename="offprint.json"'
    assert json.loads(response.content)["email"] == "ada@example.org"


def test_s30_the_interests_come_as_an_outline():
    reader = make.subscriber(topics=[make.topic()], queries=['"a < b"'])
    response = opened(reader).post("/account/", {"act": "export", "form": "opml"})
    outlines = ElementTree.fromstring(response.content).findall("./body/outline")
    assert [one.get("text") for one in outlines] == ["Speech", '"a < b"']
    assert outlines[0].get("xmlUrl") == "http://localhost:8000/topic/speech/feed.atom"
    assert outlines[1].get("xmlUrl", "").startswith("http://localhost:8000/search/feed.atom?q=%22a")


def test_s38_exports_are_counted():
    client = opened(make.subscriber())
    answers = [client.post("/account/", {"act": "export"}).status_code for _ in range(6)]
    assert answers == [200] * 5 + [429]


def test_s30_erasing_needs_a_tick_and_then_is_done():
    reader = make.subscriber("ada@example.org")
    client = opened(reader)
    assert client.post("/account/", {"act": "erase"}).status_code == 422
    assert "erased" in text(client.post("/account/", {"act": "erase", "sure": "yes"}))
    reader.refresh_from_db()
    assert (reader.state, reader.email) == (State.FORGOTTEN, "")
    assert Suppression.objects.get().reason == "erased"
    assert "ada@" not in text(client.get("/account/"))


def test_whoever_left_may_still_have_everything_erased():
    reader = make.subscriber()
    services.unsubscribe(reader, NOW)
    assert "Erase everything" in text(opened(reader).get("/account/"))


def test_the_account_can_be_closed():
    client = opened(make.subscriber("ada@example.org"))
    client.post("/account/", {"act": "close"})
    assert "ada@example.org" not in text(client.get("/account/"))


# -- what the mailbox that was left can still do --------------------------------------------------


def test_every_link_of_the_old_mailbox_is_void_but_the_one_for_leaving():
    reader = make.subscriber("ada@example.org")
    ask = "interests"
    old = {
        "preferences": urls.preferences_url(reader),
        "confirm": urls.confirm_url(reader),
        "account": urls.account_url(reader),
    }
    moved(reader, "ada@new.example")
    for name, url in old.items():
        client, page = entered(url)
        shown = text(client.get(page))
        assert "ada@new.example" not in shown, name
        client.post(page, {"act": ask, "queries": "spam"})
        client.post(page, {"act": "renew"})
        client.post(page, {})
    reader.refresh_from_db()
    assert (reader.state, reader.link_round, reader.interests.count()) == ("active", 1, 0)


@pytest.mark.parametrize("name", ["feed_url", "saved_url"])
def test_the_feeds_of_the_old_mailbox_are_gone(name):
    reader = make.subscriber("ada@example.org")
    old = getattr(letter_doors, name)(reader)
    assert visitor().get(path(old)).status_code == 200
    moved(reader, "ada@new.example")
    assert visitor().get(path(old)).status_code == 404
    assert visitor().get(path(getattr(letter_doors, name)(reader))).status_code == 200


def test_never_asked_from_the_old_mailbox_does_not_end_the_letters_at_the_new_one():
    reader = make.subscriber("ada@example.org")
    old = urls.block_url(reader)
    moved(reader, "ada@new.example")
    visitor().post(path(old))
    reader.refresh_from_db()
    assert reader.state == "active"


def test_a_page_that_was_open_at_the_old_mailbox_is_closed():
    reader = make.subscriber("ada@example.org")
    client = opened(reader)
    moved(reader, "ada@new.example")
    assert "ada@new.example" not in text(client.get("/account/"))
    client.post("/account/", {"act": "erase", "sure": "yes"})
    reader.refresh_from_db()
    assert reader.state == "active"


def test_the_way_back_out_of_an_old_goodbye_is_closed():
    reader = make.subscriber("ada@example.org")
    services.unsubscribe(reader, NOW)
    old = urls.return_url(reader)
    moved(reader, "ada@new.example")
    client, page = entered(old)
    client.post(page)
    reader.refresh_from_db()
    assert reader.state == "unsubscribed"


def test_leaving_works_from_every_letter_there_ever_was():
    reader = make.subscriber("ada@example.org")
    old = urls.unsubscribe_url(reader)
    moved(reader, "ada@new.example")
    visitor().post(path(old), {"List-Unsubscribe": "One-Click"})
    reader.refresh_from_db()
    assert reader.state == "unsubscribed"


def test_the_links_of_the_new_mailbox_open():
    reader = make.subscriber("ada@example.org")
    moved(reader, "ada@new.example")
    reader.refresh_from_db()
    client, page = entered(urls.preferences_url(reader))
    assert client.get(page).status_code == 200
