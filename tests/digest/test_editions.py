"""An edition: what it collects, that it is fixed at the freeze, and how it is numbered."""

from __future__ import annotations

from datetime import timedelta

import pytest

from digest import editions
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
    assert sorted(titles(editions.collect(TODAY, NOW))) == ["today", "yesterday"]


@pytest.mark.parametrize("kind", ["replace", "replace-cross"])
def test_it_leaves_replacements_out(kind):
    announced("second version", kind=kind)
    assert titles(editions.collect(TODAY, NOW)) == []


def test_it_leaves_out_the_withdrawn_the_too_old_and_the_future():
    announced("withdrawn", is_withdrawn=True)
    announced("old", days_ago=7)
    announced("tomorrow", days_ago=-1)
    assert titles(editions.collect(TODAY, NOW)) == []


def test_collecting_twice_adds_nothing():
    announced("once")
    editions.collect(TODAY, NOW)
    assert titles(editions.collect(TODAY, NOW)) == ["once"]


def test_a_late_announcement_goes_into_the_next_edition():
    announced("early")
    first = editions.release(editions.collect(TODAY, NOW), NOW)
    announced("late")
    editions.collect(TODAY, NOW)
    second = editions.collect(TODAY + timedelta(days=1), NOW)
    assert (titles(first), titles(second)) == (["early"], ["late"])


def test_the_freeze_puts_pins_first_then_what_readers_raised():
    low, high, pinned = announced("low", upvotes=3), announced("high", upvotes=9), announced("pinned")
    edition = editions.collect(TODAY, NOW)
    EditionPaper.objects.filter(paper=pinned).update(is_pinned=True)
    editions.freeze(edition, NOW)
    assert titles(edition) == ["pinned", "high", "low"]
    assert low.upvotes < high.upvotes


def test_a_frozen_edition_keeps_its_content_hash():
    announced("one", upvotes=1)
    edition = editions.freeze(editions.collect(TODAY, NOW), NOW)
    announced("two", upvotes=2)
    again = editions.freeze(editions.collect(TODAY, NOW), NOW)
    assert edition.content_hash == again.content_hash == editions.content_hash(again) != ""


def test_serials_grow_with_each_release():
    announced("one", days_ago=1)
    first = editions.release(editions.collect(TODAY - timedelta(days=1), NOW), NOW)
    announced("two")
    second = editions.release(editions.collect(TODAY, NOW), NOW)
    assert (first.serial, second.serial) == (1, 2)


def test_releasing_twice_changes_nothing():
    announced("one")
    edition = editions.release(editions.collect(TODAY, NOW), NOW)
    again = editions.release(edition, NOW + timedelta(hours=1))
    assert (again.serial, again.released_at) == (1, NOW)


def test_an_empty_edition_is_not_released_unless_forced():
    edition = editions.collect(TODAY, NOW)
    with pytest.raises(editions.EmptyEditionError, match="no papers yet"):
        editions.release(edition, NOW)
    assert editions.release(edition, NOW, force=True).state == Edition.State.RELEASED


def test_a_held_edition_waits_for_its_curator():
    announced("one")
    edition = editions.collect(TODAY, NOW)
    assert editions.hold(edition)
    with pytest.raises(editions.EditionError, match="held by a curator"):
        editions.release(edition, NOW)
    assert editions.release_due(NOW) == []
    assert editions.let_go(edition)
    assert editions.release(edition, NOW).state == Edition.State.RELEASED


def test_the_gate_waits_for_a_missing_source_until_the_deadline():
    make.source(is_daily=True)
    announced("one")
    before = editions.deadline(TODAY) - timedelta(minutes=1)
    assert editions.release_due(before) == []
    assert [edition.date for edition in editions.release_due(before + timedelta(minutes=1))] == [TODAY]


def test_the_gate_releases_nothing_on_a_blank_day():
    assert editions.release_due(editions.deadline(TODAY)) == []


def test_a_missed_day_is_released_before_todays():
    announced("missed", days_ago=1)
    editions.collect(TODAY - timedelta(days=1), NOW)
    announced("today")
    released = editions.release_due(editions.deadline(TODAY))
    assert [titles(edition) for edition in released] == [["missed"], ["today"]]
