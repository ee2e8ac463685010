"""A shared DOI or page makes no two papers one; one paper under two names, or at a new address, stays one."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import permutations
from typing import Any

import pytest

from digest.editions import lifecycle
from digest.models import Announcement, Paper
from digest.papers import merge
from digest.papers import store as paper_store
from digest.papers.entry import NEW, REPLACE, Batch, Entry
from digest.papers.store import Stored
from tests import make
from tests.digest.papers.test_store import entry, journal, store
from tests.make import NOW, TODAY

pytestmark = pytest.mark.django_db
BOOK = "10.5555/9780000000001"
PAGE = "https://book.example/contents"
TOMORROW = TODAY + timedelta(days=1)


def part(number: int, **fields: Any) -> Entry:
    return entry(number, title=f"Braids and knots, part {number}", doi=BOOK, **fields)


CHAPTERS = ("Wings of small insects", "Heat under thin ice", "Counting with broken lamps")


def chapter(number: int, **fields: Any) -> Entry:
    values = {"doi": BOOK, "title": CHAPTERS[number], "source_id": f"chapter-{number}", "abstract": f"No. {number}."}
    return journal(number, **(values | fields))


def titles() -> set[str]:
    return set(Paper.objects.filter(merged_into=None).values_list("title", flat=True))


def by_the_journal(*entries: Entry, day: date = TODAY) -> Stored:
    return store(*entries, slug="journal", kind="feed", day=day)


@pytest.mark.parametrize("order", list(permutations([1, 2, 3])))
def test_papers_of_one_arxiv_batch_that_share_a_doi_stay_apart(order: tuple[int, ...]) -> None:
    assert store(*(part(number) for number in order)).new == 3
    assert set(Paper.objects.values_list("arxiv_id", "title")) == {
        (f"2606.{number:05d}", f"Braids and knots, part {number}") for number in order
    }


@pytest.mark.parametrize("first", ["arxiv", "huggingface", "arxiv-api"])
def test_a_paper_of_another_day_with_the_same_doi_is_new_and_overwrites_nothing(first: str) -> None:
    store(part(1), slug=first, kind=first)
    assert store(part(2, announced_on=TOMORROW), day=TOMORROW).new == 1
    assert titles() == {"Braids and knots, part 1", "Braids and knots, part 2"}
    again = store(part(2, version=2, kind=REPLACE, abstract="Better."), day=TOMORROW)
    assert (again.new, again.updated) == (0, 1)
    assert Paper.objects.get(arxiv_id="2606.00001").abstract == "We do."


def test_the_second_of_two_papers_with_one_doi_is_in_the_next_edition() -> None:
    store(part(1))
    lifecycle.release(lifecycle.collect(TODAY, NOW), NOW)
    store(part(2, announced_on=TOMORROW), day=TOMORROW)
    edition = lifecycle.collect(TOMORROW, NOW)
    assert [row.paper.arxiv_id for row in edition.entries.all()] == ["2606.00002"]


def test_chapters_of_one_batch_under_the_books_doi_are_papers_of_their_own_and_stay_so() -> None:
    assert by_the_journal(*map(chapter, range(3))).new == 3
    assert by_the_journal(*map(chapter, range(3))) == Stored(known=3)
    assert by_the_journal(chapter(1)) == Stored(known=1)
    assert titles() == set(CHAPTERS)


@pytest.mark.parametrize("fields", [{}, {"url": PAGE}, {"url": f"https://doi.org/{BOOK}"}, {"source_id": BOOK}])
@pytest.mark.parametrize("doi", [BOOK, ""])
def test_chapters_of_different_days_are_papers_of_their_own_and_stay_so(fields: dict[str, str], doi: str) -> None:
    for number in range(3):
        assert by_the_journal(chapter(number, doi=doi, **fields), day=TODAY + timedelta(days=number)).new == 1
    for number in range(3):
        assert by_the_journal(chapter(number, doi=doi, **fields)).new == 0
    assert {paper.title: paper.abstract for paper in Paper.objects.all()} == {
        title: f"No. {number}." for number, title in enumerate(CHAPTERS)
    }


def test_chapters_without_ids_of_their_own_on_one_page_stay_apart() -> None:
    own = [chapter(number, doi="", url=PAGE, source_id=PAGE) for number in range(3)]
    assert by_the_journal(*own).new == 3
    assert by_the_journal(*own).new == 0


@pytest.mark.parametrize("title", ["Proceedings of a meeting", "Volume 12, Issue 3", "Front matter"])
def test_a_paper_is_not_joined_to_the_volume_whose_doi_it_bears(title: str) -> None:
    by_the_journal(journal(9, doi=BOOK, title=title))
    assert store(part(1)).new == 1
    assert titles() == {title, "Braids and knots, part 1"}


@pytest.mark.parametrize(
    "title",
    [
        "Braids and knots, part 1", "BRAIDS AND KNOTS, PART 1.", "Braids, knots: a survey", "编织与结 第一",
        "Braids and knots", "Knots and braids, revisited",
    ],
)  # fmt: skip
def test_a_preprint_and_its_journals_version_are_one_paper(title: str) -> None:
    store(part(1))
    assert by_the_journal(journal(9, doi=BOOK, title=title)).new == 0
    assert Paper.objects.get().announcements.count() == 2


def test_a_preprint_servers_new_version_with_a_new_title_is_the_same_paper() -> None:
    store(journal(1, title="A map of moss"), slug="biorxiv", kind="biorxiv")
    stored = store(journal(1, title="Where it grows", version=2, kind=REPLACE), slug="biorxiv", kind="biorxiv")
    assert (stored.new, stored.updated) == (0, 1)
    both = (journal(2, title="A map of fern"), journal(2, title="How it grows", version=2, kind=REPLACE))
    assert store(*both, slug="biorxiv", kind="biorxiv") == Stored(new=1, known=1, announced=1)


def test_a_page_that_names_its_doi_later_is_the_same_paper() -> None:
    by_the_journal(journal(1, doi=""))
    assert by_the_journal(journal(1)) == Stored(updated=1)
    assert set(Paper.objects.get().identifiers.values_list("value", flat=True)) == {
        "url:journal.example/1", "doi:10.1000/1",
    }  # fmt: skip


def test_a_curators_merge_of_differently_titled_papers_is_not_undone_by_a_pull() -> None:
    store(entry())
    by_the_journal(journal(9, title="Moss"))
    merge.merge(*Paper.objects.order_by("id"), NOW)
    assert by_the_journal(journal(9, title="Moss"), day=TOMORROW).new == 0
    assert Paper.objects.filter(merged_into=None).count() == 1


# -- moved sites and backlogs -----------------------------------------------------------------------


def note(number: int, day: date | None, site: str = "old.example", **fields: Any) -> Entry:
    url = f"https://{site}/{number}"
    values = {"title": f"Note on moss {number}", "doi": "", "url": url, "source_id": url, "kind": NEW}
    return journal(number, **(values | {"published_on": day, "announced_on": day} | fields))


def looked(*entries: Entry, day: date) -> Batch:
    """What a rolling feed shows on a day, taken in."""
    source = make.source("blog", kind="feed")
    batch = paper_store.dated(Batch(entries), source, day)
    stored = paper_store.store(batch, source, day, NOW)
    make_fetch(source, day, stored.new)
    return batch


def make_fetch(source: Any, day: date, new: int) -> None:
    source.fetches.create(at=NOW + (day - TODAY), day=day, outcome="ok", entries=20, new=new)


def announced(day: date) -> int:
    return Announcement.objects.filter(day__gt=day - timedelta(days=7), day__lte=day).count()


AGES = [6, *range(36, 600, 30)]
OLD = [TODAY - timedelta(days=age) for age in AGES]


def test_a_moved_sites_entries_are_the_papers_they_were_at_their_new_address() -> None:
    looked(*(note(n, day) for n, day in enumerate(OLD)), day=TODAY)
    before = Paper.objects.count()
    moved = [note(n, day, "new.example") for n, day in enumerate(OLD)]
    batch = looked(note(99, TOMORROW, "new.example"), *moved, day=TOMORROW)
    assert (Paper.objects.count(), Announcement.objects.filter(day=TOMORROW).count()) == (before + 1, 1)
    assert batch.problems == (f"{len(OLD)} entries it announced before are at new addresses now, and keep their days.",)
    assert set(Paper.objects.values_list("url", flat=True)) == {one.url for one in moved} | {"https://new.example/99"}
    looked(*moved, day=TOMORROW + timedelta(days=1))
    assert Paper.objects.count() == before + 1


@pytest.mark.parametrize("history", [[1], [1, 2, 1], [], [0, 0, 1]])
def test_far_more_than_usual_with_old_dates_is_kept_for_its_own_days_and_said(history: list[int]) -> None:
    looked(note(0, OLD[0]), day=TODAY)
    for n, new in enumerate(history):
        make_fetch(make.source("blog"), TODAY + timedelta(hours=n), new)
    batch = looked(note(99, TOMORROW), *(note(n, day) for n, day in enumerate(OLD, 100)), day=TOMORROW)
    assert [one.announced_on for one in batch.entries] == [TOMORROW, *OLD]
    assert Announcement.objects.filter(day=TOMORROW).count() == 1
    assert "a backlog, kept for its own days" in batch.problems[0]


@pytest.mark.parametrize(("count", "usual"), [(1, 0), (4, 0), (4, 9), (20, 7), (30, 25)])
def test_entries_that_are_posted_late_in_usual_numbers_are_todays_news(count: int, usual: int) -> None:
    looked(note(0, OLD[0]), day=TODAY)
    make_fetch(make.source("blog"), TODAY + timedelta(hours=1), usual)
    batch = looked(*(note(n, TODAY - timedelta(days=40 + n)) for n in range(1, count + 1)), day=TOMORROW)
    assert {one.announced_on for one in batch.entries} == {TOMORROW}
    assert batch.problems == ()


def test_the_first_look_at_an_undated_feed_is_no_news_and_what_comes_later_is() -> None:
    old = [note(n, None) for n in range(20)]
    batch = looked(*old, day=TODAY)
    assert announced(TODAY) == 0
    assert "20 entries without a date are kept and not announced" in batch.problems[0]
    looked(note(99, None), *old, day=TOMORROW)
    assert announced(TOMORROW) == 1
    assert set(Paper.objects.values_list("published_on", flat=True)) == {None, TOMORROW}


def test_an_undated_feed_that_moved_is_no_news() -> None:
    looked(*(note(n, None) for n in range(20)), day=TODAY)
    looked(*(note(n, None, "new.example") for n in range(21)), day=TOMORROW)
    assert (Paper.objects.count(), announced(TOMORROW)) == (21, 1)


@pytest.mark.parametrize("title", ["Editorial", "This week", "Note on moss 0"])
def test_an_entry_that_only_repeats_a_title_is_news(title: str) -> None:
    looked(note(0, TODAY, title=title), day=TODAY)
    looked(note(1, TOMORROW, title=title), day=TOMORROW)
    looked(note(2, None, title=title), note(3, None, title="Lichen"), day=TOMORROW)
    assert Paper.objects.count() == 4


def test_two_entries_of_one_title_and_day_are_two_papers() -> None:
    looked(note(0, TODAY, title="Editorial"), note(1, TODAY, title="Editorial"), day=TODAY)
    looked(note(0, TODAY, title="Editorial"), note(2, TODAY, title="Editorial"), day=TOMORROW)
    assert Paper.objects.count() == 3


def test_a_paper_under_a_shared_doi_counts_for_its_own_day_not_the_other_papers() -> None:
    looked(chapter(0, announced_on=TODAY), day=TODAY)
    batch = looked(chapter(0, announced_on=TODAY), chapter(1, announced_on=TOMORROW), day=TOMORROW)
    assert [one.announced_on for one in batch.entries] == [TODAY, TOMORROW]
