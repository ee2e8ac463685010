from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from subscriptions import addresses, links, services
from subscriptions.models import Frequency, Notice, Subscriber, Suppression
from tests import make
from tests.make import NOW
from tests.subscriptions.pages import entered, path, text, visitor

pytestmark = pytest.mark.django_db
State = Subscriber.State
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


def leaving(reader: Subscriber) -> str:
    return path(links.unsubscribe_url(reader))


def test_the_page_has_one_button_and_the_button_leaves():
    reader = make.subscriber()
    page = text(visitor().get(leaving(reader)))
    assert "Stop all letters" in page
    assert reader.email not in page
    assert "No more letters come" in text(visitor().post(leaving(reader), {"act": "leave"}))
    reader.refresh_from_db()
    assert reader.state == State.UNSUBSCRIBED


def test_s3_one_click_needs_no_cookie_and_follows_no_redirect():
    reader = make.subscriber()
    response = visitor(enforce_csrf_checks=True).post(leaving(reader), ONE_CLICK)
    assert (response.status_code, "Set-Cookie" in response.headers, response.cookies) == (200, False, {})
    reader.refresh_from_db()
    assert reader.state == State.UNSUBSCRIBED


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("List-Unsubscribe=One-Click", "application/x-www-form-urlencoded"),
        ("List-Unsubscribe=One-Click", "application/x-www-form-urlencoded; charset=UTF-8"),
        ("List-Unsubscribe=One-Click\r\n", "application/x-www-form-urlencoded"),
        ('--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n',
         "multipart/form-data; boundary=b"),
        ("--b\r\nbroken", "multipart/form-data; boundary=b"),
        ("broken", "multipart/form-data"),
        ("List-Unsubscribe=One-Click", "text/plain"),
        ("", "application/x-www-form-urlencoded"),
    ],
)  # fmt: skip
def test_s3_every_shape_of_client_is_understood(body, kind):
    reader = make.subscriber()
    response = visitor().generic("POST", leaving(reader), body, content_type=kind, headers={"User-Agent": ""})
    assert response.status_code == 200
    reader.refresh_from_db()
    assert reader.state == State.UNSUBSCRIBED


def test_s3_ten_posts_are_one_leaving():
    reader = make.subscriber()
    client = visitor()
    answers = {client.post(leaving(reader), ONE_CLICK).status_code for _ in range(10)}
    assert answers == {200}
    assert reader.consents.filter(act="left").count() == 1


@pytest.mark.parametrize("token", ["x", "x.y", "0" * 400, "ü"])
def test_s3_a_link_that_opens_nothing_is_thanked_all_the_same(token):
    assert visitor().post(f"/u/{token}/", ONE_CLICK).status_code == 200
    assert visitor().get(f"/u/{token}/").status_code == 200


def test_s3_an_erased_readers_link_is_thanked_too():
    reader = make.subscriber()
    link = leaving(reader)
    services.forget(reader, NOW)
    assert visitor().post(link, ONE_CLICK).status_code == 200


def test_s37_no_goodbye_follows_a_one_click():
    visitor().post(leaving(make.subscriber()), ONE_CLICK)
    assert not Notice.objects.exists()


def test_s37_a_goodbye_follows_the_pages_button():
    visitor().post(leaving(make.subscriber()), {"act": "leave"})
    assert Notice.objects.get().kind == "goodbye"


def test_instead_of_leaving_one_letter_a_week():
    reader = make.subscriber()
    assert "One letter a week" in text(visitor().get(leaving(reader)))
    visitor().post(leaving(reader), {"act": "weekly"})
    reader.refresh_from_db()
    assert (reader.state, reader.frequency) == (State.ACTIVE, Frequency.WEEKLY)


def test_instead_of_leaving_a_pause():
    reader = make.subscriber()
    visitor().post(leaving(reader), {"act": "pause"})
    reader.refresh_from_db()
    assert reader.state == State.PAUSED
    assert timedelta(days=13) < reader.next_digest_at - timezone.now() < timedelta(days=16)


