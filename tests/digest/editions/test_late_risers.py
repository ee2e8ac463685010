"""Late risers: papers whose votes climbed after their edition."""

from __future__ import annotations

from datetime import timedelta

import pytest

from digest.delivery import plan
from digest.editions import late_risers as edition_late_risers
from digest.editions import lifecycle
from digest.editions.late_risers import late_risers
from digest.models import Delivery, EditionPaper, Paper
from digest.papers.entry import LISTED, Batch
from digest.papers.store import store
from tests import make
from tests.digest.papers.test_store import entry
from tests.make import NOW, TODAY

pytestmark = pytest.mark.django_db


def paper(number: int, votes: list[int], placed: bool = True) -> Paper:
    source = make.source("huggingface", kind="huggingface")
    for age, count in enumerate(votes):
        store(Batch((entry(number, kind=LISTED, upvotes=count),)), source, TODAY, NOW + timedelta(days=age))
    row = Paper.objects.get(arxiv_id=f"2606.{number:05d}")
    if placed:
        make.edition(TODAY - timedelta(days=number), [row])
    return row


def test_only_what_climbed_by_much_rises_and_the_highest_climb_first() -> None:
    paper(1, [5, 30])
    paper(2, [5, 20])
    paper(3, [100, 130])
    paper(4, [5, 90])
    assert [row.arxiv_id for row in late_risers(TODAY + timedelta(days=3))] == ["2606.00004", "2606.00001"]


def test_a_paper_in_no_edition_does_not_come_back_since_it_has_not_come() -> None:
    paper(1, [5, 90], placed=False)
    assert late_risers(TODAY + timedelta(days=3)) == []


def test_a_paper_comes_back_once_only() -> None:
    row = paper(1, [5, 90])
    later = make.edition(TODAY + timedelta(days=2))
    EditionPaper.objects.create(edition=later, paper=row, is_late_riser=True)
    assert late_risers(TODAY + timedelta(days=3)) == []


def test_after_two_weeks_nobody_is_late_any_more() -> None:
    paper(1, [5, 90])
    assert late_risers(TODAY + timedelta(days=15)) == []


# -- and what editions and letters make of them ------------------------------------------------------

LATER = NOW + timedelta(days=3)


def risen(title: str = "A riser about speech") -> Paper:
    row = paper(1, [5, 90])
    Paper.objects.filter(pk=row.pk).update(title=title)
    return row


def test_an_edition_brings_the_climbers_back_after_its_own_papers() -> None:
    row = risen()
    fresh = make.paper("Fresh", arxiv_id="2607.00001")
    make.announcement(fresh, day=LATER.date())
    edition = lifecycle.release(lifecycle.collect(LATER.date(), LATER), LATER)
    assert [(one.paper, one.is_late_riser) for one in edition.entries.all()] == [(fresh, False), (row, True)]


def test_no_edition_consists_of_climbers_alone() -> None:
    risen()
    with pytest.raises(lifecycle.EmptyEditionError):
        lifecycle.release(lifecycle.collect(LATER.date(), LATER), LATER)


def test_a_reader_who_missed_it_gets_it_and_one_who_had_it_does_not() -> None:
    row = risen()
    had, missed = make.subscriber(queries=["speech"]), make.subscriber(queries=["speech"], cursor=1)
    plan.plan(NOW)
    Delivery.objects.filter(subscriber=had).update(state="accepted")
    make.announcement(make.paper("Fresh speech", arxiv_id="2607.00001"), day=LATER.date())
    lifecycle.release(lifecycle.collect(LATER.date(), LATER), LATER)
    plan.plan(LATER)
    chosen = {
        letter.subscriber: [one["paper"] for one in letter.papers]
        for letter in Delivery.objects.filter(edition__date=LATER.date())
    }
    assert row.pk not in chosen[had]
    assert row.pk in chosen[missed]


def test_letters_cost_no_query_where_nothing_comes_back(django_assert_num_queries) -> None:
    with django_assert_num_queries(0):
        assert edition_late_risers.already_had([1, 2, 3], frozenset()) == {}
