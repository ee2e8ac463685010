"""The search page and the topic pages."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from digest import archive
from digest.archive import limits
from tests import make

pytestmark = pytest.mark.django_db


def page(client: Client, path: str, status: int = 200, **query: str) -> str:
    answer = client.get(path, query)
    assert answer.status_code == status
    return answer.content.decode()


def test_an_empty_box_shows_the_box(client: Client) -> None:
    assert "What are you looking for?" in page(client, "/search/")


def test_a_filter_finds_its_papers(client: Client) -> None:
    make.paper("Speech without noise")
    make.paper("Speech with echoes")
    archive.refresh()
    text = page(client, "/search/", q="title:speech -echoes")

    assert "Speech without noise" in text
    assert "Speech with echoes" not in text
    assert "1 paper" in text


def test_a_sentence_that_no_paper_holds_whole_finds_the_nearest_and_says_so(client: Client) -> None:
    make.paper("How insects plan their flight")
    archive.refresh()
    text = page(client, "/search/", q="do insects ever plan anything?")

    assert "How insects plan their flight" in text
    assert "No paper has all of these words" in text


def test_a_query_that_cannot_be_read_is_explained_and_kept_in_the_box(client: Client) -> None:
    text = page(client, "/search/", q='speech "noise')

    assert "This quotation mark is never closed" in text
    assert "(column 8)" in text
    assert 'value="speech &#34;noise"' in text
    assert 'aria-invalid="true"' in text


def test_nothing_found_says_so(client: Client) -> None:
    assert "Nothing matches" in page(client, "/search/", q="qqqq")


def test_results_come_in_pages(client: Client) -> None:
    for n in range(45):
        make.paper(f"Speech {n:02d}.")
    archive.refresh()
    pages = [page(client, "/search/", q="speech", by="date", page=str(n)) for n in (1, 2, 3)]

    assert "Page 2 of 3" in pages[1]
    assert 'href="?q=speech&amp;by=date&amp;page=3"' in pages[1]
    for n in range(45):
        assert sum(text.count(f">Speech {n:02d}.<") for text in pages) == 1


def test_a_page_far_beyond_the_last_is_empty_not_an_error(client: Client) -> None:
    make.paper("Speech")
    archive.refresh()

    page(client, "/search/", q="speech", page="400")


@pytest.mark.parametrize("q", ["<script>alert(1)</script>", '"><img src=x>', "x" * 501, "=", "(", "*"])
def test_s11_what_was_typed_comes_back_as_text(client: Client, q: str) -> None:
    text = page(client, "/search/", q=q)

    assert "<script>alert" not in text
    assert "<img src=x" not in text


@pytest.mark.parametrize("q", ["speech", "speech signals over noise"])
def test_searching_asks_the_database_a_handful(client: Client, q: str, django_assert_max_num_queries: Any) -> None:
    for _ in range(20):
        make.announcement(make.paper("Speech signals"))
    archive.refresh()
    with django_assert_max_num_queries(17):  # with the transactions' beginnings and ends
        client.get("/search/", {"q": q})


def test_topics_are_listed_in_their_groups(client: Client) -> None:
    make.topic("speech", group="Language", description="Talking.")
    make.topic("gone", is_active=False)
    text = page(client, "/topics/")

    assert "Language" in text
    assert '<a href="/topic/speech/">Speech</a>' in text
    assert "Gone" not in text


def test_a_site_without_topics_says_so(client: Client) -> None:
    assert "There are no topics yet" in page(client, "/topics/")


def test_a_topic_shows_its_newest_papers_and_the_filter_behind_it(client: Client) -> None:
    make.topic("speech", query="speech OR voice")
    make.paper("Voices in noise")
    archive.refresh()
    text = page(client, "/topic/speech/")

    assert "Voices in noise" in text
    assert "<code>speech OR voice</code>" in text
    assert 'href="/subscribe/?topic=speech"' in text


def test_a_topic_without_papers_says_so(client: Client) -> None:
    make.topic("speech")

    assert "No paper in the archive matches this topic yet" in page(client, "/topic/speech/")


@pytest.mark.parametrize("slug", ["none", "gone"])
def test_a_topic_that_is_not_offered_is_not_found(client: Client, slug: str) -> None:
    make.topic("gone", is_active=False)

    page(client, f"/topic/{slug}/", 404)


def test_s21_a_search_that_takes_too_long_is_given_up_with_a_word(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(400):
        make.paper(f"Speech {n}", abstract="A common word stands here. " * 20)
    archive.refresh()
    make.topic("speech")
    monkeypatch.setattr(limits, "SECONDS", 0.001)
    q = " OR ".join(f'"common word {word}"' for word in ("stands", "here", "sits"))

    assert "This search takes too long" in page(client, "/search/", q=q)
    page(client, "/search/feed.atom", 503, q=q)
