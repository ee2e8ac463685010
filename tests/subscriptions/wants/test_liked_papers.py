from __future__ import annotations

import pytest

from subscriptions import services
from subscriptions.wants import interests, liked_papers
from subscriptions.wants.interests import InterestError
from tests import make

pytestmark = pytest.mark.django_db
NOW = make.NOW


def test_a_description_is_kept_changed_and_weighed() -> None:
    reader = make.subscriber()
    row = liked_papers.describe(reader, "  I study how children learn to read. ", NOW)
    liked_papers.rewrite(row, "Birds.", NOW, weight=2)
    assert [(one.text, one.weight) for one in reader.descriptions.all()] == [("Birds.", 2.0)]
    assert reader.consents.count() == 2


@pytest.mark.parametrize(
    ("text", "words"), [("", "a few words"), ("?!", "a few words"), ("x " * 25_001, "50,000 is the most")]
)
def test_a_description_of_nothing_or_of_too_much_is_refused(text: str, words: str) -> None:
    reader = make.subscriber()
    if len(text) > 100:
        text += "y"
    with pytest.raises(InterestError, match=words):
        liked_papers.describe(reader, text, NOW)
    assert not reader.descriptions.exists()


def test_a_long_description_is_kept_whole() -> None:
    text = "protein " * 6250
    assert liked_papers.describe(make.subscriber(), text, NOW).text == text.strip()


def test_one_paper_is_liked_by_its_link_and_may_change_sides() -> None:
    reader = make.subscriber()
    liked_papers.like(reader, "https://arxiv.org/abs/2504.02302v2", NOW)
    liked_papers.like(reader, "2504.02302", NOW, is_liked=False)
    (row,) = reader.liked_papers.all()
    assert (row.identifier, row.is_liked) == ("arxiv:2504.02302", False)
    with pytest.raises(InterestError, match="neither an arXiv id"):
        liked_papers.like(reader, "banana", NOW)


def test_a_reading_list_is_taken_once_and_its_bad_lines_are_named() -> None:
    reader = make.subscriber()
    first = liked_papers.bring(reader, "2504.02302\nbanana\n2504.02303", NOW)
    again = liked_papers.bring(reader, "2504.02302\n2504.02304", NOW)
    assert (first.added, first.known, [bad.name for bad in first.bad]) == (2, 0, ["banana"])
    assert (again.added, again.known) == (1, 1)
    with pytest.raises(InterestError, match="nothing in it"):
        liked_papers.bring(reader, b"", NOW)


def test_reset_forgets_it_all_and_erasure_too() -> None:
    reader, other = make.subscriber(), make.subscriber()
    for one in (reader, other):
        liked_papers.describe(one, "Birds", NOW)
        liked_papers.bring(one, "2504.02302", NOW)
    liked_papers.reset(reader, NOW)
    services.forget(other, NOW)
    assert not any(one.descriptions.exists() or one.liked_papers.exists() for one in (reader, other))


def test_a_dropped_paper_is_gone_and_only_ones_own() -> None:
    reader, other = make.subscriber(), make.subscriber()
    row = liked_papers.like(other, "2504.02302", NOW)
    assert not liked_papers.drop(reader, row.pk)
    assert liked_papers.drop(other, row.pk)


def test_a_filter_for_one_person_or_category_is_known_as_such() -> None:
    reader = make.subscriber()
    wishes = interests.read(queries=["author:Hinton", "cat:cs.LG", "author:Hinton OR speech", "speech"])
    interests.store(reader, wishes)
    assert [one.kind for one in interests.of(reader)] == ["author", "category", "filter", "filter"]
