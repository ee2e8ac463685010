from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.utils import timezone

from digest.models import Delivery, Skip
from subscriptions import asks, links, services
from subscriptions.models import Frequency, Notice, Subscriber
from tests import make
from tests.make import NOW
from tests.subscriptions.pages import entered, text, visitor

pytestmark = pytest.mark.django_db
State = Subscriber.State


def opened(reader: Subscriber):
    client, page = entered(links.preferences_url(reader))
    assert page == "/preferences/"
    return client


def post(reader: Subscriber, **fields):
    response = opened(reader).post("/preferences/", fields)
    reader.refresh_from_db()
    return response


def test_the_link_in_a_letter_opens_the_preferences():
    reader = make.subscriber(topics=[make.topic()], queries=["protein"])
    page = text(opened(reader).get("/preferences/"))
    assert "Speech" in page
    assert ">protein</textarea>" in page


def test_s6_the_page_does_not_tell_the_address():
    reader = make.subscriber("ada.lovelace@example.org")
    assert "lovelace" not in text(opened(reader).get("/preferences/"))


def test_each_interest_has_its_count_of_last_week():
    make.edition(papers=[make.paper("Speech one"), make.paper("Speech two"), make.paper("Protein")])
    make.edition(make.TODAY - timedelta(days=9), papers=[make.paper("Speech of old")])
    reader = make.subscriber(queries=["speech", "quaternions"])
    page = text(opened(reader).get("/preferences/"))
    assert '<span class="num">2</span> papers last week, <span class="num">3</span> in 30 days' in page
    assert "It brings nothing" in page


def test_interests_are_replaced_weighed_and_muted():
    make.topic("speech")
    reader = make.subscriber(queries=["protein", "galaxies"])
    protein = reader.interests.get(text="protein")
    fields = {f"weight-{protein.pk}": "more", f"mute-{protein.pk}": "on"}
    response = post(reader, act="interests", topics=["speech"], queries="protein", **fields)
    assert "Your interests are kept" in text(response)
    kept = {one.label: (one.weight, one.muted) for one in reader.interests.all()}
    assert kept == {"protein": (2.0, True), "Speech": (1.0, False)}


def test_a_bad_query_changes_nothing_and_says_where():
    reader = make.subscriber(queries=["protein"])
    response = post(reader, act="interests", queries="protein\n(speech")
    assert response.status_code == 422
    assert "Line 2, column" in text(response)
    assert [one.label for one in reader.interests.all()] == ["protein"]


def test_times_are_changed():
    reader = make.subscriber()
    post(reader, act="schedule", frequency="weekly", weekday="6", hour="22", zone="Asia/Tokyo", text_only="on")
    assert (reader.frequency, reader.weekday, reader.hour, reader.zone) == (Frequency.WEEKLY, 6, 22, "Asia/Tokyo")
    assert (reader.text_only, reader.community_picks) == (True, False)


def test_a_bad_hour_changes_nothing():
    reader = make.subscriber()
    assert post(reader, act="schedule", hour="99").status_code == 422
    assert reader.hour == 6


def test_a_pause_and_its_end():
    reader = make.subscriber()
    day = timezone.now().date() + timedelta(days=20)
    post(reader, act="pause", until=day.isoformat())
    assert (reader.state, reader.catch_up) == (State.PAUSED, False)
    post(reader, act="resume")
    assert reader.state == State.ACTIVE


@pytest.mark.parametrize("until", ["2020-01-01", "tomorrow"])
def test_a_pause_that_cannot_be_is_refused(until):
    reader = make.subscriber()
    assert post(reader, act="pause", until=until).status_code == 422
    assert reader.state == State.ACTIVE


def test_letters_so_far_say_what_became_of_them():
    reader = make.subscriber()
    edition = make.edition(date(2026, 6, 2))
    Delivery.objects.create(
        edition=edition, subscriber=reader, state="accepted", fate="delivered", local_date=date(2026, 6, 2), due_at=NOW,
        next_at=NOW, planned_at=NOW, settled_at=NOW, papers=[{"paper": 1}],
    )  # fmt: skip
    Skip.objects.create(subscriber=reader, local_date=date(2026, 6, 3), reason="no_match", at=NOW)
    page = text(opened(reader).get("/preferences/"))
    assert "Accepted by your mail provider at 06:00:00 UTC, delivered" in page
    assert "None of the new papers matched what you asked for." in page


def test_not_receiving_letters_names_the_true_reason():
    reader = make.subscriber(community_picks=False)
    services.pause(reader, timezone.now())
    page = text(opened(reader).get("/preferences/"))
    assert "paused for good" in page
    assert "You have chosen no topic" in page


def test_todays_letter_can_be_asked_for():
    edition = make.edition(papers=[make.paper("Speech")])
    reader = make.subscriber(cursor=edition.serial)
    assert "on its way" in text(post(reader, act="now"))
    assert reader.cursor == edition.serial - 1


def test_s6_links_in_letters_passed_on_can_be_made_void():
    reader = make.subscriber()
    owner, stranger = opened(reader), opened(reader)
    owner.post("/preferences/", {"act": "renew"})
    assert "Your letters" in text(owner.get("/preferences/"))
    assert stranger.get("/preferences/").status_code == 404
    reader.refresh_from_db()
    assert "Your letters" in text(opened(reader).get("/preferences/"))


def test_a_button_of_nobodys_is_refused():
    assert post(make.subscriber(), act="delete-everything").status_code == 422


@pytest.mark.parametrize("state", [State.PENDING, State.UNSUBSCRIBED, State.SUPPRESSED])
def test_only_readers_have_preferences(state):
    reader = make.subscriber(state=state)
    page = opened(reader).get("/preferences/")
    assert page.status_code == (404 if state == State.PENDING else 200)
    assert 'id="interests"' not in text(page)


def test_a_fresh_link_is_mailed_to_a_readers_address():
    make.subscriber("ada@example.org")
    response = visitor().post("/preferences/", {"email": "Ada@example.org"})
    assert "Look in your inbox" in text(response)
    asks.take_up(timezone.now())
    assert Notice.objects.get().kind == "link"


def test_a_bad_address_is_told():
    response = visitor().post("/preferences/", {"email": "ada@"})
    assert response.status_code == 422
    assert "error" in text(response)


def test_too_many_requests_from_one_network_are_told_to_wait():
    answers = [visitor().post("/preferences/", {"email": f"a{n}@example.org"}).status_code for n in range(41)]
    assert answers == [200] * 40 + [429]
