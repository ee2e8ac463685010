"""An edition: what it collects, that it is fixed at the freeze, and how it is numbered."""

from __future__ import annotations

from datetime import timedelta

import pytest

from digest.editions import lifecycle
from digest.models import Edition, EditionPaper
from tests import make
from tests.make import NOW, TODAY

pytestmark = pytest.mark.django_db


def announced(title: str, days_ago: int = 0, kind: str = "new", **fields):
    paper = make.paper(title, **fields)
    make.announcement(paper, day=TODAY - timedelta(days=days_ago), kind=kind)
    return paper


def titles(edition: Edition) -> list[str]:
    return [entry.paper.title for entry in edition.entries.select_related("paper")]


def test_it_collects_what_was_announced_and_is_in_no_edition():
    announced("today")
    announced("yesterday", days_ago=1)
    make.edition(TODAY - timedelta(days=1), [announced("already out", days_ago=1)])
    assert sorted(titles(lifecycle.collect(TODAY, NOW))) == ["today", "yesterday"]


@pytest.mark.parametrize("kind", ["replace", "replace-cross"])
def test_it_leaves_replacements_out(kind):
    announced("second version", kind=kind)
    assert titles(lifecycle.collect(TODAY, NOW)) == []


def test_it_leaves_out_the_withdrawn_the_too_old_and_the_future():
    announced("withdrawn", is_withdrawn=True)
    announced("old", days_ago=7)
    announced("tomorrow", days_ago=-1)
    assert titles(lifecycle.collect(TODAY, NOW)) == []


def test_collecting_twice_adds_nothing():
    announced("once")
    lifecycle.collect(TODAY, NOW)
    assert titles(lifecycle.collect(TODAY, NOW)) == ["once"]


def test_a_late_announcement_goes_into_the_next_edition():
    announced("early")
    first = lifecycle.release(lifecycle.collect(TODAY, NOW), NOW)
    announced("late")
    lifecycle.collect(TODAY, NOW)
    second = lifecycle.collect(TODAY + timedelta(days=1), NOW)
    assert (titles(first), titles(second)) == (["early"], ["late"])


def test_the_freeze_puts_pins_first_then_what_readers_raised():
    low, high, pinned = announced("low", upvotes=3), announced("high", upvotes=9), announced("pinned")
    edition = lifecycle.collect(TODAY, NOW)
    EditionPaper.objects.filter(paper=pinned).update(is_pinned=True)
    lifecycle.freeze(edition, NOW)
    assert titles(edition) == ["pinned", "high", "low"]
    assert low.upvotes < high.upvotes


def test_a_frozen_edition_keeps_its_content_hash():
    announced("one", upvotes=1)
    edition = lifecycle.freeze(lifecycle.collect(TODAY, NOW), NOW)
    announced("two", upvotes=2)
    again = lifecycle.freeze(lifecycle.collect(TODAY, NOW), NOW)
    assert edition.content_hash == again.content_hash == lifecycle.content_hash(again) != ""


def test_serials_grow_with_each_release():
    announced("one", days_ago=1)
    first = lifecycle.release(lifecycle.collect(TODAY - timedelta(days=1), NOW), NOW)
    announced("two")
    second = lifecycle.release(lifecycle.collect(TODAY, NOW), NOW)
    assert (first.serial, second.serial) == (1, 2)


def test_releasing_twice_changes_nothing():
    announced("one")
    edition = lifecycle.release(lifecycle.collect(TODAY, NOW), NOW)
    again = lifecycle.release(edition, NOW + timedelta(hours=1))
    assert (again.serial, again.released_at) == (1, NOW)


def test_an_empty_edition_is_not_released_unless_forced():
    edition = lifecycle.collect(TODAY, NOW)
    with pytest.raises(lifecycle.EmptyEditionError, match="no papers yet"):
        lifecycle.release(edition, NOW)
    assert lifecycle.release(edition, NOW, force=True).state == Edition.State.RELEASED


def test_a_held_edition_waits_for_its_curator():
    announced("one")
    edition = lifecycle.collect(TODAY, NOW)
    assert lifecycle.hold(edition)
    with pytest.raises(lifecycle.EditionError, match="held by a curator"):
        lifecycle.release(edition, NOW)
    assert lifecycle.release_due(NOW) == []
    assert lifecycle.let_go(edition)
    assert lifecycle.release(edition, NOW).state == Edition.State.RELEASED


def test_the_gate_waits_for_a_missing_source_until_the_deadline():
    make.source(is_daily=True)
    announced("one")
    before = lifecycle.deadline(TODAY) - timedelta(minutes=1)
    assert lifecycle.release_due(before) == []
    assert [edition.date for edition in lifecycle.release_due(before + timedelta(minutes=1))] == [TODAY]


def test_the_gate_releases_nothing_on_a_blank_day():
    assert lifecycle.release_due(lifecycle.deadline(TODAY)) == []


def test_a_missed_day_is_released_before_todays():
    announced("missed", days_ago=1)
    lifecycle.collect(TODAY - timedelta(days=1), NOW)
    announced("today")
    released = lifecycle.release_due(lifecycle.deadline(TODAY))
    assert [titles(edition) for edition in released] == [["missed"], ["today"]]
