from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from subscriptions import accounts, addresses, services, signals
from subscriptions.mail import outgoing
from subscriptions.models import Consent, Interest, Notice, Subscriber, Suppression
from subscriptions.wants.interests import InterestError
from subscriptions.when import schedule
from tests import make
from tests.make import NOW

pytestmark = pytest.mark.django_db
State = Subscriber.State
DAY = timedelta(days=1)


def subscribe(email: str = "ada@example.org", **wishes) -> Subscriber:
    return services.subscribe(email, now=wishes.pop("now", NOW), **wishes)


def notices(kind: str = "confirm") -> int:
    return Notice.objects.filter(kind=kind).count()


# -- signing up -----------------------------------------------------------------------------------


def test_a_signup_waits_for_its_confirmation():
    make.topic("speech")
    reader = subscribe(topics=["speech"], queries=["protein folding"], network="192.0.2.0/24")
    assert (reader.state, reader.next_digest_at, notices()) == (State.PENDING, None, 1)
    assert sorted(one.label for one in reader.interests.all()) == ["Speech", "protein folding"]
    consent = Consent.objects.get()
    assert (consent.act, consent.network) == ("asked", "192.0.2.0/24")


def test_one_mailbox_at_gmail_is_one_reader_and_mail_goes_to_the_address_as_typed():
    first = subscribe("Ada.Love@gmail.com")
    services.confirm(first, NOW)
    again = subscribe("adalove+papers@googlemail.com", queries=["folding"])
    assert again.pk == first.pk
    assert Subscriber.objects.get().email == "Ada.Love@gmail.com"
    assert (notices(), notices("link")) == (1, 1)


def test_a_mailbox_at_gmail_is_asked_once_a_day_however_it_is_spelled():
    for email in ("adalove@gmail.com", "a.dalove@gmail.com", "a.d.alove@googlemail.com", "adalove+1@gmail.com"):
        subscribe(email)
    assert notices() == 1


def test_an_address_suppressed_before_dots_counted_for_nothing_stays_suppressed():
    old = addresses.keyed_hash("ada.love@gmail.com")
    Suppression.objects.create(address_hmac=old, reason="complaint", since=NOW)
    assert outgoing.suppressed(["ada.love@gmail.com", "ben@gmail.com"]) == {"ada.love@gmail.com"}
    with pytest.raises(services.SuppressedError):
        subscribe("Ada.Love@gmail.com")
    services.suppress("adalove@gmail.com", "complaint", NOW)
    with pytest.raises(services.SuppressedError):
        subscribe("a.dalove+x@googlemail.com")


def test_two_readers_with_the_same_wish_share_one_filter():
    subscribe("ada@example.org", queries=["Protein  Folding"])
    subscribe("ben@example.org", queries=["protein folding"])
    assert Interest.objects.values("filter").distinct().count() == 1


def test_a_wish_said_twice_is_one_interest():
    make.topic("speech", "speech")
    reader = subscribe(topics=["speech"], queries=["speech", "SPEECH"])
    assert [one.label for one in reader.interests.all()] == ["Speech"]


@pytest.mark.parametrize(
    ("error", "wish"),
    [
        (addresses.AddressError, {"email": "ada@localhost"}),
        (schedule.ScheduleError, {"zone": "Berlin"}),
        (schedule.ScheduleError, {"hour": 24}),
        (schedule.ScheduleError, {"papers_per_day": 0}),
        (InterestError, {"queries": ["(protein"]}),
        (InterestError, {"topics": ["alchemy"]}),
        (InterestError, {"queries": [f"word{number}" for number in range(21)]}),
    ],
)
def test_bad_input_is_refused_whole(error, wish):
    with pytest.raises(error) as refusal:
        subscribe(**wish)
    assert refusal.value.message.endswith(".")
    assert not Subscriber.objects.exists()


def test_a_bad_query_names_its_line_and_column():
    with pytest.raises(InterestError) as refusal:
        subscribe(queries=["protein", "", "cat:cs.CL AND ("])
    assert refusal.value.number == 3
    assert refusal.value.column > 0


def test_the_last_signup_before_confirming_is_the_one_confirmed():
    subscribe(queries=["protein"], hour=9)
    reader = subscribe(queries=["speech"], now=NOW + timedelta(minutes=5))
    assert [one.label for one in reader.interests.all()] == ["speech"]
    assert reader.hour == 7


