from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from digest.matching import recent as month
from digest.matching.index import PaperIndex
from subscriptions import questions
from subscriptions.wants import interests
from tests import make
from tests.make import TODAY

pytestmark = pytest.mark.django_db


def shown(*queries: str) -> questions.Preview:
    preview = questions.digest.preview(interests.read(queries=list(queries)))
    assert preview is not None
    return preview


def looked_at() -> int:
    return shown("speech").week.looked_at


def test_the_week_is_seven_days_up_to_the_newest_edition_and_the_month_thirty():
    for days in range(33):
        make.edition(TODAY - timedelta(days=days), [make.paper("Speech")])
    assert (looked_at(), shown("speech").month.looked_at) == (7, 30)


def test_each_day_of_the_month_is_counted_and_the_best_are_of_the_week():
    make.edition(TODAY - timedelta(days=20), [make.paper("Speech, speech, speech"), make.paper("Speech of old")])
    make.edition(TODAY, [make.paper("On speech"), make.paper("Noise")])
    preview = shown("speech", "noise")
    assert [many for _, many in preview.by_day] == [2, 2]
    assert [(one.of_week, one.of_month) for one in preview.tallies.values()] == [(1, 3), (1, 1)]
    assert {paper.title for paper in preview.papers} == {"On speech", "Noise"}


def test_a_new_edition_and_a_curators_change_are_seen_at_once():
    edition = make.edition(papers=[make.paper("Speech"), make.paper("Noise")])
    assert looked_at() == 2
    edition.entries.filter(position=0).update(is_hidden=True)
    type(edition).objects.update(revision=1)
    assert looked_at() == 1
    make.edition(TODAY + timedelta(days=1), [make.paper("Speech")])
    assert looked_at() == 2


def test_an_edition_that_is_not_out_is_not_shown():
    make.edition(papers=[make.paper("Speech")], state="collecting")
    assert looked_at() == 0


@pytest.mark.thorough
def test_s38_what_strangers_ask_does_not_pile_up(monkeypatch):
    monkeypatch.setattr(month, "MOST_REMEMBERED", 20)
    make.edition(papers=[make.paper("Speech")])
    for number in range(100):
        questions.digest.preview(interests.read(queries=[f"word{number}"]))
    assert month.window().remembered < 30


def test_s38_visitors_wait_for_one_index_rather_than_build_eight(monkeypatch):
    built = []
    build = PaperIndex.build
    monkeypatch.setattr(PaperIndex, "build", lambda papers: built.append(1) or build(papers))
    make.edition(papers=[make.paper("Speech")])
    rows = month.window()
    month._window.clear()
    monkeypatch.setattr(month, "papers_of", lambda rows: [])
    monkeypatch.setattr(month.Edition, "objects", _Fixed(month.Edition.objects))
    built.clear()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: month.window(), range(8)))
    assert (len(built), len(rows)) == (1, 1)


class _Fixed:
    """Editions read once, so that no thread needs a database connection of its own."""

    def __init__(self, objects) -> None:
        self.rows = list(objects.filter(state="released"))

    def filter(self, **_):
        return self

    order_by = values_list = only = lambda self, *_, **__: self

    def first(self):
        return self.rows[0].date

    def __iter__(self):
        return iter(self.rows)
