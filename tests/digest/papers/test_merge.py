"""Two rows become one paper, and a curator takes them apart again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from digest.models import Announcement, Edition, EditionPaper, Identifier, Paper
from digest.papers import merge, store
from digest.papers.entry import Batch
from digest.papers.merge import MergeError
from digest.sources.parsers import registry
from tests import make
from tests.digest.papers.test_store import entry, journal
from tests.make import NOW, TODAY

pytestmark = pytest.mark.django_db


def both() -> tuple[Paper, Paper]:
    store.store(Batch((entry(),)), make.source(), TODAY, NOW)
    store.store(Batch((journal(),)), make.source("journal", kind="feed"), TODAY, NOW)
    return Paper.objects.get(arxiv_id="2606.00001"), Paper.objects.get(doi="10.1000/1")


def test_a_merge_moves_names_and_announcements_and_deletes_nothing() -> None:
    one, two = both()
    kept = merge.merge(one, two, NOW)
    assert (kept.pk, kept.doi) == (one.pk, "10.1000/1")
    assert kept.announcements.count() == kept.identifiers.count() == 2
    assert Paper.objects.get(pk=two.pk).merged_into_id == one.pk


def test_the_paper_that_is_in_an_edition_stays() -> None:
    one, two = both()
    make.edition(TODAY, [two])
    assert merge.merge(one, two, NOW).pk == two.pk


def test_a_paper_waiting_in_an_open_edition_gives_its_place_up() -> None:
    one, two = both()
    make.edition(TODAY - timedelta(days=1), [one])
    make.edition(TODAY, [two], state=Edition.State.COLLECTING)
    merge.merge(one, two, NOW)
    assert list(EditionPaper.objects.values_list("paper_id", flat=True)) == [one.pk]


def test_a_sent_edition_is_not_changed_by_a_merge() -> None:
    one, two = both()
    make.edition(TODAY - timedelta(days=1), [one])
    make.edition(TODAY, [two])
    merge.merge(one, two, NOW)
    assert EditionPaper.objects.count() == 2


def test_a_split_gives_the_names_back_to_the_row_they_came_from() -> None:
    one, two = both()
    kept = merge.merge(one, two, NOW)
    assert merge.split(kept, ["doi:10.1000/1"], NOW, registry.preprint_kinds()).pk == two.pk
    two.refresh_from_db()
    assert two.merged_into is None
    assert {a.source.slug for a in two.announcements.all()} == {"journal"}
    assert Announcement.objects.get(paper=one).source.slug == "arxiv-cs-cl"


def test_what_was_split_is_not_merged_again_by_the_next_pull() -> None:
    store.store(Batch((entry(doi="10.1000/1"),)), make.source(), TODAY, NOW)
    paper = Paper.objects.get()
    merge.split(paper, ["doi:10.1000/1"], NOW, registry.preprint_kinds())
    store.store(Batch((entry(doi="10.1000/1"),)), make.source(), TODAY, NOW)
    assert Paper.objects.filter(merged_into=None).count() == 2
    assert Identifier.objects.get(value="arxiv:2606.00001").paper_id == paper.pk


def test_a_split_must_leave_and_take_something() -> None:
    one, _ = both()
    with pytest.raises(MergeError, match="some of the paper's names"):
        merge.split(one, ["arxiv:2606.00001"], NOW, registry.preprint_kinds())
    with pytest.raises(MergeError, match="some of the paper's names"):
        merge.split(one, [], NOW, registry.preprint_kinds())


def test_a_paper_is_not_merged_with_itself() -> None:
    one, _ = both()
    with pytest.raises(MergeError, match="same paper"):
        merge.merge(one, one, NOW)
