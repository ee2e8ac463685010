from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from threading import Event, Thread
from typing import Any

import pytest

from digest.matching import recent
from digest.matching.interest_query import InterestQuery
from digest.matching.revalidating_cache import StaleWhileRevalidate
from tests import make


def test_s38_while_a_new_value_is_made_fifty_visitors_get_the_old_one_without_waiting() -> None:
    kept: StaleWhileRevalidate[str] = StaleWhileRevalidate()
    ready, made = Event(), []
    assert kept.get("monday", lambda: "old", 0) == "old"

    def slow() -> str:
        made.append(1)
        ready.wait(10)
        return "new"

    begun = time.monotonic()
    assert [kept.get("tuesday", slow, 0) for _ in range(50)] == ["old"] * 50
    assert (len(made), time.monotonic() - begun < 5) == (1, True)
    ready.set()
    assert comes(lambda: kept.get("tuesday", slow, 0) == "new")
    assert len(made) == 1


def test_a_small_one_is_ready_within_the_patience_of_whoever_asked_first() -> None:
    kept: StaleWhileRevalidate[str] = StaleWhileRevalidate()
    kept.get("monday", lambda: "old", 0)
    assert kept.get("tuesday", lambda: "new", 10) == "new"


def test_one_that_cannot_be_made_leaves_the_old_one_and_is_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    kept: StaleWhileRevalidate[str] = StaleWhileRevalidate()
    kept.get("monday", lambda: "old", 0)

    def broken() -> str:
        raise OSError("the database is away")

    assert kept.get("tuesday", broken, 10) == "old"
    assert "the old one serves on" in caplog.text
    assert comes(lambda: kept.get("tuesday", lambda: "new", 10) == "new")


def test_where_no_thread_is_to_be_had_the_old_one_serves_and_it_is_tried_again() -> None:
    def none(_work: Callable[[], None], _patience: float) -> None:
        raise RuntimeError("can't start new thread")

    kept: StaleWhileRevalidate[str] = StaleWhileRevalidate(none)
    kept.get("monday", lambda: "old", 0)
    assert kept.get("tuesday", lambda: "new", 0) == "old"
    kept.behind = lambda work, _patience: work()
    assert kept.get("tuesday", lambda: "new", 0) == "new"


def test_the_first_is_made_once_however_many_ask() -> None:
    kept: StaleWhileRevalidate[str] = StaleWhileRevalidate()
    made: list[int] = []

    def slow() -> str:
        made.append(1)
        time.sleep(0.05)
        return "first"

    threads = [Thread(target=kept.get, args=("monday", slow, 0)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1


def test_a_replacement_of_one_that_is_gone_comes_too_late() -> None:
    kept: StaleWhileRevalidate[list[int]] = StaleWhileRevalidate(lambda work, _patience: work())
    old = kept.get("monday", lambda: [1], 0)
    new = kept.get("tuesday", lambda: [2], 0)
    kept.replace(old, [])
    assert kept.get("tuesday", list, 0) is new


@pytest.mark.django_db
def test_a_web_process_builds_the_index_of_previews_before_it_serves(django_assert_num_queries: Any) -> None:
    make.edition(papers=[make.paper("speech")])
    for door in ("config.wsgi", "config.asgi"):
        recent._window.clear()
        importlib.reload(importlib.import_module(door))
        with django_assert_num_queries(2):  # which editions there are; their papers are indexed already
            wants = [InterestQuery("speech", "filter", "speech")]
            assert recent.preview(recent.window(), wants).month.matched == 1


def test_a_web_process_starts_where_the_database_is_away(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away() -> None:
        raise OSError("no such host")

    monkeypatch.setattr(recent, "window", away)
    recent.prepare()
    assert "was not built at the start: no such host" in caplog.text


def comes(wanted: Callable[[], bool]) -> bool:
    """Whether it is so within ten seconds."""
    end = time.monotonic() + 10
    while not wanted():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True
