"""The timetable without a broker."""

from __future__ import annotations

import threading

import pytest

from digest.operate import heartbeats
from digest.operate.scheduler import Scheduler

RUNS: dict[str, int] = {}
ENOUGH, FAILED = threading.Event(), threading.Event()
PATIENCE = 60  # seconds; a hundredth of it on an idle machine


def count() -> None:
    RUNS["count"] = RUNS.get("count", 0) + 1
    if RUNS["count"] >= 3:
        ENOUGH.set()


def fail() -> None:
    FAILED.set()
    raise RuntimeError("broken")


@pytest.fixture(autouse=True)
def afresh():
    RUNS.clear()
    ENOUGH.clear()
    FAILED.clear()


def ticking(**ticks: str) -> Scheduler:
    here = "tests.digest.operate.test_scheduler"
    return Scheduler({name: {"task": f"{here}.{task}", "schedule": 0.01} for name, task in ticks.items()})


@pytest.mark.django_db(transaction=True)
def test_it_runs_each_tick_again_and_again():
    clock = ticking(one="count")
    clock.start()
    assert ENOUGH.wait(PATIENCE)
    clock.stop()
    after = RUNS["count"]
    assert "ticker:one" in heartbeats.last()
    assert not any(thread.is_alive() for thread in clock._threads)
    assert RUNS["count"] == after


@pytest.mark.django_db(transaction=True)
def test_a_tick_that_fails_is_logged_and_stops_no_other(caplog):
    clock = ticking(bad="fail", good="count")
    clock.start()
    assert ENOUGH.wait(PATIENCE)
    assert FAILED.wait(PATIENCE)
    clock.stop()
    assert "the tick 'bad' failed" in caplog.text


def test_its_timetable_is_celerys():
    from config.timetable import TIMETABLE

    assert {tick.task for tick in TIMETABLE} == {entry["task"] for entry in Scheduler().schedule.values()}