def test_leaving_by_mistake_is_undone_on_the_spot():
    reader = make.subscriber()
    client = visitor()
    left = text(client.post(leaving(reader), {"act": "leave"}))
    undo = left.split('name="undo" value="')[1].split('"')[0]
    assert "come again" in text(client.post(leaving(reader), {"act": "undo", "undo": undo}))
    reader.refresh_from_db()
    assert reader.state == State.ACTIVE


def test_s37_an_old_letter_brings_nobody_back():
    reader = make.subscriber()
    with time_machine.travel(NOW, tick=False):
        left = text(visitor().post(leaving(reader), {"act": "leave"}))
    undo = left.split('name="undo" value="')[1].split('"')[0]
    with time_machine.travel(NOW + timedelta(hours=2), tick=False):
        visitor().post(leaving(reader), {"act": "undo", "undo": undo})
    visitor().post(leaving(reader), {"act": "undo"})
    reader.refresh_from_db()
    assert reader.state == State.UNSUBSCRIBED


@pytest.mark.parametrize("page", [links.unsubscribe_url, links.preferences_url])
def test_whoever_left_is_told_so_and_shown_the_way_back(page):
    reader = make.subscriber()
    link = page(reader)
    visitor().post(leaving(reader), ONE_CLICK)
    seen = text(visitor().get(path(link), follow=True))
    assert "No letters come to you" in seen
    assert "Stop all letters" not in seen
    assert reader.email not in seen
    reader.refresh_from_db()
    assert reader.state == State.UNSUBSCRIBED
    undo = seen.split('name="undo" value="')[1].split('"')[0]
    visitor(enforce_csrf_checks=True).post(leaving(reader), {"act": "undo", "undo": undo})
    reader.refresh_from_db()
    assert reader.state == State.ACTIVE


def test_the_form_on_the_preferences_page_leads_to_the_leaving_page():
    reader = make.subscriber()
    services.unsubscribe(reader, timezone.now())
    client, page = entered(links.preferences_url(reader))
    assert f'action="{leaving(reader)}"' in text(client.get(page))


@pytest.mark.parametrize("page", [links.unsubscribe_url, links.preferences_url])
def test_a_day_after_leaving_the_way_back_is_to_sign_up(page):
    reader = make.subscriber()
    services.unsubscribe(reader, timezone.now() - timedelta(hours=25))
    seen = text(visitor().get(path(page(reader)), follow=True))
    assert "No letters come to you" in seen
    assert "Sign up again" in seen
    assert 'name="undo"' not in seen


def test_a_suppressed_reader_is_offered_no_undo():
    reader = make.subscriber()
    services.suppress(reader.email, Suppression.Reason.HARD_BOUNCE, timezone.now())
    seen = text(visitor().get(leaving(reader)))
    assert "No letters come to you" in seen
    assert 'name="undo"' not in seen


def test_the_goodbye_has_a_way_back_for_thirty_days():
    reader = make.subscriber()
    services.unsubscribe(reader, timezone.now())
    client, page = entered(links.return_url(reader))
    assert "Start the letters again?" in text(client.get(page))
    assert "come again" in text(client.post(page))
    reader.refresh_from_db()
    assert reader.state == State.ACTIVE


def test_the_way_back_of_an_earlier_goodbye_is_closed():
    reader = make.subscriber()
    services.unsubscribe(reader, NOW)
    link = links.return_url(reader)
    services.come_back(reader, NOW)
    services.unsubscribe(reader, timezone.now())
    client, page = entered(link)
    assert client.post(page).status_code == 404


def test_whoever_never_asked_is_never_written_to_again():
    reader = services.subscribe("eve@example.org", now=NOW)
    link = path(links.block_url(reader))
    assert "Never write to this address" in text(visitor().get(link))
    assert not Suppression.objects.exists()
    assert visitor(enforce_csrf_checks=True).post(link).status_code == 200
    row = Suppression.objects.get()
    assert (row.address_hmac, row.reason) == (addresses.hmac("eve@example.org"), "request")
    assert "eve" not in repr(list(Subscriber.objects.values_list()))


def test_a_block_that_opens_nothing_is_thanked_too():
    assert visitor().post("/b/x.y/").status_code == 200
