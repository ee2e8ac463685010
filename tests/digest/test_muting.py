from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from digest import muting
from digest.models import Delivery, Feedback
from subscriptions import tastes, tokens
from subscriptions.models import Subscriber
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
    assert muting.mute(reader, "topic", "Speech", NOW)
    assert muting.mute(reader, "filter", "chairs", NOW)
    assert not muting.mute(reader, "filter", "chairs", NOW)
    assert [one.label for one in reader.interests.all()] == ["birds"]
    assert reader.consents.count() == 2


def test_descriptions_likes_and_the_two_switches_too() -> None:
    reader = make.subscriber()
    description = tastes.describe(reader, "I study birds.", NOW)
    tastes.bring(reader, "@article{a, title={Song of birds}}", NOW)
    Feedback.objects.create(subscriber=reader, paper=make.paper("Song of birds"), value=1, at=NOW)
    for kind, label in (
        ("description", description.label),
        ("liked", "Song of birds"),
        ("community", "5 readers raised it"),
        ("explore", "Just outside what you follow"),
    ):
        assert muting.mute(reader, kind, label, NOW), kind
    reader.refresh_from_db()
    assert [reader.community_picks, reader.exploration] == [False, False]
    left = [reader.descriptions.exists(), reader.liked_papers.exists(), reader.feedback.exists()]
    assert left == [False] * 3


def test_what_comes_for_everyone_cannot_be_done_without() -> None:
    row, paper = letter(make.subscriber(), ("pin", "Picked by the curator"), ("topic", "Speech"), ("topic", "Speech"))
    assert muting.reasons(row, paper) == [("topic", "Speech")]
    assert muting.reasons(row, paper + 1) == []


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
