"""Late risers: papers whose votes climbed after their edition."""

from __future__ import annotations

from datetime import timedelta

import pytest

from digest.models import EditionPaper, Paper
from digest.papers import store
from digest.risers import late_risers
from digest.sources.entry import LISTED, Batch
from tests import make
from tests.digest.test_papers import entry
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
