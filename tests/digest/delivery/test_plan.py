"""Who is due, and with what."""

from __future__ import annotations

from datetime import timedelta

import pytest

from digest import tasks
from digest.delivery import plan, reasons
from digest.delivery.accounts import audit, restore_guard
from digest.editions import lifecycle
from digest.models import Delivery, Edition, Skip
from subscriptions import services
from subscriptions.mail import notices
from subscriptions.models import Notice, Subscriber
from subscriptions.when import week
from tests import make
from tests.make import NOW, TODAY

pytestmark = pytest.mark.django_db


def speech_edition(**fields: object) -> object:
    return make.edition(papers=[make.paper("Speech for all"), make.paper("Vision in the dark")], **fields)


def test_a_due_reader_gets_one_row_with_what_matched() -> None:
    edition = speech_edition()
    reader = make.subscriber(queries=["speech"], community_picks=False)
    assert plan.plan(NOW).planned == 1
    row = Delivery.objects.get()
    assert (row.edition, row.subscriber, row.state) == (edition, reader, "pending")
    assert len(row.papers) == 1
    assert row.papers[0]["reasons"][0]["label"] == "speech"


def test_the_cursor_and_the_next_moment_move_with_the_row() -> None:
    edition = speech_edition()
    reader = make.subscriber(queries=["speech"])
    plan.plan(NOW)
    reader.refresh_from_db()
    assert reader.cursor == edition.serial
    assert reader.next_digest_at == NOW + timedelta(days=1)


def test_planning_twice_plans_once() -> None:
    speech_edition()
    make.subscriber(queries=["speech"])
    plan.plan(NOW)
    again = plan.plan(NOW)
    assert again.planned == 0
    assert Delivery.objects.count() == 1


def test_no_match_is_a_recorded_skip() -> None:
    speech_edition()
    make.subscriber(queries=["astronomy"])
    planned = plan.plan(NOW)
    assert planned.skipped == {reasons.NO_MATCH: 1}
    assert Delivery.objects.get().state == "skipped"


def test_a_reader_who_wants_a_line_on_empty_days_gets_a_row_without_papers() -> None:
    speech_edition()
    make.subscriber(queries=["astronomy"], empty_day=Subscriber.EmptyDay.LINE)
    plan.plan(NOW)
    row = Delivery.objects.get()
    assert (row.state, row.papers) == ("pending", [])


def test_a_letter_covers_every_edition_since_the_last() -> None:
    for days in (2, 1, 0):
        make.edition((NOW - timedelta(days=days)).date(), papers=[make.paper(f"Speech {days}")])
    make.subscriber(queries=["speech"], cursor=1)
    plan.plan(NOW)
    assert len(Delivery.objects.get().papers) == 2


def test_nothing_released_waits_while_the_edition_of_today_is_expected() -> None:
    make.edition(state="collecting", papers=[make.paper("Speech")])
    reader = make.subscriber(queries=["speech"])
    planned = plan.plan(NOW)
    assert (planned.planned, planned.skipped) == (0, {})
    reader.refresh_from_db()
    assert reader.next_digest_at == NOW
    assert not Skip.objects.exists()


def test_a_late_edition_is_sent_when_it_comes() -> None:
    late = make.edition(state="collecting", papers=[make.paper("Speech")])
    make.subscriber(queries=["speech"])
    plan.plan(NOW)
    late.state, late.serial = "released", 1
    late.save()
    assert plan.plan(NOW + timedelta(hours=2)).planned == 1


@pytest.mark.parametrize(("state", "reason"), [("collecting", reasons.EDITION_LATE), ("held", reasons.EDITION_HELD)])
def test_after_twenty_hours_the_day_is_skipped_with_the_reason_and_nothing_is_lost(state: str, reason: str) -> None:
    make.edition(state=state, papers=[make.paper("Speech")])
    reader = make.subscriber(queries=["speech"])
    at = NOW + plan.LATE_LIMIT
    assert plan.plan(at - timedelta(minutes=1)).skipped == {}
    assert plan.plan(at).skipped == {reason: 1}
    reader.refresh_from_db()
    assert reader.cursor == 0
    assert reader.next_digest_at == NOW + timedelta(days=1)


def test_with_nothing_expected_the_reader_is_told_nothing_new() -> None:
    make.edition(TODAY - timedelta(days=1))
    make.subscriber(queries=["speech"], cursor=1)
    assert plan.plan(NOW).skipped == {reasons.NOTHING_NEW: 1}
    assert Skip.objects.get().reason == reasons.NOTHING_NEW