@pytest.mark.thorough
def test_s1_one_address_gets_one_confirmation_a_day_and_three_a_month():
    for hours in range(0, 24 * 29, 6):
        subscribe(now=NOW + timedelta(hours=hours))
    assert notices() == 3
    subscribe(now=NOW + 32 * DAY)
    assert notices() == 4


def test_s1_a_bomb_leaves_no_heap_of_proofs():
    for minutes in range(20):
        subscribe(now=NOW + timedelta(minutes=minutes))
    assert Consent.objects.count() == 1


def test_s1_tags_do_not_multiply_an_address():
    for number in range(10):
        subscribe(f"ada+{number}@example.org")
    assert notices() == 1


def test_a_reader_who_signs_up_again_is_changed_in_nothing_and_mailed_their_link():
    reader = make.subscriber("ada@example.org", queries=["protein"])
    again = subscribe("Ada@example.org", queries=["speech"], hour=23)
    assert again.pk == reader.pk
    assert [one.label for one in again.interests.all()] == ["protein"]
    assert (again.hour, notices("confirm"), notices("link")) == (6, 0, 1)


@pytest.mark.parametrize("reason", ["hard_bounce", "complaint", "request", "curator"])
def test_nobody_writes_to_a_suppressed_address(reason):
    services.suppress("ada@example.org", reason, NOW)
    with pytest.raises(services.SuppressedError):
        subscribe("ADA@example.org")
    assert not Notice.objects.exists()


# -- confirming -----------------------------------------------------------------------------------


def test_a_confirmed_reader_is_due_at_their_next_hour():
    reader = subscribe(hour=7, zone="Europe/Berlin")
    assert services.confirm(reader, NOW)
    assert (reader.state, reader.confirmed_at) == (State.ACTIVE, NOW)
    assert reader.next_digest_at == datetime(2026, 6, 4, 5, tzinfo=UTC)


def test_a_confirmation_tells_the_other_rooms_once():
    heard = []

    def listen(subscriber, now, **_):
        heard.append((subscriber.pk, now))

    signals.confirmed.connect(listen)
    reader = subscribe()
    assert [services.confirm(reader, NOW), services.confirm(reader, NOW)] == [True, False]
    signals.confirmed.disconnect(listen)
    assert heard == [(reader.pk, NOW)]
    assert Consent.objects.filter(act="confirmed").count() == 1


@pytest.mark.parametrize("state", [State.UNSUBSCRIBED, State.SUPPRESSED, State.FORGOTTEN, State.PAUSED])
def test_only_a_waiting_reader_can_be_confirmed(state):
    reader = make.subscriber(state=state)
    assert not services.confirm(reader, NOW)
    assert reader.state == state


# -- schedule -------------------------------------------------------------------------------------


def test_a_later_hour_today_still_brings_todays_letter_to_whoever_was_not_served():
    reader = make.subscriber(hour=20, next_digest_at=NOW + timedelta(hours=14), confirmed_at=NOW - DAY)
    reader_served_yesterday_evening = reader
    services.set_schedule(reader_served_yesterday_evening, NOW, hour=9)
    assert reader.next_digest_at == NOW.replace(hour=9)


def test_whoever_was_served_today_is_not_due_again_today():
    served = NOW.replace(hour=5)
    reader = make.subscriber(hour=5, next_digest_at=NOW + timedelta(hours=23), served_at=served)
    services.set_schedule(reader, NOW, hour=9)
    assert reader.next_digest_at == NOW.replace(hour=9) + DAY


def test_whoever_was_served_today_is_not_due_again_after_a_pause_and_another_hour():
    reader = make.subscriber(hour=5, next_digest_at=NOW + timedelta(hours=23), served_at=NOW.replace(hour=5))
    services.pause(reader, NOW)
    services.set_schedule(reader, NOW, hour=9)
    services.resume(reader, NOW)
    assert reader.next_digest_at == NOW.replace(hour=9) + DAY


def test_who_is_due_at_this_moment_stays_due():
    reader = make.subscriber(hour=6, next_digest_at=NOW)
    services.set_schedule(reader, NOW + timedelta(minutes=1), hour=20)
    assert reader.next_digest_at == NOW


