"""Groups A, B, C, D and I of the fault list, named by number (docs/reliability.md has the table)."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import available_timezones

import pytest
from celery import current_app
from django.conf import settings as live
from django.db import connection
from hypothesis import given
from hypothesis import settings as few
from hypothesis import strategies as st

from digest import delivery, tasks
from digest.delivery import claim, failpoints, plan, reasons, resolve, send, settle
from digest.delivery.accounts import audit
from digest.delivery.channels import evidence, holds, provider_api, throttle
from digest.models import Attempt, Delivery, Edition, Skip
from subscriptions import services
from subscriptions import tasks as wakes
from subscriptions.clock import database_now, monotonic
from subscriptions.mail import notices
from subscriptions.mail.outcomes import Outcome
from subscriptions.models import Notice, Subscriber
from subscriptions.when import schedule
from tests import make
from tests.digest.delivery.conftest import Provider
from tests.make import NOW

pytestmark = pytest.mark.django_db


class DiedError(BaseException):
    """Stands for the process's end: nothing after it runs. (The chaos driver kills real processes.)"""


@pytest.fixture
def die(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Arm one failpoint: the first pass through it ends the "process"."""

    def at(name: str) -> None:
        assert name in failpoints.NAMES
        failpoints._passed.clear()
        monkeypatch.setattr(failpoints, "_ARMED", {name: 1.0} if name else {})

    def kill(*_: Any) -> None:
        monkeypatch.setattr(failpoints, "_ARMED", {})
        raise DiedError

    monkeypatch.setattr(failpoints.os, "kill", kill)
    return at


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    def shift(by: timedelta) -> None:
        for module in (claim, settle, resolve, evidence, throttle, notices, audit):
            monkeypatch.setattr(module, "database_now", lambda: database_now() + by)

    return shift


@pytest.fixture
def readers(edition: Edition, channel: Callable[[str], None]) -> list[Subscriber]:
    return [make.subscriber(f"r{n}@example.org", queries=["speech"]) for n in range(5)]


@pytest.fixture
def record(monkeypatch: pytest.MonkeyPatch, provider: Provider) -> None:
    """The provider's own record, complete and up to date."""
    monkeypatch.setattr(provider_api, "accepted", lambda attempt: {one.metadata["delivery"] for one in provider.taken})


def run(now: datetime = NOW) -> None:
    try:
        plan.plan(now, chunk=2)
        delivery.deliver(now)
    except DiedError:
        return


def states() -> set[str]:
    return set(Delivery.objects.values_list("state", flat=True))


def recover(later: Callable[[timedelta], None], now: datetime = NOW) -> None:
    """The next processes: leases have run out, then doubts are old enough to be asked about."""
    later(timedelta(minutes=4))
    run(now)
    later(timedelta(minutes=40))
    run(now)
    run(now)


def copies(provider: Provider) -> dict[str, int]:
    return {one.to: sum(other.to == one.to for other in provider.taken) for one in provider.taken}


# -- A: processes -------------------------------------------------------------------------------

PLANNING = ("plan.read", "plan.matched", "plan.inserted", "plan.moved", "plan.committed")
BEFORE_INTENT = (
    "claim.selected", "claim.attempts_written", "claim.marked", "claim.committed", "render.begun", "render.done",
    "intend.checked", "intend.marked", "intend.frozen",
)  # fmt: skip
AFTER_INTENT = (
    "intend.committed", "post.before", "post.after", "settle.begun", "settle.attempt_closed",
    "settle.deliveries_written", "settle.committed",
)  # fmt: skip


@pytest.mark.parametrize("point", PLANNING)
def test_f06_f07_dying_while_planning_changes_nobodys_letter(
    point: str, die: Any, later: Any, readers: list[Subscriber], provider: Provider, record: None
) -> None:
    die(point)
    run()
    recover(later)
    assert copies(provider) == {one.email: 1 for one in readers}
    assert audit.audit().good


@pytest.mark.parametrize("point", BEFORE_INTENT)
def test_f08_dying_before_the_intent_leaves_nothing_in_doubt(
    point: str, die: Any, later: Any, readers: list[Subscriber], provider: Provider
) -> None:
    die(point)
    run()
    assert not provider.taken
    later(timedelta(minutes=4))
    run()
    assert copies(provider) == {one.email: 1 for one in readers}
    assert states() == {"accepted"}


@pytest.mark.thorough
@pytest.mark.parametrize("point", AFTER_INTENT)
def test_f09_f10_f11_dying_after_the_intent_is_a_doubt_that_evidence_ends(
    point: str, die: Any, later: Any, readers: list[Subscriber], provider: Provider, record: None
) -> None:
    die(point)
    run()
    recover(later)
    assert copies(provider) == {one.email: 1 for one in readers}
    assert states() == {"accepted"}
    assert audit.audit().good


@pytest.mark.thorough
@pytest.mark.parametrize("point", ["intend.committed", "post.after", "settle.begun"])
def test_f10_on_a_blind_channel_the_doubtful_one_is_named(
    point: str, die: Any, later: Any, readers: list[Subscriber], provider: Provider, channel: Any
) -> None:
    channel("smtp")
    die(point)
    run()
    recover(later)
    assert Delivery.objects.filter(state="uncertain").count() == 1
    assert all(n == 1 for n in copies(provider).values())


@pytest.mark.thorough
@pytest.mark.parametrize("point", ["recover.begun", "recover.marked", "release.begun", "release.marked"])
def test_f13_dying_while_settling_doubts_settles_them_later(
    point: str, die: Any, later: Any, readers: list[Subscriber], provider: Provider, record: None
) -> None:
    die("post.after")
    run()
    die(point)
    recover(later)
    later(timedelta(hours=2))
    run()
    run()
    assert copies(provider) == {one.email: 1 for one in readers}
    assert states() == {"accepted"}


def test_f01_a_notice_whose_sender_died_is_sent_by_the_next(db: None, later: Any, provider: Provider) -> None:
    reader = make.subscriber("ada@example.org", state="pending")
    notices.queue(Notice.Kind.CONFIRM, reader, NOW, "confirm:1")
    [claimed] = notices._claim(NOW)
    assert claimed.state == "claimed"
    later(timedelta(minutes=6))
    notices.send_waiting(NOW)
    notices.send_waiting(NOW + timedelta(minutes=2))
    assert [one.to for one in provider.taken] == ["ada@example.org"]
    assert Notice.objects.get().repeats == 1


def test_f02_a_notice_of_a_transaction_that_failed_was_never_there(db: None) -> None:
    from django.db import transaction

    reader = make.subscriber("ada@example.org", state="pending")

    def signs_up_and_fails() -> None:
        with transaction.atomic():
            notices.queue(Notice.Kind.CONFIRM, reader, NOW, "confirm:1")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        signs_up_and_fails()
    assert not Notice.objects.exists()


def test_f14_without_a_ticker_any_other_wake_up_does_the_work(readers: list[Subscriber], provider: Provider) -> None:
    run(NOW + timedelta(hours=1))
    assert len(provider.taken) == 5


def test_f15_a_worker_told_to_stop_gives_back_what_it_has_not_begun(
    readers: list[Subscriber], provider: Provider
) -> None:
    plan.plan(NOW)
    [claimed] = claim.claim(NOW, "postmark", 10)
    settle.give_back(claimed, NOW)
    run()
    assert copies(provider) == {one.email: 1 for one in readers}


def test_f16_a_commit_that_is_said_to_have_failed_is_read_again(
    readers: list[Subscriber], provider: Provider, record: None, later: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = settle.settle

    def ends_in_the_commit(*args: Any) -> bool:
        real(*args)
        monkeypatch.setattr(settle, "settle", real)
        raise SystemExit

    monkeypatch.setattr(settle, "settle", ends_in_the_commit)
    plan.plan(NOW)
    with pytest.raises(SystemExit):
        delivery.deliver(NOW)
    recover(later)
    assert copies(provider) == {one.email: 1 for one in readers}


def test_f17_a_worker_that_slept_past_its_lease_sends_nothing(
    readers: list[Subscriber], provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan.plan(NOW)
    claims = claim.claim(NOW, "postmark", 10)
    monkeypatch.setattr(send, "monotonic", lambda: monotonic() + claim.LEASE.total_seconds())
    send.send(claims, NOW, None)
    assert not provider.taken
    assert states() == {"pending"}


def test_f17_a_worker_that_slept_and_was_given_up_cannot_begin(
    readers: list[Subscriber], provider: Provider, later: Any
) -> None:
    plan.plan(NOW)
    claims = claim.claim(NOW, "postmark", 10)
    later(timedelta(minutes=4))
    resolve.recover(NOW)
    send.send(claims, NOW, None)
    assert not provider.taken
    assert states() == {"pending"}


def test_f17_a_slow_answer_of_one_who_was_given_up_is_still_a_yes(
    readers: list[Subscriber], provider: Provider, later: Any
) -> None:
    plan.plan(NOW)
    claims = claim.claim(NOW, "postmark", 10)
    offer = send.offer

    def slow(*asked: Any) -> Any:
        results = offer(*asked)
        later(timedelta(minutes=4))
        resolve.recover(NOW)
        return results

    send_offer, send.offer = send.offer, slow
    try:
        send.send(claims, NOW, None)
    finally:
        send.offer = send_offer
    assert states() == {"accepted"}
    assert len(provider.taken) == 5


def test_f18_while_evidence_stalls_nothing_is_sent_again(
    die: Any, later: Any, readers: list[Subscriber], provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(attempt: Attempt) -> set[str]:
        raise provider_api.ProviderLookupError("nobody answers")

    monkeypatch.setattr(provider_api, "accepted", silent)
    die("post.after")
    run()
    later(timedelta(hours=3))
    run()
    assert states() == {"ambiguous"}
    assert len(provider.taken) == 5


@pytest.mark.thorough
def test_f19_a_letter_that_cannot_be_written_is_set_aside_after_three_tries(
    readers: list[Subscriber], provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = send.render_all

    def chokes(rows: Any, now: datetime) -> Any:
        if any(row.subscriber_id == readers[2].pk for row in rows):
            raise MemoryError
        return write(rows, now)

    monkeypatch.setattr(send, "render_all", chokes)
    for hours in range(4):
        run(NOW + timedelta(hours=hours))
    assert Delivery.objects.get(state="dead").subscriber == readers[2]
    assert len(provider.taken) == 4


# -- B: broker and scheduler --------------------------------------------------------------------


def test_f23_f24_f25_f26_sending_needs_no_broker_at_all(
    readers: list[Subscriber], provider: Provider, settings: Any
) -> None:
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"
    run()
    notices.send_waiting(NOW)
    assert len(provider.taken) == 5


@pytest.mark.thorough
def test_f29_the_same_wake_up_ten_times_is_one_effect(
    readers: list[Subscriber], provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks.timezone, "now", lambda: NOW)
    for _ in range(10):
        tasks.send_due()
        wakes.send_notices()
    assert copies(provider) == {one.email: 1 for one in readers}


def test_f30_a_lost_wake_up_is_healed_by_the_next(readers: list[Subscriber], provider: Provider) -> None:
    plan.plan(NOW)  # and the wake-up for sending was lost
    run(NOW + timedelta(seconds=15))
    assert len(provider.taken) == 5


def test_f31_only_json_is_ever_read_from_the_broker() -> None:
    assert live.CELERY_ACCEPT_CONTENT == ["json"]
    assert live.CELERY_TASK_SERIALIZER == "json"
    assert live.CELERY_RESULT_BACKEND is None


def test_f32_five_beats_make_one_letter(readers: list[Subscriber], provider: Provider) -> None:
    for _ in range(5):
        plan.plan(NOW)
    delivery.deliver(NOW)
    assert copies(provider) == {one.email: 1 for one in readers}
    assert Delivery.objects.count() == 5


def test_f34_stale_wake_ups_expire_before_the_next_one() -> None:
    entries = live.CELERY_BEAT_SCHEDULE.values()
    assert all(entry["options"]["expires"] <= entry["schedule"] for entry in entries)


def test_f28_f27_a_half_open_broker_is_noticed(settings: Any) -> None:
    from config.broker import REDIS_OPTIONS

    assert REDIS_OPTIONS["socket_timeout"] <= 60
    assert REDIS_OPTIONS["health_check_interval"] <= 60
    assert "digest.tasks.send_due" in current_app.tasks or tasks.send_due.name == "digest.tasks.send_due"


# -- C: database --------------------------------------------------------------------------------


def test_f39_no_transaction_is_open_while_a_letter_is_handed_over(
    readers: list[Subscriber], provider: Provider
) -> None:
    depth = len(connection.savepoint_ids)

    def looks(letter: Any) -> Any:
        assert len(connection.savepoint_ids) == depth
        return Provider.accept(provider, letter)

    provider.answer = looks
    run()
    assert len(provider.taken) == 5


def test_f39_postgresql_ends_a_transaction_that_idles() -> None:
    from config import settings as source

    options = str(source.DATABASES["default"].get("OPTIONS", {}))
    if connection.vendor == "postgresql":
        assert "idle_in_transaction_session_timeout" in options
        assert "synchronous_commit=on" in options
    else:
        assert "IMMEDIATE" in options
        assert "synchronous=FULL" in options


def test_f44_a_corrupt_row_hurts_nobody_else(readers: list[Subscriber], provider: Provider) -> None:
    plan.plan(NOW)
    broken = Delivery.objects.order_by("pk")[1]
    Delivery.objects.filter(pk=broken.pk).update(papers={"no": "list"})
    for hours in range(4):
        run(NOW + timedelta(hours=hours))
    assert len(provider.taken) >= 4
    assert not Delivery.objects.filter(state__in=["pending", "claimed"]).exists()


def test_f45_leases_are_measured_by_the_databases_clock(db: None, time_machine_far: None) -> None:
    ahead = abs((database_now() - datetime.now(UTC)).total_seconds())
    assert ahead > 500 if connection.vendor == "postgresql" else ahead < 5


@pytest.fixture
def time_machine_far() -> Iterator[None]:
    import time_machine

    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=10)):
        yield


# -- D: time ------------------------------------------------------------------------------------


@pytest.mark.slow
def test_f46_every_zone_has_one_letter_for_each_local_date() -> None:
    """Every zone, 2020 to 2035, is walked in tests/subscriptions/when/test_schedule.py; here one year a zone."""
    zones = sorted(name for name in available_timezones() if name in schedule.zone_names())
    assert len(zones) > 450
    for number, zone in enumerate(zones):
        year = 2020 + number % 16
        at = datetime(year, 1, 1, tzinfo=UTC) - timedelta(days=1)
        dates: list[date] = []
        for _ in range(367):
            at = schedule.next_due(schedule.Times("daily", number % 24, 0, zone), at)
            dates.append(schedule.local_date(zone, at))
        assert len(set(dates)) == len(dates), zone
        gaps = {(later - earlier).days for earlier, later in itertools.pairwise(dates)}
        assert gaps <= {1, 2}, zone  # 2: the zone itself skipped a date


@pytest.mark.parametrize("jump", [timedelta(days=1), timedelta(days=-1), timedelta(hours=-1)])
def test_f47_a_jumping_clock_makes_no_second_letter(
    jump: timedelta, readers: list[Subscriber], provider: Provider
) -> None:
    run()
    run(NOW + jump)
    run(NOW)
    assert copies(provider) == {one.email: 1 for one in readers}


def test_f47_without_a_released_edition_nothing_is_early(db: None, provider: Provider, channel: Any) -> None:
    make.edition(state="collecting", papers=[make.paper("Speech")])
    make.subscriber(queries=["speech"])
    run(NOW)
    assert not provider.taken


@pytest.mark.thorough
@few(max_examples=25, deadline=None)
@given(
    zone=st.sampled_from(["Pacific/Auckland", "Asia/Tokyo", "America/New_York", "Pacific/Honolulu", "Europe/Berlin"])
)
def test_f48_a_reader_who_moves_gets_each_edition_once(zone: str) -> None:
    Delivery.objects.all().delete()
    Subscriber.objects.all().delete()
    Edition.objects.all().delete()
    make.edition(papers=[make.paper("Speech")])
    reader = make.subscriber(queries=["speech"], hour=23)
    at = NOW.replace(hour=23)
    Subscriber.objects.filter(pk=reader.pk).update(next_digest_at=at)
    plan.plan(at)
    reader.refresh_from_db()
    services.set_schedule(reader, at + timedelta(minutes=59), zone=zone)
    for hours in range(1, 30):
        plan.plan(at + timedelta(hours=hours))
    assert Delivery.objects.filter(subscriber=reader).count() == 1


def test_f49_a_zone_that_tzdata_dropped_is_served_by_utc(edition: Edition, provider: Provider, channel: Any) -> None:
    make.subscriber(queries=["speech"], zone="Nowhere/Gone")
    run()
    assert len(provider.taken) == 1


def test_f50_after_thirty_hours_off_there_is_one_merged_letter(readers: list[Subscriber], provider: Provider) -> None:
    tomorrow = NOW + timedelta(days=1)
    make.edition(tomorrow.date(), papers=[make.paper("Speech of tomorrow")])
    run(NOW + timedelta(hours=30))
    assert copies(provider) == {one.email: 1 for one in readers}
    assert {len(row.papers) for row in Delivery.objects.all()} == {2}


# -- I: people, operations ----------------------------------------------------------------------


@pytest.mark.parametrize("act", ["unsubscribe", "suppress", "pause", "forget"])
def test_f90_who_leaves_between_claim_and_hand_over_gets_nothing(
    act: str, readers: list[Subscriber], provider: Provider
) -> None:
    plan.plan(NOW)
    claims = claim.claim(NOW, "postmark", 10)
    leaver = readers[2]
    if act == "suppress":
        services.suppress(leaver.email, "complaint", NOW)
    else:
        getattr(services, act)(leaver, NOW)
    send.send(claims, NOW, None)
    assert leaver.email not in copies(provider)
    row = Delivery.objects.get(subscriber=leaver)
    assert row.state == "skipped"
    assert row.reason in {reasons.UNSUBSCRIBED, reasons.SUPPRESSED, reasons.PAUSED, reasons.ERASED}


def test_f92_a_hold_takes_effect_before_the_next_chunk(
    readers: list[Subscriber], provider: Provider, channel: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel("smtp")
    from digest.delivery import run as rounds

    monkeypatch.setattr(rounds, "CHUNK", 2)

    def holds_it(letter: Any) -> Any:
        holds.hold("smtp", holds.OPERATOR, "stop", NOW)
        return Provider.accept(provider, letter)

    provider.answer = holds_it
    run()
    assert len(provider.taken) == 2
    assert Delivery.objects.filter(state="pending").count() == 3


def test_f92_an_edition_changed_after_its_freeze_is_found_by_audit(
    readers: list[Subscriber], edition: Edition, provider: Provider
) -> None:
    from digest.editions import lifecycle

    Edition.objects.update(content_hash=lifecycle.content_hash(edition))
    run()
    assert audit.audit().good
    edition.entries.update(note="a word slipped in")
    assert [one.name for one in audit.audit().broken] == ["I8"]


def test_f96_a_reader_erased_during_the_run_leaves_no_letter_behind(
    readers: list[Subscriber], provider: Provider
) -> None:
    plan.plan(NOW)
    services.forget(readers[0], NOW)
    run()
    row = Delivery.objects.get(subscriber=readers[0])
    assert (row.state, row.papers, row.address_hmac) == ("skipped", [], "")
    assert len(provider.taken) == 4


# -- the notices' own promise -------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "ends"), [("confirm", ["pending", "uncertain"]), ("goodbye", ["uncertain"])])
def test_a_doubtful_notice_is_repeated_once_if_it_was_asked_for(
    kind: str, ends: list[str], db: None, provider: Provider
) -> None:
    state = "pending" if kind == "confirm" else "unsubscribed"
    reader = make.subscriber("ada@example.org", state=state, ended_at=NOW)
    notices.queue(kind, reader, NOW, "one")
    provider.always(Outcome.UNCLEAR)
    seen = []
    for minutes in range(0, 6, 2):
        if notices.send_waiting(NOW + timedelta(minutes=minutes)):
            seen.append(Notice.objects.get().state)
    assert seen == ends


def test_a_notice_is_queued_once_for_one_reason(db: None) -> None:
    reader = make.subscriber()
    assert notices.queue("link", reader, NOW, "link:1")
    assert not notices.queue("link", reader, NOW, "link:1")


def test_a_day_without_letters_has_one_reason(db: None) -> None:
    reader = make.subscriber()
    make.edition((NOW - timedelta(days=1)).date(), [])
    make.edition(NOW.date(), [])
    plan.plan(NOW)
    Subscriber.objects.filter(pk=reader.pk).update(next_digest_at=NOW)
    plan.plan(NOW)
    assert Skip.objects.count() == 1


# -- H: reports that come late --------------------------------------------------------------------


@pytest.mark.thorough
def test_f88_a_report_six_hours_late_still_settles_the_doubt(
    die: Any, later: Any, readers: list[Subscriber], provider: Provider, channel: Any
) -> None:
    from types import SimpleNamespace

    from digest.delivery.reports import events

    channel("amazon_ses")
    die("post.after")
    run()
    later(timedelta(minutes=4))
    run()
    later(timedelta(hours=7))
    run()
    assert "uncertain" in states()
    named = Delivery.objects.filter(state="uncertain")
    for number, row in enumerate(named):
        said = SimpleNamespace(
            event_type="delivered", event_id=str(number), message_id="", metadata={"delivery": str(row.uuid)},
            recipient=None, timestamp=NOW, reject_reason=None, description="", mta_response="", esp_event={},
        )  # fmt: skip
        stored = events.remember("amazon_ses", said, NOW + timedelta(hours=8))
        assert stored is not None
        events.apply(stored, NOW + timedelta(hours=8))
    assert states() == {"accepted"}
    assert copies(provider) == {one.email: 1 for one in readers}