# -- after an outage: today's edition may still come ---------------------------------------------------

EVENING = NOW + timedelta(hours=14)


@pytest.fixture
def yesterday() -> Edition:
    return make.edition(TODAY - timedelta(days=1))


def test_before_the_first_edition_of_all_everybody_waits() -> None:
    make.subscriber(queries=["speech"])
    assert plan.plan(EVENING).skipped == {}
    assert plan.plan(NOW + plan.LATE_LIMIT).skipped == {reasons.EDITION_LATE: 1}


@pytest.mark.usefixtures("yesterday")
def test_who_is_due_waits_while_todays_papers_are_in_no_edition_yet() -> None:
    make.announcement(make.paper("Speech"))
    make.subscriber(queries=["speech"], cursor=1)
    assert plan.plan(EVENING).skipped == {}
    edition = lifecycle.collect(TODAY, EVENING)
    assert plan.plan(EVENING).skipped == {}
    lifecycle.release(edition, EVENING)
    assert plan.plan(EVENING).planned == 1


@pytest.mark.usefixtures("yesterday")
def test_who_is_due_waits_while_a_source_was_not_asked_for_today() -> None:
    source = make.source(is_daily=True)
    make.subscriber(queries=["speech"], cursor=1)
    assert plan.plan(EVENING).skipped == {}
    source.fetches.create(at=EVENING, day=TODAY, outcome="failed")
    assert plan.plan(EVENING).skipped == {reasons.NOTHING_NEW: 1}


@pytest.mark.usefixtures("yesterday")
@pytest.mark.parametrize(
    "fields", [{"is_enabled": False}, {"is_sample": True}, {"held_reason": "odd"}, {"is_daily": False}]
)
def test_nobody_waits_for_a_source_that_no_edition_waits_for(fields: dict[str, object]) -> None:
    make.source(**{"is_daily": True} | fields)
    make.subscriber(queries=["speech"], cursor=1)
    assert plan.plan(EVENING).skipped == {reasons.NOTHING_NEW: 1}


@pytest.mark.usefixtures("yesterday")
def test_on_a_day_without_announcements_nobody_waits_for_arxiv() -> None:
    make.source(is_daily=True)
    saturday = EVENING + timedelta(days=3)
    make.subscriber(queries=["speech"], cursor=1, next_digest_at=saturday - timedelta(hours=14))
    assert plan.plan(saturday).skipped == {reasons.NOTHING_NEW: 1}


def test_once_todays_edition_is_out_nobody_waits_for_late_papers() -> None:
    edition = speech_edition()
    make.announcement(make.paper("Late speech"))
    make.source(is_daily=True)
    make.subscriber(queries=["speech"], cursor=edition.serial)
    assert plan.plan(EVENING).skipped == {reasons.NOTHING_NEW: 1}


def test_yesterdays_edition_that_was_not_released_is_waited_for() -> None:
    make.edition(TODAY - timedelta(days=1))
    make.edition(state="collecting", papers=[make.paper("Speech")])
    make.edition(TODAY + timedelta(days=1), state="collecting")
    make.subscriber(queries=["speech"], cursor=1, next_digest_at=NOW + timedelta(hours=12))
    assert plan.plan(NOW + timedelta(hours=27)).skipped == {}


@pytest.mark.usefixtures("yesterday")
def test_an_outage_of_a_whole_day_ends_for_each_reader_as_if_the_machine_had_been_late() -> None:
    """Due at 6 and off until 20: pull, gate and sweep in any order, nobody is skipped and nobody is served twice."""
    make.source(is_daily=True)
    for hour in (6, 12, 19):
        make.subscriber(queries=["speech"], cursor=1, hour=hour, next_digest_at=NOW + timedelta(hours=hour - 6))
    plan.plan(EVENING)
    make.announcement(make.paper("Speech"))
    plan.plan(EVENING)
    lifecycle.release_due(EVENING)
    assert plan.plan(EVENING).planned == 3
    assert plan.plan(EVENING).planned == 0
    assert not Skip.objects.exists()


