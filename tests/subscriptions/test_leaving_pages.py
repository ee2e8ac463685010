from __future__ import annotations

import re
from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.utils import timezone

from subscriptions import accounts, addresses, services
from subscriptions.links import urls
from subscriptions.mail import notices
from subscriptions.models import Budget, Frequency, Notice, Subscriber, Suppression
from subscriptions.views.leave import way_back
from subscriptions.when import week
from tests import make
from tests.make import NOW
from tests.subscriptions.pages import entered, path, text, visitor

pytestmark = pytest.mark.django_db
State = Subscriber.State
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


def leaving(reader: Subscriber) -> str:
    return path(urls.unsubscribe_url(reader))


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
        ("a=1&" * 5000, "application/x-www-form-urlencoded"),
        ("a=1", "application/x-www-form-urlencoded; charset=utf-16"),
        ("a=1", "application/x-www-form-urlencoded; charset=nonsense"),
        ("a=%ff%00", "application/x-www-form-urlencoded; charset=utf-7"),
        ("x" * 100_000, "application/octet-stream"),
        ("--b\r\n" * 2000, "multipart/form-data; boundary=b"),
        ("x", "multipart/form-data; boundary="),
        ("{}", "application/json"),
    ],
)  # fmt: skip
def test_s3_every_shape_of_client_is_understood(body, kind):
    reader = make.subscriber()
    response = visitor().generic("POST", leaving(reader), body, content_type=kind, headers={"User-Agent": ""})
    assert response.status_code == 200
    reader.refresh_from_db()
    assert reader.state == State.UNSUBSCRIBED


def test_s3_a_body_in_chunks_is_taken_for_a_mail_programs():
    reader = make.subscriber()
    answer = visitor().post(leaving(reader), headers={"transfer-encoding": "chunked"})
    assert answer.status_code == 200
    reader.refresh_from_db()
    assert reader.state == State.UNSUBSCRIBED
    assert not Notice.objects.filter(kind="goodbye").exists()
    assert visitor().post("/u/x.y/", headers={"transfer-encoding": "chunked"}).status_code == 200


def test_s3_ten_posts_are_one_leaving():
    reader = make.subscriber()
    client = visitor()
    answers = {client.post(leaving(reader), ONE_CLICK).status_code for _ in range(10)}
    assert answers == {200}
    assert reader.consents.filter(act="left").count() == 1


@pytest.mark.parametrize("token", ["x", "x.y", "0" * 400, "ü"])
def test_s3_a_mail_program_is_thanked_for_a_link_that_opens_nothing(token):
    assert visitor().post(f"/u/{token}/", ONE_CLICK).status_code == 200
    assert visitor().generic("POST", f"/u/{token}/", "x", content_type="text/plain; charset=no").status_code == 200


@pytest.mark.parametrize("ask", ["get", "post"])
def test_a_person_is_told_that_a_link_is_not_whole(ask):
    """Thanks would leave them waiting for an end that does not come."""
    cut = leaving(make.subscriber())[:-5] + "/"
    answer = getattr(visitor(), ask)(cut, {"act": "leave"})
    assert answer.status_code == 404
    assert "This link is not whole" in text(answer)
    assert "Mail me a link" in text(answer)
    assert Subscriber.objects.get().state == State.ACTIVE


def test_s3_an_erased_readers_link_is_thanked_too():
    reader = make.subscriber()
    link = leaving(reader)
    services.forget(reader, NOW)
    assert visitor().post(link, ONE_CLICK).status_code == 200
    assert "No letters come to you" in text(visitor().get(link))


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "null"},
        {"Origin": "https://mail.example", "Referer": "https://mail.example/inbox"},
        {"Cookie": "csrftoken=x; sessionid=y; preferences-link=z"},
        {"Accept": "application/json", "User-Agent": "x" * 4_000},
        {"X-Forwarded-For": "192.0.2.1, 198.51.100.1", "Content-Encoding": "gzip"},
    ],
)
def test_s3_no_header_of_a_mail_program_stands_in_the_way(headers):
    reader = make.subscriber()
    client = visitor(enforce_csrf_checks=True)
    assert client.post(f"{leaving(reader)}?utm_source=mail", ONE_CLICK, headers=headers).status_code == 200
    reader.refresh_from_db()
    assert reader.state == State.UNSUBSCRIBED


@pytest.mark.thorough
def test_s3_one_provider_may_end_the_letters_of_very_many():
    """All its readers come from one network, and what a network may ask for elsewhere does not count here."""
    readers = [make.subscriber() for _ in range(200)]
    client = visitor()
    assert {client.post(leaving(one), ONE_CLICK).status_code for one in readers} == {200}
    assert Subscriber.objects.filter(state=State.UNSUBSCRIBED).count() == 200
    assert not Budget.objects.exists()


@pytest.mark.parametrize("state", State)
def test_s3_in_whatever_state_it_ends_and_begins_nothing(state):
    reader = make.subscriber(state=state, ended_at=NOW)
    assert visitor().post(leaving(reader), ONE_CLICK).status_code == 200
    reader.refresh_from_db()
    assert reader.state == (state if state in {State.SUPPRESSED, State.FORGOTTEN} else State.UNSUBSCRIBED)
    assert not Notice.objects.exists()


