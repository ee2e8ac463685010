"""The kept numbers, the picture of the day, and the evening's mail: all say what the rows say."""

from __future__ import annotations

import re
from datetime import date, timedelta
from itertools import pairwise

import pytest
import time_machine
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from digest.delivery.channels import holds
from digest.desk import counters, nightly_mail
from digest.desk.pages import charts, dashboard, flow_chart
from digest.models import Attempt, DayCount, Delivery, Fetch
from digest.operate import heartbeats
from digest.operate.doctor import jobs
from tests import make

pytestmark = pytest.mark.django_db
STATES = ("accepted", "skipped", "rejected", "uncertain", "expired", "dead", "pending", "claimed", "ambiguous")


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(make.NOW, tick=False) as moved:
        yield moved


def letters(edition, states, email="reader{}@example.org", **fields):
    attempt = Attempt.objects.create(channel="smtp", lease_until=make.NOW, worker="w", started_at=make.NOW)
    for n, state in enumerate(states):
        reader = make.subscriber(email.format(n) if "{}" in email else email)
        Delivery.objects.create(
            edition=edition, subscriber=reader, state=state, local_date=edition.date, due_at=make.NOW,
            next_at=make.NOW, planned_at=make.NOW, attempt=attempt, address_hmac="0" * 64, **fields,
        )  # fmt: skip


def test_the_accounting_comes_out_even():
    edition = make.edition()
    letters(edition, STATES)
    counters.refresh(make.NOW)
    line = dashboard.account(counters.read("letters", edition.date))
    assert line.pop("planned") == sum(line.values()) == 9
    assert line["pending"] == 3


@pytest.mark.thorough
@given(st.dictionaries(st.sampled_from(STATES), st.integers(0, 10**7)))
def test_the_accounting_comes_out_even_for_any_numbers(numbers):
    line = dashboard.account(numbers)
    assert line.pop("planned") == sum(line.values())


def test_readers_are_counted_by_state_and_by_the_hour_they_fall_due():
    make.subscriber(state="pending", next_digest_at=None)
    make.subscriber(next_digest_at=make.NOW - timedelta(hours=5))
    make.subscriber(next_digest_at=make.NOW + timedelta(hours=2, minutes=30))
    make.subscriber(next_digest_at=make.NOW + timedelta(hours=30))
    counters.readers(make.NOW)
    assert counters.read("readers", make.TODAY) == {"pending": 1, "active": 3}
    due = counters.read("due", make.TODAY)
    assert due == {make.NOW.isoformat(): 1, (make.NOW + timedelta(hours=2)).isoformat(): 1}


def test_letters_are_split_by_provider_and_destination():
    edition = make.edition()
    letters(edition, ["accepted", "rejected"], email="r{}@Mail.Example", fate="")
    letters(edition, ["accepted"], email="x@other.example", fate="bounced")
    counters.letters(edition, make.NOW)
    assert counters.read("domains", edition.date) == {
        "mail.example|accepted": 1, "mail.example|rejected": 1, "other.example|accepted": 1, "other.example|bounced": 1,
    }  # fmt: skip
    assert counters.read("channels", edition.date)["smtp|accepted"] == 2


def test_small_destinations_are_one(monkeypatch):
    monkeypatch.setattr(counters, "MOST_DOMAINS", 1)
    kept = counters._most({"a|accepted": 5, "b|accepted": 1, "c|accepted": 1, "c|bounced": 1})
    assert kept == {"a|accepted": 5, "all others|accepted": 2, "all others|bounced": 1}


def test_numbers_are_replaced_not_added():
    for numbers in ({"a": 1, "b": 2}, {"a": 3}):
        counters.put("x", make.TODAY, numbers, make.NOW)
    assert counters.read("x", make.TODAY) == {"a": 3}


def test_a_small_site_is_counted_when_its_page_is_opened_a_large_one_by_its_tick(monkeypatch):
    make.subscriber()
    counters.fresh(make.NOW)
    make.subscriber()
    counters.fresh(make.NOW + timedelta(seconds=5))
    assert counters.read("readers", make.TODAY) == {"active": 1}
    counters.fresh(make.NOW + timedelta(seconds=30))
    assert counters.read("readers", make.TODAY) == {"active": 2}
    monkeypatch.setattr(counters, "SMALL", 2)
    make.subscriber()
    counters.fresh(make.NOW + timedelta(minutes=5))
    assert counters.read("readers", make.TODAY) == {"active": 2}