def test_a_change_that_cannot_be_kept_changes_nothing():
    reader = make.subscriber()
    with pytest.raises(schedule.ScheduleError):
        services.set_schedule(reader, NOW, hour=9, zone="Mars/Olympus")
    reader.refresh_from_db()
    assert reader.hour == 6


# -- pausing --------------------------------------------------------------------------------------


def test_a_pause_ends_at_the_readers_hour_on_its_date():
    reader = make.subscriber(zone="Asia/Tokyo", hour=7)
    assert services.pause(reader, NOW, until=date(2026, 6, 20))
    assert reader.state == State.PAUSED
    assert reader.next_digest_at == datetime(2026, 6, 19, 22, tzinfo=UTC)


def test_a_pause_for_good_is_never_due():
    reader = make.subscriber()
    services.pause(reader, NOW)
    assert reader.next_digest_at is None


def test_a_pause_into_the_past_is_refused():
    with pytest.raises(schedule.ScheduleError):
        services.pause(make.subscriber(), NOW, until=NOW.date())


def test_a_resumed_reader_is_due_at_their_next_hour():
    reader = make.subscriber(hour=5)
    services.pause(reader, NOW)
    assert services.resume(reader, NOW)
    assert (reader.state, reader.next_digest_at) == (State.ACTIVE, NOW.replace(hour=5) + DAY)


def test_a_pause_that_ends_by_itself_leaves_its_reader_due():
    reader = make.subscriber()
    services.pause(reader, NOW, until=date(2026, 6, 20))
    due = reader.next_digest_at
    services.resume(reader, due)
    assert (reader.state, reader.next_digest_at) == (State.ACTIVE, due)


@pytest.mark.parametrize(("catch_up", "moved"), [(True, 0), (False, 1)])
def test_after_a_pause_what_passed_is_caught_up_with_or_not(catch_up, moved):
    make.edition(date(2026, 6, 1))
    reader = make.subscriber(cursor=0)
    services.pause(reader, NOW, catch_up=catch_up)
    services.resume(reader, NOW)
    reader.refresh_from_db()
    assert reader.cursor == moved


def test_a_change_of_hour_in_a_pause_moves_its_end():
    reader = make.subscriber(hour=7)
    services.pause(reader, NOW, until=date(2026, 6, 20))
    services.set_schedule(reader, NOW, hour=9)
    assert reader.next_digest_at == datetime(2026, 6, 20, 9, tzinfo=UTC)


# -- leaving --------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [State.PENDING, State.ACTIVE, State.PAUSED])
def test_leaving_is_immediate_and_once(state):
    reader = make.subscriber(state=state)
    assert [services.unsubscribe(reader, NOW), services.unsubscribe(reader, NOW)] == [True, False]
    assert (reader.state, reader.next_digest_at, reader.ended_at) == (State.UNSUBSCRIBED, None, NOW)


@pytest.mark.parametrize(("tell", "letters"), [(True, 1), (False, 0)])
def test_s37_a_goodbye_goes_to_those_who_left_by_a_page(tell, letters):
    services.unsubscribe(make.subscriber(), NOW, tell=tell)
    assert notices("goodbye") == letters


def test_leaving_can_be_undone_for_a_month():
    reader = make.subscriber(cursor=4)
    services.unsubscribe(reader, NOW)
    assert services.come_back(reader, NOW + 29 * DAY)
    assert (reader.state, reader.cursor) == (State.ACTIVE, 4)
    services.unsubscribe(reader, NOW)
    assert not services.come_back(reader, NOW + 31 * DAY)


def test_nobody_comes_back_who_was_never_confirmed():
    reader = subscribe()
    services.unsubscribe(reader, NOW)
    assert not services.come_back(reader, NOW)


def test_whoever_left_may_sign_up_anew_and_confirms_again():
    reader = make.subscriber("ada@example.org")
    services.unsubscribe(reader, NOW)
    again = subscribe("ada@example.org")
    assert (again.pk, again.state, notices("confirm")) == (reader.pk, State.PENDING, 1)