@pytest.mark.parametrize("make_url", [urls.preferences_url, urls.confirm_url, urls.account_url, urls.block_url])
def test_s37_no_other_link_of_a_reader_ends_their_letters(make_url):
    reader = make.subscriber()
    token = path(make_url(reader)).split("/")[2]
    for guess in (
        token,
        reader.uuid.hex,
        str(reader.uuid),
        str(reader.pk),
        reader.email,
        token.partition(".")[0] + ".",
    ):
        visitor().post(f"/u/{guess}/", ONE_CLICK)
    reader.refresh_from_db()
    assert reader.state == State.ACTIVE


def test_s37_naming_an_address_ends_nobodys_letters():
    """By the field that other programs take: listmonk, Mailman and the rest."""
    reader = make.subscriber()
    fields = dict.fromkeys(("email", "address", "subscriber", "list-unsubscribe"), reader.email) | ONE_CLICK
    fields |= {"act": "leave", "id": reader.pk, "uuid": str(reader.uuid)}
    for page in ("/u/x.y/", "/preferences/", "/subscribe/", "/account/", "/confirm/", "/return/", "/b/x.y/"):
        visitor().post(page, fields)
    reader.refresh_from_db()
    assert reader.state == State.ACTIVE


@pytest.mark.parametrize("act", ["leave", "unsubscribe", "erase", "block", ""])
def test_s37_the_preferences_link_alone_ends_nothing(act):
    """It may have been passed on with a letter: leaving has a link of its own, and erasing a fresh one."""
    reader = make.subscriber()
    client, page = entered(urls.preferences_url(reader))
    assert client.post(page, {"act": act, "sure": "yes"}).status_code == 422
    reader.refresh_from_db()
    assert reader.state == State.ACTIVE


def test_s37_one_readers_way_back_is_nobody_elses():
    reader, other = make.subscriber(), make.subscriber()
    for one in (reader, other):
        visitor().post(leaving(one), ONE_CLICK)
    other.refresh_from_db()
    theirs = way_back(other, timezone.now())
    assert theirs
    visitor().post(leaving(reader), {"act": "undo", "undo": theirs})
    reader.refresh_from_db()
    assert reader.state == State.UNSUBSCRIBED


def test_s37_the_goodbye_brings_back_whom_a_stranger_ended():
    reader = make.subscriber()
    visitor().post(leaving(reader), {"act": "leave"})
    notices.send_waiting(timezone.now())
    (goodbye,) = mail.outbox
    assert goodbye.to == [reader.email]
    link = re.search(r"http://localhost:8000/r/\S+/", goodbye.body)
    assert link
    client, page = entered(link[0])
    client.post(page)
    reader.refresh_from_db()
    assert reader.state == State.ACTIVE


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


@pytest.mark.parametrize(("act", "state"), [("weekly", State.ACTIVE), ("pause", State.PAUSED)])
def test_the_milder_ways_are_undone_on_the_spot(act, state):
    reader = make.subscriber(frequency="weekdays")
    client = visitor()
    page = text(client.post(leaving(reader), {"act": act}))
    reader.refresh_from_db()
    assert reader.state == state
    assert "The next one comes on" in page
    undo = page.split('name="undo" value="')[1].split('"')[0]
    assert "as it was before" in text(client.post(leaving(reader), {"act": "undo", "undo": undo}))
    reader.refresh_from_db()
    assert (reader.state, reader.frequency) == (State.ACTIVE, "weekdays")


def test_one_letter_a_week_is_undone_to_the_days_that_were():
    tomorrow = timezone.now() + timedelta(days=1)
    reader = make.subscriber(frequency="chosen", days=week.read("tue fri"), next_digest_at=tomorrow)
    page = text(visitor().post(leaving(reader), {"act": "weekly"}))
    services.set_schedule(reader, timezone.now(), days=week.read("sun"))  # their own page, meanwhile
    assert reader.frequency == Frequency.WEEKLY
    undo = page.split('name="undo" value="')[1].split('"')[0]
    assert "as it was before" in text(visitor().post(leaving(reader), {"act": "undo", "undo": undo}))
    reader.refresh_from_db()
    assert (reader.frequency, week.short(reader.days)) == (Frequency.CHOSEN, "tue fri")
    assert reader.next_digest_at.weekday() in {1, 4}


def test_an_undo_brings_back_nobody_elses_days():
    reader, other = make.subscriber(frequency="chosen", days=1), make.subscriber()
    page = text(visitor().post(leaving(reader), {"act": "weekly"}))
    undo = page.split('name="undo" value="')[1].split('"')[0]
    visitor().post(leaving(other), {"act": "undo", "undo": undo})
    other.refresh_from_db()
    assert other.frequency == Frequency.DAILY


@pytest.mark.parametrize(("days", "offered"), [("tue", False), ("tue fri", True)])
def test_who_gets_one_letter_a_week_is_not_offered_it(days, offered):
    reader = make.subscriber(frequency="chosen", days=week.read(days))
    assert ('value="weekly"' in text(visitor().get(leaving(reader)))) is offered


