"""How fast a send goes and when it is over: measured from where it began to move, and silent where nothing is known."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from digest.delivery.channels import holds, traits
from digest.desk import counters
from digest.desk.pages import throughput
from digest.desk.pages.formats import roughly
from digest.models import Channel
from tests import make

SECOND = timedelta(seconds=1)


def looks(*seen):
    return [(make.NOW + seconds * SECOND, done) for seconds, done in seen]


@pytest.fixture
def sending(db):
    """`sending((seconds, done), …)`: what Today says at the last look, of 1,105 letters."""

    def say(*seen, later=0):
        edition = make.edition()
        kept = {at.isoformat(): done for at, done in looks(*seen)}
        now = make.NOW + seen[-1][0] * SECOND
        counters.put("progress", edition.date, kept, now)
        counters.put("letters", edition.date, {"accepted": seen[-1][1], "pending": 1105 - seen[-1][1]}, now)
        with time_machine.travel(now, tick=False):
            return throughput.progress(edition, now + later * SECOND)

    return say


@pytest.mark.parametrize("idle", [0, 60, 300, 600])
def test_the_minutes_before_a_send_do_not_slow_it_down(idle, sending):
    quiet = [(at, 0) for at in range(0, idle, 60)]
    found = sending(*quiet, (idle + 10, 20), (idle + 30, 60), (idle + 60, 120))
    assert round(found.a_minute) == 120
    assert found.says.startswith("120 a minute; about 8 minutes left, over at about 06:")


def test_only_the_last_minutes_count(sending):
    slow = [(at, 1 + at // 60) for at in range(0, 600, 60)]
    fast = [(600 + at, 10 + at * 2) for at in range(0, 360, 60)]
    assert round(sending(*slow, *fast).a_minute) == 120


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        ([(0, 0)], "None has gone yet."),
        ([(0, 0), (60, 40)], "Just begun: the pace shows within a minute."),
        ([(0, 0), (60, 40), (65, 50)], "Just begun: the pace shows within a minute."),
        ([(0, 0), (60, 40), (120, 90), (180, 90), (240, 90)], "None has gone since 06:02 UTC."),
    ],
)
def test_what_is_not_known_is_not_guessed(seen, words, sending):
    found = sending(*seen)
    assert (found.says, found.a_minute, found.ends_at) == (words, 0, None)


def test_a_send_that_stood_still_is_measured_anew(sending):
    found = sending((0, 0), (20, 40), (40, 80), (140, 80), (240, 80), (260, 90), (320, 210))
    assert round(found.a_minute) == 120


def test_the_end_counts_from_the_last_look_and_is_never_past(sending):
    seen = (0, 0), (20, 40), (80, 1100)
    assert sending(*seen, later=30).ends_at == make.NOW + 110 * SECOND
    assert "less than a minute left" in sending_again(seen)


def sending_again(seen):
    edition = make.edition(make.TODAY - timedelta(days=1))
    counters.put("progress", edition.date, {at.isoformat(): done for at, done in looks(*seen)}, make.NOW)
    counters.put("letters", edition.date, {"accepted": 1100, "pending": 5}, make.NOW)
    return throughput.progress(edition, make.NOW + 80 * SECOND).says


def test_a_send_that_is_stopped_says_so_and_promises_nothing(sending):
    holds.hold(traits.current(), holds.OPERATOR, "a wrong footer.", make.NOW)
    found = sending((0, 0), (20, 40), (80, 160))
    assert (found.says, found.a_minute, found.ends_at) == ("Stopped: a wrong footer.", 0, None)


def test_looking_makes_no_row(sending):
    sending((0, 0), (20, 40))
    assert not Channel.objects.exists()


@given(st.lists(st.tuples(st.integers(1, 300), st.integers(0, 500)), min_size=1, max_size=30))
def test_a_pace_is_never_below_nothing_nor_above_what_was_seen(steps):
    seen, at, done = [], 0, 0
    for seconds, letters in steps:
        at, done = at + seconds, done + letters
        seen.append((at, done))
    begun = throughput.since(looks(*seen))
    rate = throughput.pace(looks(*seen), begun) if begun else 0
    assert 0 <= rate <= max(60 * letters / seconds for seconds, letters in steps) * 1.001


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(5, "less than a minute"), (61, "about 1 minute"), (540, "about 9 minutes"), (9000, "about 2 hours")],
)
def test_a_span_is_said_roughly(seconds, words):
    assert roughly(seconds * SECOND) == words
