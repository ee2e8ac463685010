from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command

from digest.matching.interest_query import InterestQuery
from digest.matching.load import interests_of, papers_announced, papers_of
from digest.models import Edition, EditionPaper, Paper
from subscriptions.models import Interest
from tests import make

pytestmark = pytest.mark.django_db


def test_a_window_of_editions_is_read_in_two_queries(django_assert_num_queries: Any) -> None:
    one, two = make.paper("one", upvotes=4), make.paper("two")
    editions = [make.edition(papers=[one]), make.edition(make.TODAY + timedelta(days=1), [two])]
    make.announcement(one, make.source("huggingface"))
    with django_assert_num_queries(2):
        papers = papers_of(editions)
    assert [(paper.title, paper.sources, paper.upvotes) for paper in papers] == [
        ("two", ("arxiv-cs-cl",), 0),
        ("one", ("arxiv-cs-cl", "huggingface"), 4),
    ]
    assert papers[0].day == make.TODAY + timedelta(days=1)


def test_hidden_and_withdrawn_papers_stay_out_and_pins_lead() -> None:
    papers = [make.paper(title) for title in ("plain", "hidden", "pinned")] + [make.paper("gone", is_withdrawn=True)]
    edition = make.edition(papers=papers)
    EditionPaper.objects.filter(paper=papers[1]).update(is_hidden=True)
    EditionPaper.objects.filter(paper=papers[2]).update(is_pinned=True)
    assert [(paper.title, paper.pinned) for paper in papers_of([edition])] == [("pinned", True), ("plain", False)]


def test_no_edition_is_no_paper() -> None:
    assert papers_of(Edition.objects.none()) == []
    assert papers_announced(Paper.objects.all()) == []


def test_every_readers_wants_come_in_three_queries(django_assert_num_queries: Any) -> None:
    first = make.subscriber(topics=[make.topic("speech", name="Speech")], queries=["chairs"])
    second = make.subscriber()
    Interest.objects.filter(subscriber=first, kind="filter").update(muted=True, weight=2.0)
    with django_assert_num_queries(3):
        wants = interests_of([first.pk, second.pk])
    assert wants == {
        first.pk: [InterestQuery("Speech", "topic", "speech"), InterestQuery("chairs", "filter", "chairs", 2.0, True)],
        second.pk: [],
    }


def match(*words: str, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    call_command("match", *words, "--json")
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def test_match_looks_through_the_newest_edition_some_days_or_everything(capsys: pytest.CaptureFixture[str]) -> None:
    make.edition(make.TODAY - timedelta(days=3), [make.paper("old speech")])
    make.edition(make.TODAY, [make.paper("new speech")])
    make.paper("in no edition: speech")
    assert match("Speech", capsys=capsys)["count"] == 1
    assert match("speech", "--days", "4", capsys=capsys)["count"] == 2
    assert match("speech", "--all", capsys=capsys)["count"] == 3
    assert match("speech", "--date", str(make.TODAY - timedelta(days=3)), capsys=capsys)["papers"][0]["why"] == [
        "speech"
    ]
    answer = match("speech", "--all", "--limit", "1", capsys=capsys)
    assert (answer["query"], answer["count"], len(answer["papers"])) == ("speech", 3, 1)


@pytest.mark.parametrize(
    "words", [["(a"], ["a", "--date", "2020-01-01"], ["a", "--days", "0"], ["a", "--limit", "-1"]], ids=str
)
def test_match_refuses_with_usage(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        call_command("match", *words, "--json")
    assert end.value.code == 2
    assert capsys.readouterr().out.startswith('{"error": ')


def test_papers_merged_after_their_editions_count_once() -> None:
    kept, doubled = make.paper("The kept row"), make.paper("The same paper again")
    editions = [make.edition(make.TODAY - timedelta(days=1), [doubled]), make.edition(papers=[kept])]
    doubled.merged_into = kept
    doubled.save(update_fields=["merged_into"])
    assert [paper.id for paper in papers_of(editions)] == [kept.pk]
    assert [paper.id for paper in papers_of(editions[:1])] == [kept.pk]