def test_an_old_edition_is_counted_once_and_again_only_when_it_moves():
    old = make.edition(make.TODAY - timedelta(days=20), released_at=make.NOW - timedelta(days=20))
    letters(old, ["accepted"])
    counters.refresh(make.NOW)
    assert counters.read("letters", old.date) == {"accepted": 1}
    DayCount.objects.filter(name="letters").update(value=7)
    counters.refresh(make.NOW)
    assert counters.read("letters", old.date) == {"accepted": 7}
    Delivery.objects.update(state="pending")
    counters.refresh(make.NOW)
    assert counters.read("letters", old.date) == {"pending": 1}


def test_who_came_and_went_is_counted_for_the_whole_month_the_first_time():
    for days in (0, 1, 12, 29):
        make.subscriber(confirmed_at=make.NOW - timedelta(days=days))
    make.subscriber(state="unsubscribed", confirmed_at=None, ended_at=make.NOW - timedelta(days=5))
    for now in (make.NOW, make.NOW + timedelta(minutes=1)):
        counters.readers(now)
        since, until = make.TODAY - timedelta(days=29), make.TODAY
        joined, left = counters.series("joined", since, until), counters.series("left", since, until)
        assert (len(joined), sum(day[""] for day in joined.values()), len(left)) == (4, 4, 1)


# -- what needs somebody ------------------------------------------------------------------------------


def beat_all():
    from django.conf import settings

    for name in settings.CELERY_BEAT_SCHEDULE:
        heartbeats.beat(f"ticker:{name}", make.NOW)


def said(edition=None):
    return " ".join(one.says for one in dashboard.alerts(edition, make.NOW))


def test_a_day_on_which_all_is_well_needs_nobody():
    beat_all()
    assert dashboard.alerts(make.edition(), make.NOW) == []


def test_what_stopped_ticking_is_said_first():
    beat_all()
    heartbeats.beat("ticker:send digests", make.NOW - timedelta(hours=1))
    make.source(failures=4)
    found = dashboard.alerts(make.edition(), make.NOW)
    assert "send digests" in found[0].says
    assert found[0].level == "bad"
    assert "4 failures in a row" in found[1].says


@pytest.mark.parametrize(
    ("arrange", "words"),
    [
        (lambda e: holds.hold("outbox", holds.OPERATOR, "trying something", make.NOW), "trying something"),
        (lambda e: letters(e, ["uncertain"]), "1 letter is in doubt"),
        (lambda e: make.source(held_reason="its titles vanished"), "its titles vanished"),
        (lambda e: type(e).objects.update(state="held"), "waits for you"),
    ],
)
def test_what_is_held_or_odd_is_said_in_words(arrange, words):
    beat_all()
    edition = make.edition()
    arrange(edition)
    edition.refresh_from_db()
    assert words in said(edition)


TOMORROW = make.TODAY + timedelta(days=1)


@pytest.mark.parametrize(
    ("day", "fields", "words"),
    [
        (TOMORROW, {"state": "held"}, "The edition of 4 June is held: it waits for you; it does not go at 4 June"),
        (
            make.TODAY - timedelta(days=2),
            {"state": "held"},
            "The edition of 1 June is held: it waits for you; it was to",
        ),
        (TOMORROW, {"release_at": make.NOW - timedelta(minutes=9)}, "4 June was to go at 05:51 UTC and is not out"),
        (TOMORROW, {"release_at": make.NOW - timedelta(minutes=9), "state": "frozen"}, "4 June was to go at 05:51"),
        (make.TODAY - timedelta(days=2), {}, "The edition of 1 June was to go at 1 June"),
    ],
)
def test_an_open_edition_of_any_day_that_is_held_or_overdue_is_named(day, fields, words, curator, staff):
    today = make.edition()
    make.edition(day, [make.paper()], **{"state": "collecting"} | fields)
    assert words in said(today)
    assert words in curator.get("/desk/").content.decode()
    assert words in nightly_mail.letter("a@example.org", make.NOW).text


@pytest.mark.parametrize(
    ("day", "papers", "fields"),
    [
        (TOMORROW, 1, {}),  # its day is to come
        (TOMORROW, 1, {"release_at": make.NOW - timedelta(minutes=1)}),  # the gate looks once a minute
        (make.TODAY - timedelta(days=3), 0, {}),  # a blank day, which has nothing to go out
    ],
)
def test_an_open_edition_that_is_in_time_needs_nobody(day, papers, fields):
    beat_all()
    today = make.edition()
    make.edition(day, [make.paper() for _ in range(papers)], state="collecting", **fields)
    assert "was to go" not in said(today)


def test_an_overdue_edition_is_one_matter_even_if_sources_are_missing():
    beat_all()
    make.source("late", name="Late Letters", kind="feed")
    edition = make.edition(papers=[make.paper()], state="collecting", release_at=None)
    late = [one for one in dashboard.alerts(edition, make.NOW + timedelta(days=1)) if "edition of" in one.says]
    assert [one.says for one in late] == [late[0].says]
    assert "is not out" in late[0].says


