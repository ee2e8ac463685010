"""Papers made one and taken apart at the desk, with their pins, words and announcements; and both taken back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from digest.models import Announcement, AuditEntry, EditionPaper, Identifier, Paper
from digest.papers import merge as paper_merge
from digest.papers import store
from digest.papers.entry import Batch
from tests import make
from tests.digest.papers.test_store import entry as arxiv_entry
from tests.digest.papers.test_store import journal

pytestmark = pytest.mark.django_db
DAY = f"/desk/triage/{make.TODAY}/"


@pytest.fixture
def one():
    """A paper of arXiv and of a journal, in today's open edition; its DOI is the journal's."""
    store.store(Batch((arxiv_entry(doi="10.1000/1"),)), make.source(), make.TODAY, make.NOW)
    store.store(Batch((journal(),)), make.source("journal", kind="feed"), make.TODAY, make.NOW)
    paper = Paper.objects.get()
    make.edition(papers=[paper], state="collecting")
    return paper


@pytest.fixture
def twins():
    """Two papers of arXiv that look alike, in one open edition, the second pinned with a note."""
    rows = [make.paper("Speech from silence"), make.paper("Speech, from silence", version=2)]
    edition = make.edition(papers=rows, state="collecting")
    edition.entries.filter(paper=rows[1]).update(is_pinned=True, note="Read it")
    return rows


def split(client, paper, *going):
    return client.post(f"{DAY}split/{paper.pk}/", {"name": going})


def merge(client, one, two):
    return client.post(f"{DAY}merge/", {"one": one.pk, "two": two.pk, "here": DAY})


def undo(client):
    return client.post(f"{DAY}undo/", {"here": DAY}, follow=True)


def placed():
    return set(EditionPaper.objects.values_list("paper_id", flat=True))


def test_a_paper_of_two_names_offers_to_be_split_and_shows_who_announced_it(curator, one):
    assert f"{DAY}split/{one.pk}/" in curator.get(DAY).content.decode()
    page = curator.get(f"{DAY}split/{one.pk}/").content.decode()
    assert all(words in page for words in ("arXiv 2606.00001", "DOI 10.1000/1", "arxiv-cs-cl", "journal"))


def test_a_paper_of_one_name_offers_no_split(curator):
    paper = make.paper()
    make.edition(papers=[paper], state="collecting")
    assert f"split/{paper.pk}" not in curator.get(DAY).content.decode()
    assert "nothing to split" in curator.get(f"{DAY}split/{paper.pk}/").content.decode()


def test_only_curators_see_the_way_to_a_split(signed_in, one):
    assert f"split/{one.pk}" not in signed_in("operator").get(DAY).content.decode()


def test_a_split_makes_two_papers_of_the_edition_each_with_its_own_address(curator, one):
    split(curator, one, "doi:10.1000/1")
    other = Paper.objects.exclude(pk=one.pk).get()
    one.refresh_from_db()
    assert (one.arxiv_id, one.doi, one.url) == ("2606.00001", "", "https://arxiv.org/abs/2606.00001")
    assert (other.arxiv_id, other.doi, other.url) == ("", "10.1000/1", "https://doi.org/10.1000/1")
    assert (other.pdf_url, placed()) == ("", {one.pk, other.pk})
    act = AuditEntry.objects.get()
    assert (act.verb, act.actor, act.after) == ("split", "curator", {"new": other.pk, "names": ["doi:10.1000/1"]})


def test_splitting_the_preprint_off_leaves_the_journals_paper_with_the_journals_address(curator, one):
    split(curator, one, "arxiv:2606.00001")
    one.refresh_from_db()
    assert (one.arxiv_id, one.url, one.announcements.get().source.slug) == ("", "https://doi.org/10.1000/1", "journal")


@pytest.mark.parametrize("going", [[], ["doi:10.1000/1", "arxiv:2606.00001"], ["doi:10.9/nobody"]])
def test_a_split_that_takes_nothing_or_all_says_what_to_choose(going, curator, one):
    response = split(curator, one, *going)
    assert response.status_code == 400
    assert "not none and not all" in response.content.decode()
    assert (Paper.objects.count(), AuditEntry.objects.count()) == (1, 0)


def test_what_was_split_is_not_merged_by_the_next_pull(curator, one):
    split(curator, one, "doi:10.1000/1")
    store.store(Batch((arxiv_entry(doi="10.1000/1"),)), make.source(), make.TODAY, make.NOW)
    store.store(Batch((journal(),)), make.source("journal"), make.TODAY, make.NOW)
    assert Paper.objects.filter(merged_into=None).count() == 2


def test_undoing_a_split_makes_them_one_and_lets_pulls_merge_again(curator, one):
    split(curator, one, "doi:10.1000/1")
    undo(curator)
    one.refresh_from_db()
    assert (one.doi, one.arxiv_id, one.merged_into, placed()) == ("10.1000/1", "2606.00001", None, {one.pk})
    assert one.announcements.count() == 2
    assert not Identifier.objects.filter(is_apart=True).exists()
    assert AuditEntry.objects.order_by("-id")[0].after == {"undoes": AuditEntry.objects.get(verb="split").pk}


def test_a_paper_of_an_edition_that_is_out_can_be_split_and_the_split_taken_back(curator, one):
    one.placements.get().edition.__class__.objects.update(state="released", serial=9, released_at=make.NOW)
    assert (
        "next edition takes the other one"
        in curator.post(f"{DAY}split/{one.pk}/", {"name": "doi:10.1000/1"}, follow=True).content.decode()
    )
    assert placed() == {one.pk}
    assert "Undo: split" in curator.get(DAY).content.decode()
    undo(curator)
    assert Paper.objects.filter(merged_into=None).count() == 1


def test_a_split_taken_apart_further_is_not_undone(curator, signed_in, one):
    split(curator, one, "doi:10.1000/1")
    merge(signed_in("admin"), *Paper.objects.all())
    assert "merged since" in undo(curator).content.decode()


def test_a_merge_keeps_the_pin_and_the_note_of_the_row_that_gives_way(curator, twins):
    merge(curator, *twins)
    entry = EditionPaper.objects.get()
    assert (entry.paper_id, entry.is_pinned, entry.note) == (twins[0].pk, True, "Read it")


def test_a_merge_in_a_held_edition_leaves_one_row(curator, twins):
    EditionPaper.objects.first().edition.__class__.objects.update(state="held")
    merge(curator, *twins)
    assert placed() == {twins[0].pk}


def test_undoing_a_merge_gives_each_its_place_words_and_announcement(curator, twins):
    merge(curator, *twins)
    assert Paper.objects.get(pk=twins[0].pk).title == "Speech, from silence"
    assert "Undone: the merge of" in undo(curator).content.decode()
    titles = dict(Paper.objects.filter(merged_into=None).values_list("pk", "title"))
    assert titles == {twins[0].pk: "Speech from silence", twins[1].pk: "Speech, from silence"}
    assert placed() == set(titles)
    assert EditionPaper.objects.get(paper=twins[1]).note == "Read it"
    assert set(Announcement.objects.values_list("paper_id", flat=True)) == set(titles)
    assert {paper.arxiv_id for paper in Paper.objects.all()} == {paper.arxiv_id for paper in twins}


def test_a_merge_is_undone_only_by_who_made_it(signed_in, twins):
    merge(signed_in("curator"), *twins)
    assert "nothing of yours" in undo(signed_in("admin")).content.decode()


def test_two_arxiv_papers_wrongly_merged_are_both_announced_after_a_split(curator, twins):
    kept = paper_merge.merge(*twins, make.NOW)
    split(curator, kept, f"arxiv:{twins[1].arxiv_id}")
    assert set(Announcement.objects.values_list("paper_id", flat=True)) == {paper.pk for paper in twins}
    kept.refresh_from_db()
    assert kept.arxiv_id == twins[0].arxiv_id
    assert placed() == {paper.pk for paper in twins}


def test_a_split_off_paper_of_last_month_comes_in_no_edition(curator, one):
    Announcement.objects.filter(source__slug="journal").update(day=make.TODAY - timedelta(days=30))
    split(curator, one, "doi:10.1000/1")
    assert placed() == {one.pk}


def test_a_paper_of_another_day_is_not_split_here(curator, one):
    assert curator.get(f"{DAY}split/{make.paper().pk}/").status_code == 404