def test_a_machine_that_was_off_for_thirty_hours_sends_one_merged_letter() -> None:
    speech_edition(day=(NOW + timedelta(days=1)).date())
    reader = make.subscriber(queries=["speech"])
    now = NOW + timedelta(hours=30)
    assert plan.plan(now).planned == 1
    row = Delivery.objects.get()
    assert row.local_date == (NOW + timedelta(days=1)).date()
    reader.refresh_from_db()
    assert reader.next_digest_at == NOW + timedelta(days=2)


def test_a_day_that_is_nearly_over_is_left_out_for_the_next_one() -> None:
    speech_edition()
    reader = make.subscriber(queries=["speech"])
    assert plan.plan(NOW + timedelta(hours=22)).skipped == {reasons.TOO_LATE: 1}
    reader.refresh_from_db()
    assert reader.cursor == 0


def test_a_pause_that_is_over_ends() -> None:
    speech_edition()
    reader = make.subscriber(queries=["speech"], state=Subscriber.State.PAUSED, paused_until=NOW)
    assert plan.plan(NOW).planned == 1
    reader.refresh_from_db()
    assert reader.state == Subscriber.State.ACTIVE


@pytest.mark.parametrize("state", ["pending", "unsubscribed", "suppressed", "forgotten"])
def test_nobody_else_is_planned(state: str) -> None:
    speech_edition()
    make.subscriber(queries=["speech"], state=state)
    assert plan.plan(NOW).planned == 0


def test_a_reader_changed_since_they_were_read_is_left_for_the_next_round(monkeypatch: pytest.MonkeyPatch) -> None:
    speech_edition()
    reader = make.subscriber(queries=["speech"])
    rows = plan._rows

    def leaves_meanwhile(*args: object) -> object:
        Subscriber.objects.filter(pk=reader.pk).update(state="unsubscribed")
        return rows(*args)

    monkeypatch.setattr(plan, "_rows", leaves_meanwhile)
    assert plan.plan(NOW).planned == 0
    assert not Delivery.objects.exists()


def test_a_chunk_needs_the_same_few_queries_however_many_readers(django_assert_max_num_queries) -> None:
    speech_edition()
    for _ in range(40):
        make.subscriber(queries=["speech"])
    restore_guard.settle_here()
    with django_assert_max_num_queries(30):
        assert plan.plan(NOW).planned == 40


# -- what a cold reading found ------------------------------------------------------------------------


def test_a_change_of_the_hour_while_a_chunk_is_matched_is_planned_by_the_new_one(monkeypatch) -> None:
    make.edition(papers=[make.paper("speech")])
    reader = make.subscriber(queries=["speech"])
    rows = plan._rows

    def changed_meanwhile(*arguments):
        Subscriber.objects.filter(pk=reader.pk).update(hour=9)
        return rows(*arguments)

    monkeypatch.setattr(plan, "_rows", changed_meanwhile)
    assert plan.plan(NOW).planned == 0
    monkeypatch.setattr(plan, "_rows", rows)
    assert plan.plan(NOW).planned == 1


def test_a_reader_whose_choosing_breaks_stops_nobody_and_stays_due(monkeypatch, caplog) -> None:
    make.edition(papers=[make.paper("speech")])
    broken, fine = make.subscriber(queries=["speech"]), make.subscriber(queries=["speech"])
    choose = plan._choose

    def choosing(reader, *rest):
        if reader.pk == broken.pk:
            raise ValueError("a wish nobody foresaw")
        return choose(reader, *rest)

    monkeypatch.setattr(plan, "_choose", choosing)
    assert plan.plan(NOW).planned == 1
    assert Delivery.objects.get().subscriber == fine
    broken.refresh_from_db()
    assert broken.next_digest_at == NOW
    assert f"reader {broken.pk} cannot be planned" in caplog.text


def test_a_long_absence_is_caught_up_with_for_a_month_of_editions(monkeypatch) -> None:
    monkeypatch.setattr(plan, "CATCH_UP", 2)
    papers = [make.paper(f"speech {number}") for number in range(4)]
    for number, paper in enumerate(papers):
        make.edition(TODAY - timedelta(days=3 - number), [paper])
    make.subscriber(queries=["speech"])
    plan.plan(NOW)
    assert {one["paper"] for one in Delivery.objects.get().papers} == {paper.pk for paper in papers[2:]}


def test_what_is_planned_goes_out_though_planning_breaks(monkeypatch) -> None:
    sent = []
    monkeypatch.setattr("digest.tasks.plan.plan", lambda now: 1 / 0)
    monkeypatch.setattr("digest.tasks.delivery.deliver", lambda now, budget: sent.append(now))
    with pytest.raises(ZeroDivisionError):
        tasks.send_due()
    assert len(sent) == 1


