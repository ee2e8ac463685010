from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from digest.matching import profiles
from digest.models import Delivery, Feedback
from digest.readers import mute
from subscriptions.links import tokens
from subscriptions.models import Subscriber
from subscriptions.wants import liked_papers
from tests import make

pytestmark = pytest.mark.django_db
NOW = make.NOW


def letter(reader: Subscriber, *reasons: tuple[str, str]) -> tuple[Delivery, int]:
    paper = make.paper("A paper")
    edition = make.edition(papers=[paper])
    said = [{"kind": kind, "label": label, "words": []} for kind, label in reasons]
    row = Delivery.objects.create(
        edition=edition,
        subscriber=reader,
        state="accepted",
        papers=[{"paper": paper.pk, "score": 1.0, "reasons": said}],
        local_date=make.TODAY,
        due_at=NOW,
        next_at=NOW,
        planned_at=NOW,
    )
    return row, paper.pk


def test_an_interest_that_brought_a_paper_is_done_without() -> None:
    reader = make.subscriber(topics=[make.topic("speech", name="Speech")], queries=["chairs", "birds"])
    assert mute.mute(reader, "topic", "Speech", NOW)
    assert mute.mute(reader, "filter", "chairs", NOW)
    assert not mute.mute(reader, "filter", "chairs", NOW)
    assert [one.label for one in reader.interests.all()] == ["birds"]
    assert reader.consents.count() == 2


def test_descriptions_likes_and_the_two_switches_too() -> None:
    reader = make.subscriber()
    description = liked_papers.describe(reader, "I study birds.", NOW)
    liked_papers.bring(reader, "@article{a, title={Song of birds}}", NOW)
    Feedback.objects.create(subscriber=reader, paper=make.paper("Song of birds"), value=1, at=NOW)
    for kind, label in (
        ("description", description.label),
        ("liked", "Song of birds"),
        ("community", "5 readers raised it"),
        ("explore", "Just outside what you follow"),
    ):
        assert mute.mute(reader, kind, label, NOW), kind
    reader.refresh_from_db()
    assert [reader.community_picks, reader.exploration] == [False, False]
    left = [reader.descriptions.exists(), reader.liked_papers.exists(), reader.feedback.exists()]
    assert left == [False] * 3


def test_a_paper_liked_by_its_id_is_done_without_by_its_title() -> None:
    reader, paper = make.subscriber(), make.paper("Nests of forest birds")
    liked_papers.like(reader, f"https://arxiv.org/abs/{paper.arxiv_id}v3", NOW)
    liked_papers.like(reader, "2001.00001", NOW)
    assert mute.mute(reader, "liked", "Nests of forest birds", NOW)
    assert [one.identifier for one in reader.liked_papers.all()] == ["arxiv:2001.00001"]


def test_a_liked_paper_done_without_is_named_no_more_even_before_the_night() -> None:
    profiles._model.cache_clear()
    papers = [make.paper(f"Birds number {n}", abstract=f"song of wild birds part {n % 5}") for n in range(40)]
    reader = make.subscriber()
    for one in papers[:2]:
        liked_papers.like(reader, one.arxiv_id, NOW)
    profiles.refit(NOW)
    mute.mute(reader, "liked", "Birds number 0", NOW)
    assert profiles.learned([reader.pk])[reader.pk].profile.titles == ("Birds number 1",)
    mute.mute(reader, "liked", "Birds number 1", NOW)
    assert profiles.learned([reader.pk]) == {}


@pytest.mark.parametrize("kind", ["filter", "description", "liked", "community", "explore"])
def test_what_was_done_without_comes_back_as_it_was(kind: str) -> None:
    reader, paper = make.subscriber(queries=["chairs"]), make.paper("Song of birds")
    reader.interests.update(weight=3.0, created_at=NOW)
    description = liked_papers.describe(reader, "I study birds.", NOW, weight=2.0)
    liked_papers.bring(reader, "@article{a, title={Song of birds}}", NOW)
    Feedback.objects.create(subscriber=reader, paper=paper, value=1, at=NOW)
    before = everything(reader)
    label = {"filter": "chairs", "description": description.label, "liked": "Song of birds"}.get(kind, "")
    gone = mute.mute(reader, kind, label, NOW)
    assert everything(reader) != before
    assert mute.restore(reader, gone, NOW)
    assert everything(reader) == before
    assert not mute.restore(reader, gone, NOW)
    assert reader.consents.filter(act="changed", wording="interests").count() >= 2


def everything(reader: Subscriber) -> list[Any]:
    reader.refresh_from_db()
    kept = [reader.interests, reader.descriptions, reader.liked_papers, reader.feedback]
    return [reader.community_picks, reader.exploration, *(list(rows.order_by("pk").values()) for rows in kept)]


def test_only_the_reader_brings_back_what_was_theirs_and_not_over_what_they_made_anew() -> None:
    reader, other = make.subscriber(queries=["chairs"]), make.subscriber()
    gone = mute.mute(reader, "filter", "chairs", NOW)
    assert not mute.restore(other, gone, NOW)
    assert not mute.restore(reader, gone[:-1] + "x", NOW)
    reader.interests.create(kind="filter", text="chairs!", filter=make.filter("chairs"), weight=0.5)
    assert not mute.restore(reader, gone, NOW)
    assert [(one.text, one.weight) for one in reader.interests.all()] == [("chairs!", 0.5)]


def test_what_comes_for_everyone_cannot_be_done_without() -> None:
    row, paper = letter(make.subscriber(), ("pin", "Picked by the curator"), ("topic", "Speech"), ("topic", "Speech"))
    assert mute.reasons(row, paper) == [("topic", "Speech")]
    assert mute.reasons(row, paper + 1) == []


def test_the_page_shows_reasons_and_only_a_button_acts(client: Client) -> None:
    reader = make.subscriber(queries=["chairs"])
    row, paper = letter(reader, ("filter", "chairs"), ("community", "2 readers raised it"))
    url = f"/k/{tokens.make('act', row.uuid.hex)}/{paper}/why/"
    page: Any = client.get(url)
    assert page.status_code == 200
    assert "Do without “chairs”" in page.content.decode()
    assert reader.interests.count() == 1
    done = client.post(url, {"reason": "0"})
    assert "brings no more papers" in done.content.decode()
    assert reader.interests.count() == 0
    form = re.search(r'name="undo" value="([^"]+)"', done.content.decode())
    assert form
    assert "It is back" in client.post(url, {"undo": form[1]}).content.decode()
    assert reader.interests.count() == 1
    assert "could not be taken back" in client.post(url, {"undo": "forged"}).content.decode()
    assert client.post(url, {"reason": "1"}).status_code == 200
    reader.refresh_from_db()
    assert not reader.community_picks


@pytest.mark.parametrize("number", ["", "9", "-1", "x", "00000"])
def test_a_reason_that_is_not_there_is_not_found(client: Client, number: str) -> None:
    reader = make.subscriber(queries=["chairs"])
    row, paper = letter(reader, ("filter", "chairs"))
    answer = client.post(f"/k/{tokens.make('act', row.uuid.hex)}/{paper}/why/", {"reason": number})
    assert answer.status_code == 404
    assert reader.interests.count() == 1
