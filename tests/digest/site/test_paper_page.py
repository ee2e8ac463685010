"""The page of one paper."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from digest import search
from tests import make

pytestmark = pytest.mark.django_db


def page(client: Client, pk: int, status: int = 200) -> str:
    answer = client.get(f"/paper/{pk}/")
    assert answer.status_code == status
    return answer.content.decode()


def test_of_very_many_authors_the_first_are_named_and_the_others_opened(client: Client) -> None:
    one = make.paper("A thing", authors=[f"Author {n}" for n in range(300)])
    make.edition(papers=[one])
    page = client.get(f"/paper/{one.pk}/").content.decode()
    lede = page.partition('<p class="lede authors"')[2].partition("</p>")[0]
    assert lede.endswith("Author 19")
    assert "<summary>and 280 more authors</summary>" in page
    assert "Author 299" in page


def test_a_paper_has_all_its_authors_its_abstract_and_its_links(client: Client) -> None:
    one = make.paper("A thing", authors=[f"Author {n}" for n in range(9)], doi="10.1000/182", version=3)
    text = page(client, one.pk)

    for part in (
        "Author 0, Author 1",
        "Author 8",
        "We study a thing. It works.",
        f'href="{one.url}"',
        f'href="{one.pdf_url}"',
        'href="https://doi.org/10.1000/182"',
        f"{one.arxiv_id}, version 3",
    ):
        assert part in text


def test_every_announcement_is_listed_with_its_day_and_what_readers_said(client: Client) -> None:
    one = make.paper()
    community = make.source("hf", name="Daily papers", kind="huggingface")
    make.announcement(one, day=make.TODAY, kind="new")
    make.announcement(one, day=make.TODAY + timedelta(days=9), kind="replace", version=2)
    make.announcement(one, community, kind="listed", upvotes=31, announced_by="ada")
    text = page(client, one.pk)

    for part in ("New", "Replaced", "12 June 2026", "Daily papers (ada)", ">31<"):
        assert part in text
    assert f'href="https://huggingface.co/papers/{one.arxiv_id}"' in text


def test_a_paper_leads_back_to_its_edition(client: Client) -> None:
    one = make.paper()
    make.edition(papers=[one])

    assert '<a href="/day/2026-06-03/">' in page(client, one.pk)


def test_a_withdrawn_paper_says_so(client: Client) -> None:
    assert "has been withdrawn" in page(client, make.paper(is_withdrawn=True).pk)


def test_a_paper_a_curator_hid_is_not_there(client: Client) -> None:
    one = make.paper()
    make.edition(papers=[one]).entries.update(is_hidden=True)

    page(client, one.pk, 404)


def test_a_paper_has_its_page_once_its_edition_is_out(client: Client) -> None:
    one = make.paper()
    make.edition(papers=[one], state="held")

    page(client, one.pk, 404)


@pytest.mark.parametrize("pk", [0, 999_999_999_999, 10**30])
def test_a_number_no_paper_has_is_not_found(client: Client, pk: int) -> None:
    page(client, pk, 404)


def test_a_paper_without_anything_but_a_title_has_a_page(client: Client) -> None:
    one = make.paper(
        "Bare", abstract="", authors=[], categories=[], primary_category="", published_on=None, pdf_url="", url=""
    )

    assert "Bare" in page(client, one.pk)


def test_the_page_asks_the_database_the_same_however_often_it_was_announced(
    client: Client, django_assert_max_num_queries: Any
) -> None:
    one = make.paper()
    for days in range(20):
        make.announcement(one, day=make.TODAY + timedelta(days=days))
    make.paper(one.title)
    search.refresh()
    with django_assert_max_num_queries(16):
        client.get(f"/paper/{one.pk}/")