def test_who_wishes_a_line_gets_one_honest_line_on_a_day_without_an_edition() -> None:
    make.edition(TODAY - timedelta(days=1))
    reader = make.subscriber(cursor=1, empty_day="line")
    make.subscriber()
    plan.plan(NOW)
    plan.plan(NOW)
    notice = Notice.objects.get()
    assert (notice.kind, notice.subscriber) == ("quiet", reader)
    assert notice.words == "No edition had come out since your last letter."


def test_the_line_can_be_ended_with_one_click_and_is_never_sent_twice(mailoutbox) -> None:
    make.edition(TODAY - timedelta(days=1))
    make.subscriber(cursor=1, empty_day="line")
    plan.plan(NOW)
    notices.send_waiting(NOW)
    notices.send_waiting(NOW)
    [letter] = mailoutbox
    assert "No edition had come out since your last letter." in letter.body
    assert letter.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_what_a_window_remembers_is_bounded(monkeypatch) -> None:
    for number in range(6):
        make.subscriber(queries=[f"speech OR word{number}"], exploration=bool(number % 2))
    make.edition(NOW.date(), [make.paper("Speech"), make.paper("Other speech")])
    monkeypatch.setattr(plan, "MOST_REMEMBERED", 5)
    days = set()
    choose = plan._choose
    monkeypatch.setattr(plan, "_choose", lambda one, day, *rest: days.add(id(day)) or choose(one, day, *rest))
    assert plan.plan(NOW).planned == 6
    assert len(days) > 1
    assert [len(row.papers) for row in Delivery.objects.all()] == [2] * 6


# -- chosen days --------------------------------------------------------------------------------------


@pytest.mark.thorough
@pytest.mark.parametrize("days", ["tue fri", "wed", "mon tue", "sat sun"])
def test_chosen_days_bring_what_came_out_between_them_each_paper_once(days: str) -> None:
    first = NOW - timedelta(days=2)  # a Monday
    reader = make.subscriber(queries=["speech"], frequency="chosen", days=week.read(days), papers_per_day=50)
    Subscriber.objects.update(next_digest_at=services.next_due(reader, first - timedelta(seconds=1)))
    papers: list[int] = []
    for number in range(28):
        now = first + timedelta(days=number)
        paper = make.paper(f"Speech {number}")
        make.edition(now.date(), [paper])
        papers.append(paper.pk)
        plan.plan(now)
        plan.plan(now + timedelta(hours=3))
    rows = list(Delivery.objects.order_by("pk"))
    chosen = set(week.numbers(reader.days))
    assert [row.local_date.weekday() in chosen for row in rows] == [True] * (4 * len(chosen))
    assert [row.since for row in rows[1:]] == [row.edition.serial for row in rows[:-1]]
    brought = [one["paper"] for row in rows for one in row.papers]
    assert sorted(brought) == papers[: rows[-1].edition.serial]
    assert not Skip.objects.exists()
    assert audit.audit().good


def test_a_chosen_day_is_too_late_when_a_daily_one_would_be() -> None:
    speech_edition()
    reader = make.subscriber(queries=["speech"], frequency="chosen", days=week.read("wed"))
    assert plan.late_limit(reader) == plan.LATE_LIMIT
    assert plan.plan(NOW + timedelta(hours=22)).skipped == {reasons.TOO_LATE: 1}
    reader.refresh_from_db()
    assert (reader.cursor, reader.next_digest_at) == (0, NOW + timedelta(days=7))


def test_a_change_of_the_days_while_a_chunk_is_matched_is_planned_by_the_new_ones(monkeypatch) -> None:
    speech_edition()
    reader = make.subscriber(queries=["speech"], frequency="chosen", days=week.read("wed"))
    rows = plan._rows

    def changed_meanwhile(*arguments):
        Subscriber.objects.filter(pk=reader.pk).update(days=week.read("wed fri"))
        return rows(*arguments)

    monkeypatch.setattr(plan, "_rows", changed_meanwhile)
    assert plan.plan(NOW).planned == 0
    monkeypatch.setattr(plan, "_rows", rows)
    assert plan.plan(NOW).planned == 1
    reader.refresh_from_db()
    assert reader.next_digest_at == NOW + timedelta(days=2)