def test_a_paused_reader_is_not_offered_another_pause():
    reader = make.subscriber()
    services.pause(reader, timezone.now())
    page = text(visitor().get(leaving(reader)))
    assert 'value="pause"' not in page
    assert 'value="weekly"' in page


def test_fewer_topics_are_a_link_mailed_to_the_reader():
    """The link that ends letters opens no preferences: it may be in a letter that was passed on."""
    reader = make.subscriber()
    assert "A link is on its way to you" in text(visitor().post(leaving(reader), {"act": "link"}))
    assert Notice.objects.get().kind == "link"
    for _ in range(20):
        page = text(visitor().post(leaving(reader), {"act": "link"}))
    assert "Several links went out today" in page
    reader.refresh_from_db()
    assert reader.state == State.ACTIVE


def test_whoever_has_their_preferences_open_is_led_there():
    reader = make.subscriber()
    client, _ = entered(urls.preferences_url(reader))
    page = text(client.get(leaving(reader)))
    assert "/preferences/#interests" in page
    assert 'value="link"' not in page
    assert 'value="link"' in text(entered(urls.preferences_url(make.subscriber()))[0].get(leaving(reader)))


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


# -- a link of before the reader's new address: somebody else may read the old mailbox ------------------


@pytest.fixture(params=["moved", "renewed"])
def old_link(request):
    reader = make.subscriber("ada@old.example", new_email="ada@new.example")
    link = leaving(reader)
    if request.param == "moved":
        accounts.take_new_address(reader, timezone.now())
    else:
        accounts.renew_links(reader)
    return reader, link


@pytest.mark.parametrize("body", [ONE_CLICK, {"act": "leave"}, {}])
def test_an_old_link_still_leaves(old_link, body):
    reader, link = old_link
    assert "No more letters come" in text(visitor().post(link, body))
    reader.refresh_from_db()
    assert reader.state == State.UNSUBSCRIBED


def test_an_old_link_shows_nothing_of_the_reader_and_offers_nothing_but_leaving(old_link):
    _, link = old_link
    page = text(visitor().get(link))
    assert "Stop all letters" in page
    assert not [word for word in ("One letter a week", "Pause", "Mail me", "comes on") if word.lower() in page.lower()]


@pytest.mark.parametrize("act", ["weekly", "pause", "link"])
def test_an_old_link_changes_no_wishes_and_mails_no_link(old_link, act):
    reader, link = old_link
    before = reader.frequency
    visitor().post(link, {"act": act})
    reader.refresh_from_db()
    assert (reader.frequency, reader.paused_until) == (before, None)
    assert not reader.notices.filter(kind="link").exists()


def test_an_old_link_brings_nobody_back_who_left_at_the_new_address(old_link):
    reader, link = old_link
    visitor().post(leaving(reader), ONE_CLICK)
    page = text(visitor().get(link))
    assert 'name="undo"' not in page
    reader.refresh_from_db()
    visitor().post(link, {"act": "undo", "undo": way_back(reader, timezone.now())})
    reader.refresh_from_db()
    assert reader.state == State.UNSUBSCRIBED


@pytest.mark.parametrize("page", [urls.unsubscribe_url, urls.preferences_url])
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
    client, page = entered(urls.preferences_url(reader))
    assert f'action="{leaving(reader)}"' in text(client.get(page))


@pytest.mark.parametrize("page", [urls.unsubscribe_url, urls.preferences_url])
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
    client, page = entered(urls.return_url(reader))
    assert "Start the letters again?" in text(client.get(page))
    assert "come again" in text(client.post(page))
    reader.refresh_from_db()
    assert reader.state == State.ACTIVE


def test_the_way_back_of_an_earlier_goodbye_is_closed():
    reader = make.subscriber()
    services.unsubscribe(reader, NOW)
    link = urls.return_url(reader)
    services.come_back(reader, NOW)
    services.unsubscribe(reader, timezone.now())
    client, page = entered(link)
    assert client.post(page).status_code == 404


def test_whoever_never_asked_is_never_written_to_again():
    reader = services.subscribe("eve@example.org", now=NOW)
    link = path(urls.block_url(reader))
    assert "Never write to this address" in text(visitor().get(link))
    assert not Suppression.objects.exists()
    assert visitor(enforce_csrf_checks=True).post(link).status_code == 200
    row = Suppression.objects.get()
    assert (row.address_hmac, row.reason) == (addresses.hmac("eve@example.org"), "request")
    assert "eve" not in repr(list(Subscriber.objects.values_list()))


def test_a_block_that_opens_nothing_is_thanked_too():
    assert visitor().post("/b/x.y/").status_code == 200


def test_a_reader_whose_zone_was_dropped_may_still_want_less():
    reader = make.subscriber(zone="Mars/Olympus")
    assert "One letter a week" in text(visitor().post(leaving(reader), {"act": "weekly"}))
    reader.refresh_from_db()
    assert (reader.frequency, reader.zone) == ("weekly", "Mars/Olympus")
