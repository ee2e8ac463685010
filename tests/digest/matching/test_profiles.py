from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from digest.matching import PaperIndex, profiles
from digest.matching.load import interests_of, papers_of
from digest.matching.select import LIKED, select
from digest.models import Feedback, Profile, StoredLsaModel
from subscriptions import services
from subscriptions.wants import liked_papers
from tests import make

pytestmark = pytest.mark.django_db
NOW = make.NOW
BIRDS = "song learning of wild birds in forests, nests and migration"
STARS = "spectra of distant stars, telescopes and stellar evolution"


@pytest.fixture(autouse=True)
def no_landscape_of_another_test() -> None:
    profiles._space.cache_clear()


@pytest.fixture
def library() -> dict[str, list[Any]]:
    """Papers on birds and on stars, enough of them for a space."""
    return {
        name: [make.paper(f"{name} number {number}", abstract=f"{text}, part {number % 5}") for number in range(25)]
        for name, text in (("Birds", BIRDS), ("Stars", STARS))
    }


def liked_titles(reader: Any, among: PaperIndex) -> list[str]:
    chosen = select(among, interests_of([reader.pk])[reader.pk], 10, community=False)
    titles = {paper.id: paper.title for paper in among.papers}
    return [titles[choice.paper] for choice in chosen.choices]


def test_likes_bring_papers_of_their_kind_and_name_the_liked_one(library: dict[str, list[Any]]) -> None:
    reader = make.subscriber()
    liked_papers.bring(reader, "\n".join(paper.arxiv_id for paper in library["Birds"][:3]), NOW)
    assert profiles.refit(NOW) == profiles.Refit(papers=50, readers=1)
    new = [make.paper("Nests of forest birds", abstract=BIRDS), make.paper("A stellar survey", abstract=STARS)]
    day = PaperIndex.build(papers_of([make.edition(papers=new)]))
    (choice,) = select(day, interests_of([reader.pk])[reader.pk], 10).choices
    assert choice.paper == new[0].pk
    assert choice.reasons[0].kind == LIKED
    assert choice.reasons[0].label.startswith("Birds number")
    assert "bird" in choice.reasons[0].words


def test_less_like_this_pushes_such_papers_away(library: dict[str, list[Any]]) -> None:
    reader = make.subscriber()
    for paper in [library["Birds"][0], library["Stars"][0]]:
        Feedback.objects.create(subscriber=reader, paper=paper, value=1, at=NOW)
    profiles.refit(NOW)
    day = PaperIndex.build(papers_of([make.edition(papers=[make.paper("Star survey", abstract=STARS)])]))
    for paper in library["Stars"][1:8]:
        Feedback.objects.create(subscriber=reader, paper=paper, value=-1, at=NOW)
    Feedback.objects.filter(paper=library["Stars"][0]).update(value=-1)
    assert profiles.refresh(reader.pk, NOW)
    assert liked_titles(reader, day) == []


def test_a_reading_list_of_strangers_counts_by_its_own_words(library: dict[str, list[Any]]) -> None:
    reader = make.subscriber()
    liked_papers.bring(
        reader, "@article{a, title={Song of wild birds}, abstract={Nests and migration in forests}}", NOW
    )
    profiles.refit(NOW)
    day = PaperIndex.build(papers_of([make.edition(papers=[make.paper("Bird nests", abstract=BIRDS)])]))
    assert liked_titles(reader, day) == ["Bird nests"]


def test_likes_without_any_text_make_no_profile(library: dict[str, list[Any]]) -> None:
    reader = make.subscriber()
    liked_papers.bring(reader, "2001.00001", NOW)
    assert profiles.refit(NOW).readers == 0
    assert interests_of([reader.pk]) == {reader.pk: []}


def test_the_night_comes_once_and_leaves_one_landscape(library: dict[str, list[Any]]) -> None:
    assert profiles.refit_if_due(NOW)
    assert profiles.refit_if_due(NOW + timedelta(hours=3)) is None
    assert profiles.refit_if_due(NOW + timedelta(hours=21))
    assert StoredLsaModel.objects.count() == 1


def test_too_few_papers_make_no_landscape() -> None:
    assert profiles.refit(NOW) == profiles.Refit(0, 0)
    assert not profiles.refresh(make.subscriber().pk, NOW)
    assert not StoredLsaModel.objects.exists()


def test_a_reader_who_takes_all_back_has_no_profile_and_an_erased_one_neither(library: dict[str, list[Any]]) -> None:
    one, other = make.subscriber(), make.subscriber()
    for reader in (one, other):
        liked_papers.like(reader, library["Birds"][0].arxiv_id, NOW)
    profiles.refit(NOW)
    liked_papers.reset(one, NOW)
    profiles.refresh(one.pk, NOW)
    services.forget(other, NOW)
    assert not Profile.objects.exists()


def test_descriptions_and_likes_are_wants_with_their_weights(
    library: dict[str, list[Any]], django_assert_num_queries: Any
) -> None:
    reader = make.subscriber(queries=["speech"], likes_weight=2.0)
    liked_papers.describe(reader, "Birds and their songs.", NOW, weight=0.5)
    liked_papers.like(reader, library["Birds"][0].arxiv_id, NOW)
    profiles.refit(NOW)
    interests_of([reader.pk])
    with django_assert_num_queries(4):
        wants = interests_of([reader.pk])[reader.pk]
    assert [(want.kind, want.label, want.weight) for want in wants] == [
        ("filter", "speech", 1.0),
        ("description", "Birds and their songs.", 0.5),
        ("liked", "Papers you like", 2.0),
    ]


def test_nightly_work_grows_by_readers_not_by_queries(
    library: dict[str, list[Any]], django_assert_max_num_queries: Any
) -> None:
    for number in range(5):
        liked_papers.like(make.subscriber(), library["Birds"][number].arxiv_id, NOW)
    with django_assert_max_num_queries(20):
        assert profiles.refit(NOW).readers == 5