def test_a_suppressed_reader_is_no_longer_due():
    reader = make.subscriber("ada@example.org")
    services.suppress("ADA@example.org", "complaint", NOW, "by a report")
    reader.refresh_from_db()
    assert (reader.state, reader.next_digest_at) == (State.SUPPRESSED, None)


# -- data -----------------------------------------------------------------------------------------


def test_s30_an_export_holds_what_is_kept():
    reader = make.subscriber("ada@example.org", topics=[make.topic()], queries=["protein"])
    document = services.export(reader)
    assert document["email"] == "ada@example.org"
    assert [one["label"] for one in document["interests"]] == ["Speech", "protein"]
    assert document["letters"] == []


def test_s30_an_erased_reader_leaves_a_hash_and_no_name():
    reader = subscribe("zoe@example.org", queries=["protein"], network="192.0.2.0/24")
    services.confirm(reader, NOW)
    services.forget(reader, NOW)
    assert (reader.state, reader.email, reader.interests.count(), reader.notices.count()) == (State.FORGOTTEN, "", 0, 0)
    assert "zoe" not in repr(list(Subscriber.objects.values_list())) + repr(list(Consent.objects.values_list()))
    assert Suppression.objects.get().address_hmac == addresses.hmac("zoe@example.org")


def test_an_erased_person_may_sign_up_of_their_own():
    reader = make.subscriber("ada@example.org")
    services.forget(reader, NOW)
    again = subscribe("ada@example.org")
    assert again.pk != reader.pk
    assert not Suppression.objects.exists()


def test_a_complaint_outlives_an_erasure():
    reader = make.subscriber("ada@example.org")
    services.suppress("ada@example.org", "complaint", NOW)
    services.forget(reader, NOW)
    with pytest.raises(services.SuppressedError):
        subscribe("ada@example.org")


def test_an_address_moves_once_the_new_one_confirms():
    reader = make.subscriber("ada@example.org")
    assert accounts.ask_new_address(reader, "ada@new.example", NOW)
    assert (reader.email, notices("address")) == ("ada@example.org", 1)
    assert accounts.take_new_address(reader, NOW)
    assert (reader.email, reader.email_key, reader.new_email) == ("ada@new.example", "ada@new.example", "")
    assert not accounts.take_new_address(reader, NOW)


def test_an_address_somebody_reads_at_is_not_taken_over():
    make.subscriber("ben@example.org")
    reader = make.subscriber("ada@example.org")
    accounts.ask_new_address(reader, "Ben@example.org", NOW)
    with pytest.raises(accounts.AddressTakenError):
        accounts.take_new_address(reader, NOW)


def test_s5_a_fresh_link_works_once():
    reader = make.subscriber()
    assert [accounts.use_link(reader, "0") for _ in range(3)] == [True, False, False]
    assert not accounts.use_link(reader, "²")


@pytest.mark.parametrize("then", [timedelta(minutes=1), DAY, 40 * DAY])
def test_a_signup_from_a_mailbox_that_was_left_behind_is_a_new_one(then):
    first = subscribe("ada@example.org", queries=["speech"])
    services.confirm(first, NOW)
    accounts.ask_new_address(first, "ada@example.net", NOW)
    accounts.take_new_address(first, NOW)
    again = subscribe("ada@example.org", queries=["protein"], now=NOW + then)
    assert again.pk != first.pk
    assert (again.state, again.notices.filter(kind="confirm").count()) == (State.PENDING, 1)
    assert services.confirm(again, NOW + then)
    first.refresh_from_db()
    assert (first.state, first.email) == (State.ACTIVE, "ada@example.net")
    assert [one.label for one in first.interests.all()] == ["speech"]


def test_a_reader_may_move_back_on_the_same_day():
    reader = subscribe("ada@example.org")
    services.confirm(reader, NOW)
    for email in ("ada@example.net", "ada@example.org"):
        assert accounts.ask_new_address(reader, email, NOW)
        assert accounts.take_new_address(reader, NOW)
    assert reader.email == "ada@example.org"


def test_a_mailbox_that_a_reader_has_asked_to_move_to_is_not_asked_twice():
    reader = subscribe("ada@example.org")
    services.confirm(reader, NOW)
    accounts.ask_new_address(reader, "ada@example.net", NOW)
    assert not subscribe("ada@example.net").notices.exists()