def test_an_edition_that_waits_names_its_sources(curator):
    beat_all()
    make.source("late", name="Late Letters", kind="feed")
    edition = make.edition(papers=[make.paper()], state="collecting")
    assert "Late Letters" in said(edition)
    assert "Late Letters" in curator.get("/desk/").content.decode()


@pytest.mark.parametrize(
    ("fields", "stage", "words"),
    [
        ({"last_ok_at": make.NOW}, "all well", ""),
        ({}, "1 silent so far", ""),
        ({"failures": 1}, "1 failing", "Its last pull failed (it never brought anything yet)"),
        ({"failures": 2, "last_ok_at": make.NOW}, "1 failing", "2 failures in a row (since 3 June 06:00 UTC)"),
        ({"held_reason": "odd", "last_ok_at": make.NOW}, "1 failing", "is held: odd"),
    ],
)
def test_a_source_that_fails_never_looks_well(fields, stage, words):
    beat_all()
    make.source(**fields)
    assert flow_chart.stages(None, make.NOW)[0].says == stage
    assert words in said(make.edition())


def stage(name):
    return next(one for one in flow_chart.stages(None, make.NOW) if one.name == name)


def fetched(source, times, new=0):
    for n in range(times):
        Fetch.objects.create(source=source, at=make.NOW, day=make.TODAY, outcome="ok", new=new if n == 0 else 0)


def test_papers_say_how_many_pulls_brought_them():
    fetched(make.source(), 1, new=1234)
    assert (stage("Papers").number, stage("Papers").says) == ("1\u202f234", "new in 24 hours, from 1 pull")


def test_bundled_samples_are_told_apart_and_reading_them_again_is_no_pull():
    fetched(make.source(), 2)
    fetched(make.source("sample-nature", is_sample=True), 4, new=60)
    assert stage("Papers").says == "new in 24 hours: 60 from bundled samples, 0 from 2 pulls"


@pytest.mark.parametrize(("count", "words"), [(1, "of 1 reader"), (2, "of 2 readers")])
def test_one_reader_is_a_reader(count, words):
    for _ in range(count):
        make.subscriber()
    counters.readers(make.NOW)
    assert stage("Readers due").says.endswith(words)


def test_the_doctors_worst_findings_stand_first(signed_in):
    make.edition()
    page = signed_in("operator").get("/desk/doctor/").content.decode()
    ranks = [("bad", "look", "good").index(one) for one in re.findall(r"<span class=\"badge \w+\">(\w+)<", page)]
    assert ranks == sorted(ranks)
    assert len(set(ranks)) > 1


def test_sources_that_fail_together_are_one_matter():
    beat_all()
    for n in range(9):
        make.source(f"s{n}", failures=1)
    assert [one.says.split(" (")[0] for one in dashboard.alerts(make.edition(), make.NOW)] == ["9 sources fail at once"]


def test_every_matter_has_one_act_that_leads_somewhere(curator):
    make.source(failures=4)
    edition = make.edition(state="held")
    letters(edition, ["uncertain"])
    for matter in dashboard.alerts(edition, make.NOW):
        assert matter.act
        assert curator.get(matter.url).status_code in {200, 403}


def test_the_next_events_come_in_order():
    make.source(next_pull_at=make.NOW + timedelta(minutes=30))
    make.subscriber(next_digest_at=make.NOW + timedelta(hours=1))
    counters.refresh(make.NOW)
    found = dashboard.coming(make.edition(papers=[make.paper()], state="collecting"), make.NOW)
    assert [one.at for one in found] == sorted(one.at for one in found)
    assert len(found) == 3


def queries(client, address):
    client.get(address)
    with CaptureQueriesContext(connection) as seen:
        assert client.get(address).status_code == 200
    return len(seen)


@pytest.mark.thorough
@pytest.mark.parametrize("address", ["/desk/", "/desk/deliverability/", "/desk/topics/", "/desk/sources/"])
def test_more_of_everything_asks_no_more_questions(address, signed_in):
    client = signed_in("admin")
    for n in range(2):
        grow(n)
    few = queries(client, address)
    for n in range(2, 9):
        grow(n)
    assert queries(client, address) <= few + 1
    assert few <= 45


def grow(n):
    edition = make.edition(make.TODAY - timedelta(days=n), [make.paper()])
    letters(edition, ["accepted", "uncertain"], email=f"r{{}}-{n}@d{n}.example")
    source = make.source(f"s{n}")
    Fetch.objects.create(source=source, at=make.NOW, day=edition.date, outcome="ok")
    make.topic(f"t{n}", f"word{n}")
    counters.letters(edition, make.NOW)


