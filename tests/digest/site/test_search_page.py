"""The search page and the topic pages."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from digest import search
from digest.search import limits
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
    search.refresh()
    text = page(client, "/search/", q="title:speech -echoes")

    assert "Speech without noise" in text
    assert "Speech with echoes" not in text
    assert "1 paper" in text


def test_a_sentence_that_no_paper_holds_whole_finds_the_nearest_and_says_so(client: Client) -> None:
    make.paper("How insects plan their flight")
    search.refresh()
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
    search.refresh()
    pages = [page(client, "/search/", q="speech", by="date", page=str(n)) for n in (1, 2, 3)]

    assert "Page 2 of 3" in pages[1]
    assert 'href="?q=speech&amp;by=date&amp;page=3"' in pages[1]
    for n in range(45):
        assert sum(text.count(f">Speech {n:02d}.<") for text in pages) == 1


@pytest.mark.parametrize("q", ["speech", "speech ever said"])
def test_past_the_end_the_last_page_is_shown(client: Client, q: str) -> None:
    for n in range(25):
        make.paper(f"Speech {n}", published_on="2026-05-01" if n else "2020-01-01")
    search.refresh()
    text = page(client, "/search/", q=q, by="date", page="400")

    assert "Page 2 of 2" in text
    assert ">Speech 0<" in text


@pytest.mark.parametrize("q", ["<script>alert(1)</script>", '"><img src=x>', "x" * 501, "=", "(", "*"])
def test_s11_what_was_typed_comes_back_as_text(client: Client, q: str) -> None:
    text = page(client, "/search/", q=q)

    assert "<script>alert" not in text
    assert "<img src=x" not in text


@pytest.mark.parametrize(
    ("q", "most"),
    [("speech", 17), ("speech signals over much noise again", 17), ("speech signals over noise", 22)],  # maybe a name
)
def test_searching_asks_the_database_a_handful(
    client: Client, q: str, most: int, django_assert_max_num_queries: Any
) -> None:
    for _ in range(20):
        make.announcement(make.paper("Speech signals"))
    search.refresh()
    with django_assert_max_num_queries(most):  # with the transactions' beginnings and ends
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
    search.refresh()
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


@pytest.mark.thorough
def test_s21_a_search_that_takes_too_long_is_given_up_with_a_word(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(400):
        make.paper(f"Speech {n}", abstract="A common word stands here. " * 20)
    search.refresh()
    make.topic("speech")
    monkeypatch.setattr(limits, "SECONDS", -1)  # over before it began; PostgreSQL allows no less than a millisecond
    q = " OR ".join(f'"common word {word}"' for word in ("stands", "here", "sits"))

    assert "This search takes too long" in page(client, "/search/", q=q)
    page(client, "/search/feed.atom", 503, q=q)


@pytest.mark.parametrize(
    "q",
    [
        "2608.19880",
        "2608.19880v2",
        "arXiv:2608.19880",
        "arxiv: 2608.19880",
        "https://arxiv.org/abs/2608.19880",
        "http://arxiv.org/pdf/2608.19880v3",
        "arxiv.org/abs/2608.19880",
        "https://huggingface.co/papers/2608.19880",
        "10.48550/arXiv.2608.19880",
        "10.1101/2026.01.02.123456",
        "doi:10.1101/2026.01.02.123456",
        "https://doi.org/10.1101/2026.01.02.123456",
        "https://www.biorxiv.org/content/10.1101/2026.01.02.123456v2.full",
    ],
)
def test_a_paper_is_found_by_its_id_its_doi_or_a_link_to_it(client: Client, q: str) -> None:
    one = make.paper("Asked for", arxiv_id="2608.19880")
    one.identifiers.create(value="doi:10.1101/2026.01.02.123456")
    make.paper("Another", abstract="It goes on from 2608.19880.")
    search.refresh()
    text = page(client, "/search/", q=q)

    assert "Asked for" in text
    assert "Another" not in text
    assert "Get these by mail" not in text


@pytest.mark.parametrize("link", ["https://journal.example/articles/7", "https://journal.example/articles/7/"])
def test_a_paper_is_found_by_the_address_of_its_page(client: Client, link: str) -> None:
    one = make.paper("Asked for", url="https://journal.example/articles/7")
    one.identifiers.create(value="url:journal.example/articles/7")

    assert "Asked for" in page(client, "/search/", q=link)


def test_a_paper_that_was_merged_is_found_by_its_name_and_a_hidden_one_is_not(client: Client) -> None:
    kept = make.paper("Kept")
    make.paper("Merged", arxiv_id="2608.00001", merged_into=kept)
    make.edition(papers=[make.paper("Hidden", arxiv_id="2608.00002")]).entries.update(is_hidden=True)

    assert "Kept" in page(client, "/search/", q="2608.00001")
    assert "Hidden" not in page(client, "/search/", q="2608.00002")


@pytest.mark.parametrize("q", ["2608.19999", "https://nowhere.example/x", "10.1000/none"])
def test_an_id_or_link_of_no_paper_is_said_to_be_unknown(client: Client, q: str) -> None:
    assert "No paper here goes by this id or link" in page(client, "/search/", q=q)


def test_a_link_that_is_none_is_read_as_a_filter(client: Client) -> None:
    assert "There is no field https: here" in page(client, "/search/", q="https://[")


@pytest.mark.parametrize(
    "q",
    [
        "EnvHarness: Awakening Static Worlds",
        "Static worlds – EnvHarness awakening",
        "EnvHarness (worlds): awakening static",
        "“EnvHarness”: Static Worlds Awakening",
    ],
)
def test_a_pasted_title_is_searched_as_plain_words_and_says_so(client: Client, q: str) -> None:
    make.paper("EnvHarness: Awakening Static Worlds for Agent Learning")
    search.refresh()
    text = page(client, "/search/", q=q)

    assert "Awakening Static Worlds for Agent Learning" in text
    assert "Searched as plain words" in text
    assert "aria-invalid" not in text


@pytest.mark.parametrize(
    ("q", "said"),
    [
        ("titel: speech", "Did you mean title:?"),
        ("Abstrakt:noise", "Did you mean abstract:?"),
        ("writer:bengio", "There is no field writer: here"),
        ("EnvHarness: speech OR noise", "There is no field EnvHarness: here"),
        ("EnvHarness: title:speech", "There is no field EnvHarness: here"),
        ("EnvHarness: speech -noise", "There is no field EnvHarness: here"),
    ],
)
def test_a_filter_with_a_slip_is_not_taken_for_a_title(client: Client, q: str, said: str) -> None:
    assert said in page(client, "/search/", q=q)


@pytest.mark.parametrize("q", ["Wei-Lin Chen", "wei-lin chen", "Chen, Wei-Lin"])
def test_words_that_are_an_authors_name_find_their_papers(client: Client, q: str) -> None:
    make.paper("By her", authors=["Wei-Lin Chen"])
    make.paper("By another", authors=["Wei Lin"])
    search.refresh()
    text = page(client, "/search/", q=q)

    assert "By her" in text
    assert "By another" not in text
    assert "by an author of that name" in text
    assert "/search/feed.atom?q=author%3A%22wei%20lin%20chen%22" in text


def test_what_is_nearest_to_a_sentence_comes_newest_first_if_asked_and_in_pages(client: Client) -> None:
    for n in range(25):
        make.paper(f"Insects plan {n:02d}.", published_on=f"2026-05-{n + 1:02d}")
    search.refresh()
    asked = {"q": "do insects ever plan anything?", "by": "date"}
    first, second = page(client, "/search/", **asked), page(client, "/search/", **asked, page="2")

    assert "some of them, newest first" in first
    assert "25 papers" in first
    assert [first.index(f">Insects plan {n:02d}.<") for n in range(24, 4, -1)] == sorted(
        first.index(f">Insects plan {n:02d}.<") for n in range(5, 25)
    )
    assert "Insects plan 04." in second
    assert 'start="21"' in second


def test_what_has_much_less_of_a_sentence_than_the_best_is_not_near(client: Client) -> None:
    make.paper("How insects plan their flight", abstract="Insects plan.")
    make.paper("Nothing but a plan")
    search.refresh()
    text = page(client, "/search/", q="do insects ever plan their flight?")

    assert "How insects plan their flight" in text
    assert "Nothing but a plan" not in text
