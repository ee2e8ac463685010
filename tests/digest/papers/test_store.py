"""A paper is stored once, whoever announces it, however often, in whatever order."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from digest.models import Announcement, Identifier, Paper, Source, VoteSnapshot
from digest.papers import store as paper_store
from digest.papers.entry import CROSS, LISTED, NEW, REPLACE, REPLACE_CROSS, Batch, Entry
from digest.papers.store import Stored
from digest.sources.parsers import registry
from tests import make
from tests.make import NOW, TODAY

pytestmark = pytest.mark.django_db


def entry(number: int = 1, **fields: Any) -> Entry:
    arxiv_id = fields.pop("arxiv_id", f"2606.{number:05d}")
    values: dict[str, Any] = {
        "source_id": f"{arxiv_id}v{fields.get('version', 1)}",
        "title": f"Paper {number}",
        "url": f"https://arxiv.org/abs/{arxiv_id}",
        "abstract": "We do.",
        "authors": ("Ada Example",),
        "arxiv_id": arxiv_id,
        "categories": ("cs.CL",),
        "primary_category": "cs.CL",
        "announced_on": TODAY,
    }
    return Entry(**(values | fields))


def journal(number: int = 1, **fields: Any) -> Entry:
    values = {"arxiv_id": "", "doi": f"10.1000/{number}", "url": f"https://journal.example/{number}", "categories": ()}
    return entry(number, **(values | {"primary_category": ""} | fields))


def store(*entries: Entry, slug: str = "arxiv-cs-cl", kind: str = "arxiv", day: date = TODAY, **extra: Any) -> Stored:
    source = make.source(slug, kind=kind)
    return paper_store.store(Batch(entries, day, **extra), source, day, NOW, registry.of(kind).authority)


def test_a_new_paper_is_stored_with_its_names_and_announcement() -> None:
    assert store(entry(doi="10.1000/XYZ")) == Stored(new=1, announced=1)
    paper = Paper.objects.get()
    assert (paper.identifier, paper.published_on, paper.first_seen_at) == ("arxiv:2606.00001", TODAY, NOW)
    assert set(Identifier.objects.values_list("value", flat=True)) == {"arxiv:2606.00001", "doi:10.1000/xyz"}
    assert Announcement.objects.get().kind == NEW


def test_the_same_batch_again_changes_nothing() -> None:
    store(entry(1), entry(2))
    assert store(entry(1), entry(2)) == Stored(known=2)


def test_f60_three_categories_hugging_face_and_a_journal_are_one_paper() -> None:
    store(entry())
    store(entry(kind=CROSS), slug="arxiv-cs-ai")
    store(entry(kind=CROSS), slug="arxiv-cs-lg")
    store(
        entry(kind=LISTED, categories=(), primary_category="", upvotes=7, comments=2),
        slug="huggingface",
        kind="huggingface",
    )
    store(journal(doi="10.1000/9", arxiv_id="2606.00001"), slug="journal", kind="feed")
    paper = Paper.objects.get()
    assert (paper.upvotes, paper.comments, paper.doi, paper.primary_category) == (7, 2, "10.1000/9", "cs.CL")
    assert paper.announcements.count() == 5


def test_f60_a_new_version_updates_without_announcing_anew() -> None:
    store(entry())
    later = TODAY + timedelta(days=1)
    stored = store(entry(version=2, title="Paper 1, better", kind=REPLACE, announced_on=later), day=later)
    assert (stored.new, stored.updated) == (0, 1)
    assert Paper.objects.get().title == "Paper 1, better"
    assert Announcement.objects.filter(kind__in=["new", "cross", "listed"]).count() == 1


def test_f60_an_old_version_after_a_newer_one_changes_nothing() -> None:
    store(entry(version=3, title="Third", kind=REPLACE))
    store(entry(version=2, title="Second", kind=REPLACE, announced_on=TODAY + timedelta(days=1)))
    assert (Paper.objects.get().title, Paper.objects.get().version) == ("Third", 3)


def test_f60_two_rows_that_turn_out_to_be_one_paper_are_merged() -> None:
    store(entry())
    store(journal(), slug="journal", kind="feed")
    assert Paper.objects.filter(merged_into=None).count() == 2
    store(journal(arxiv_id="2606.00001"), slug="journal", kind="feed", day=TODAY + timedelta(days=1))
    kept = Paper.objects.get(merged_into=None)
    assert set(kept.identifiers.values_list("value", flat=True)) == {"arxiv:2606.00001", "doi:10.1000/1"}
    assert {a.source.slug for a in kept.announcements.all()} == {"arxiv-cs-cl", "journal"}


def test_doubles_in_one_batch_are_one_paper_of_the_best_kind() -> None:
    stored = store(entry(kind=REPLACE_CROSS), entry(kind=NEW), entry(kind=CROSS))
    assert (stored.new, stored.known) == (1, 2)
    assert Announcement.objects.get().kind == NEW


def test_a_withdrawn_paper_is_flagged_and_a_newer_version_may_come_back() -> None:
    store(entry())
    store(entry(version=2, is_withdrawn=True, kind=REPLACE))
    assert Paper.objects.get().is_withdrawn
    store(entry(version=3, kind=REPLACE))
    assert not Paper.objects.get().is_withdrawn


def test_papers_without_doi_are_told_apart_by_their_addresses() -> None:
    one = journal(1, doi="", url="https://journal.example/a?utm_source=rss#top")
    store(one, journal(2, doi="", url="https://journal.example/b"), slug="journal", kind="feed")
    again = store(journal(1, doi="", url="http://www.journal.example/a/"), slug="journal", kind="feed")
    assert (Paper.objects.count(), again.known) == (2, 1)


def test_one_address_for_many_papers_does_not_merge_them() -> None:
    front = "https://journal.example/"
    store(*(journal(n, doi="", url=front, source_id=f"guid{n}") for n in range(3)), slug="journal", kind="feed")
    assert Paper.objects.count() == 3


def test_votes_are_updated_and_kept_by_age() -> None:
    source = make.source("huggingface", kind="huggingface")
    for age, votes in ((0, 3), (1, 5), (2, 6), (3, 9), (7, 40), (30, 50)):
        paper_store.store(Batch((entry(kind=LISTED, upvotes=votes),), TODAY), source, TODAY, NOW + timedelta(days=age))
    assert Paper.objects.get().upvotes == Announcement.objects.get().upvotes == 50
    assert list(VoteSnapshot.objects.order_by("age").values_list("age", "upvotes")) == [(0, 3), (1, 6), (3, 9), (7, 40)]


def test_nothing_is_stored_half(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paper_store, "_announce", fail)
    with pytest.raises(RuntimeError):
        store(entry(1), entry(2))
    assert Paper.objects.count() == Identifier.objects.count() == 0


def fail(*_: Any) -> int:
    raise RuntimeError("the disk is full")


def test_rejected_entries_are_counted() -> None:
    assert store(entry(), rejected=3) == Stored(new=1, rejected=3, announced=1)


def test_f63_impossible_days_are_put_right() -> None:
    batch = Batch(
        (
            entry(1, announced_on=date(2030, 1, 1)),
            entry(2, published_on=date(1970, 1, 1)),
            entry(3, published_on=date(2999, 1, 1)),
        )
    )
    days = [(e.announced_on, e.published_on) for e in paper_store.sane(batch, TODAY).entries]
    assert days == [(TODAY, None), (TODAY, None), (TODAY, None)]


def test_a_rolling_feeds_backlog_is_not_todays_news() -> None:
    source = make.source("journal", kind="feed")
    old = journal(1, announced_on=TODAY - timedelta(days=90), published_on=TODAY - timedelta(days=90))
    first = paper_store.dated(Batch((old, journal(2))), source, TODAY)
    assert [e.announced_on for e in first.entries] == [TODAY - timedelta(days=90), TODAY]
    paper_store.store(first, source, TODAY, NOW)
    later = TODAY + timedelta(days=2)
    again = paper_store.dated(Batch((old, journal(3, announced_on=TODAY - timedelta(days=9)))), source, later)
    assert [e.announced_on for e in again.entries] == [TODAY - timedelta(days=90), later]


@pytest.mark.thorough
def test_storing_takes_few_queries(django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(40):
        store(*(entry(n) for n in range(200)))


SOURCES = [("arxiv-cs-cl", "arxiv"), ("arxiv-cs-ai", "arxiv"), ("huggingface", "huggingface"), ("journal", "feed")]


def test_the_order_in_which_sources_speak_does_not_matter() -> None:
    said = [
        (SOURCES[0], entry()),
        (SOURCES[2], entry(kind=LISTED, categories=(), primary_category="", title="Paper one", upvotes=4)),
        (SOURCES[3], journal(doi="10.1000/9", arxiv_id="2606.00001", title="PAPER ONE")),
    ]
    seen = set()
    for order in permutations(said):
        Announcement.objects.all().delete()
        Paper.objects.all().delete()
        for (slug, kind), one in order:
            store(one, slug=slug, kind=kind)
        paper = Paper.objects.get(merged_into=None)
        seen.add((paper.arxiv_id, paper.doi, paper.title, paper.primary_category, paper.upvotes, paper.url))
    assert len(seen) == 1


@st.composite
def batches(draw: st.DrawFn) -> list[tuple[int, list[Entry]]]:
    number = st.integers(1, 6)
    kind = st.sampled_from([NEW, CROSS, REPLACE, REPLACE_CROSS, LISTED])
    made = st.builds(
        lambda n, k, v, doi: entry(n, kind=k, version=v, doi=f"10.1000/{n}" if doi else ""),
        number,
        kind,
        st.integers(1, 3),
        st.booleans(),
    )
    papers_of_doi = st.builds(lambda n: journal(n), number)
    return draw(st.lists(st.tuples(st.integers(0, 3), st.lists(made | papers_of_doi, max_size=6)), max_size=4))


@pytest.mark.thorough
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=batches())
def test_every_entry_is_accounted_for_and_no_name_is_lost(said: list[tuple[int, list[Entry]]]) -> None:
    Announcement.objects.all().delete()
    Paper.objects.all().delete()
    for which, entries in said:
        slug, kind = SOURCES[which]
        stored = store(*entries, slug=slug, kind=kind)
        assert stored.new + stored.updated + stored.known == len(entries)
    wanted = {name for _, entries in said for e in entries for name in paper_store.names(e)}
    assert set(Identifier.objects.values_list("value", flat=True)) == wanted
    assert not Announcement.objects.exclude(paper__merged_into=None).exists()
    assert Paper.objects.filter(merged_into=None).count() <= len(wanted)
    assert Source.objects.count() <= 4