# -- the evening --------------------------------------------------------------------------------------


def test_curators_get_one_mail_an_evening(staff):
    staff("curator", "ann")
    staff("viewer", "vic")
    edition = make.edition()
    letters(edition, ["accepted", "accepted", "uncertain"])
    evening = make.NOW.replace(hour=20)
    assert nightly_mail.send_if_due(make.NOW) == 0
    assert nightly_mail.send_if_due(evening) == 1
    assert nightly_mail.send_if_due(evening + timedelta(minutes=15)) == 0
    assert [letter.to for letter in mail.outbox] == [["ann@example.org"]]
    text = mail.outbox[0].body
    assert "3 planned = 2 accepted" in text
    assert "1 letter is in doubt" in text
    assert "2 letters accepted" in mail.outbox[0].subject


def test_the_next_evening_has_a_mail_of_its_own(staff):
    staff("curator")
    for days in (0, 1):
        nightly_mail.send_if_due(make.NOW.replace(hour=21) + timedelta(days=days))
    assert len(mail.outbox) == 2


def test_an_evening_without_an_edition_says_so(staff):
    staff("admin")
    nightly_mail.send_if_due(make.NOW.replace(hour=21))
    assert "There is no edition yet" in mail.outbox[0].body


# -- charts -------------------------------------------------------------------------------------------


@pytest.mark.thorough
@given(
    st.lists(
        st.tuples(st.text(max_size=5), st.fixed_dictionaries({"a": st.integers(0, 9), "b": st.integers(0, 10**9)})),
        max_size=40,
    )
)
def test_bars_stay_inside_their_chart(columns):
    chart = charts.stacked("x", ("a", "b"), columns)
    for bar in chart.bars:
        assert bar.x >= charts.LEFT
        assert bar.x + bar.width <= chart.width + 0.2
        assert bar.y >= charts.TOP - 0.2
        assert bar.y + bar.height <= chart.height - charts.BOTTOM + 0.2
    assert [row for row, _ in chart.rows] == [label for label, _ in columns]


@pytest.mark.parametrize(
    ("value", "top"), [(0, 1), (1, 1), (3, 3), (7, 8), (11, 20), (241, 300), (999, 1000), (1001, 2000)]
)
def test_a_scale_ends_at_a_round_number(value, top):
    assert charts.nice(value) == top


def test_a_scale_has_short_words():
    assert [tick.label for tick in charts.stacked("x", ("a",), [("d", {"a": 15_500})]).ticks] == ["0", "10k", "20k"]


def test_a_day_without_a_pull_is_an_empty_cell():
    found = charts.heat_map([("a", "A")], {("a", date(2026, 6, 3)): ("good", "ok")}, date(2026, 6, 3), 3)
    assert [cell.state for cell in found.rows[0][2]] == ["none", "none", "good"]


@given(st.dates(date(2020, 1, 1), date(2040, 1, 1)))
def test_the_days_named_above_a_calendar_stand_clear_of_each_other(until):
    found = charts.heat_map([("a", "A")], {}, until, 35)
    places = [mark.at for mark in found.marks]
    assert len(places) >= 3
    assert all(after - before >= 3 * (charts.CELL + charts.GAP) for before, after in pairwise(places))
    assert {f"{day:%-d %b}" for day in found.days[:-2] if day.day == 1} <= {mark.label for mark in found.marks}


def test_letters_given_up_of_late_are_a_matter():
    beat_all()
    edition = make.edition()
    letters(edition, ["dead", "dead"], settled_at=make.NOW)
    words = "2 letters were given up after every try had failed."
    assert words in [one.says for one in dashboard.alerts(edition, make.NOW)]
    assert words not in [one.says for one in dashboard.alerts(edition, make.NOW + timedelta(days=4))]


def test_letters_in_doubt_are_one_number_everywhere(signed_in):
    """Those that a later letter made good are in doubt nowhere; those that wait for evidence are, everywhere."""
    edition, later = make.edition(make.TODAY - timedelta(days=1)), make.edition()
    letters(later, ["accepted"], email="later@example.org")
    letters(edition, ["uncertain", "uncertain", "ambiguous"])
    letters(edition, ["uncertain"] * 2, email="good{}@example.org", carried_by=Delivery.objects.get(edition=later))
    assert "3 letters are in doubt" in said(later)
    assert "3 letters are in doubt" in nightly_mail.letter("a@example.org", make.NOW).text
    assert jobs.uncertain().detail == "3 by name on the desk"
    page = signed_in("viewer").get("/desk/deliverability/").content.decode()
    assert (page.count("Perhaps sent"), page.count("Waiting for evidence")) == (2, 1)
