"""The front page and the page of a day."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client

from digest.site import load
from tests import make

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def page(client: Client, path: str = "/", status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status
    return answer.content.decode()


def test_an_empty_archive_says_what_will_appear_and_when(client: Client) -> None:
    text = page(client)

    assert "The first edition is on its way" in text
    assert "at the latest at 08:00 UTC" in text


def test_an_empty_archive_counts_what_has_come_in(client: Client) -> None:
    make.edition(state="collecting", papers=[make.paper(), make.paper()])

    assert "2 papers have come in so far" in page(client)


def test_the_front_page_shows_the_newest_released_edition(client: Client) -> None:
    make.edition(make.TODAY - DAY, [make.paper("Yesterday’s thing")])
    make.edition(make.TODAY, [make.paper("Today’s thing")])
    make.edition(make.TODAY + DAY, [make.paper("Not out yet")], state="frozen")
    text = page(client)

    assert "Today’s thing" in text
    assert "Yesterday’s thing" not in text
    assert "Not out yet" not in text


def test_a_paper_is_shown_with_what_is_known_of_it(client: Client) -> None:
    one = make.paper(
        "A thing",
        authors=["Ada Example", "Ben Sample", "Cy Third", "Dora Fourth"],
        upvotes=12,
        comments=1,
        code_url="https://code.example/thing",
        abstract="It works.",
    )
    make.edition(papers=[one])
    text = page(client)

    for part in (
        f'<a href="/paper/{one.pk}/">A thing</a>',
        "Ada Example, Ben Sample, Cy Third and 1 more",
        "It works.",
        "▲ 12",
        "1 comment",
        "3 June 2026",
        "arxiv-cs-cl",
        'href="https://code.example/thing"',
    ):
        assert part in text


def test_pinned_papers_come_first_with_the_curators_words(client: Client) -> None:
    papers = [make.paper("Plain"), make.paper("Chosen")]
    edition = make.edition(papers=papers, note="Read this one.", curator="Ada Example")
    edition.entries.filter(paper=papers[1]).update(is_pinned=True, note="Mind section 4.")
    text = page(client)

    assert text.index("Chosen") < text.index("Plain")
    assert "Mind section 4." in text
    assert "Read this one." in text
    assert "chosen by Ada Example" in text


def test_papers_that_readers_raised_are_community_picks(client: Client) -> None:
    make.edition(papers=[make.paper("Quiet"), make.paper("Raised", upvotes=40)])
    text = page(client)

    assert text.index("Community picks") < text.index("Raised") < text.index("More papers of the day")
    assert text.index("More papers of the day") < text.index("Quiet")


def test_hidden_papers_are_not_shown(client: Client) -> None:
    papers = [make.paper("Seen"), make.paper("Unseen", upvotes=9)]
    edition = make.edition(papers=papers)
    edition.entries.filter(paper=papers[1]).update(is_hidden=True)

    assert "Unseen" not in page(client)
    assert "1 paper" in page(client)


def test_days_are_stepped_through_over_gaps(client: Client) -> None:
    for day in (date(2026, 5, 29), date(2026, 6, 1), date(2026, 6, 2)):
        make.edition(day, [make.paper()])
    text = page(client, "/day/2026-06-01/")

    assert '<a rel="prev" href="/day/2026-05-29/">' in text
    assert '<a rel="next" href="/day/2026-06-02/">' in text


def test_a_day_without_an_edition_leads_to_its_neighbours(client: Client) -> None:
    make.edition(date(2026, 5, 29), [make.paper()])
    make.edition(date(2026, 6, 1), [make.paper()])
    text = page(client, "/day/2026-05-30/", 404)

    assert "There is no edition of Saturday, 30 May 2026" in text
    assert "/day/2026-05-29/" in text
    assert "/day/2026-06-01/" in text


@pytest.mark.parametrize("path", ["/day/2026-05-30/", "/week/2026-W23/", "/month/2026-06/"])
def test_an_empty_archive_offers_no_newest_edition(client: Client, path: str) -> None:
    text = page(client, path, 404)

    assert "No edition is out yet" in text
    assert "The newest edition" not in text


def test_a_day_that_is_not_released_is_not_there_yet(client: Client) -> None:
    make.edition(make.TODAY, [make.paper("Not out yet")], state="held")

    assert "Not out yet" not in page(client, "/day/2026-06-03/", 404)


def test_a_day_no_calendar_has_is_not_found(client: Client) -> None:
    assert "There is no such page" in page(client, "/day/2026-02-30/", 404)


@pytest.mark.thorough
def test_a_long_day_is_shown_in_pages_that_together_show_every_paper_once(client: Client) -> None:
    papers = [make.paper(f"Paper {n:03d}.", upvotes=n if n > 95 else None) for n in range(100)]
    edition = make.edition(papers=papers)
    edition.entries.filter(paper=papers[50]).update(is_pinned=True)
    pages = [page(client, f"/?page={n}") for n in (1, 2, 3)]

    assert "Page 1 of 3" in pages[0]
    for n in range(100):
        assert sum(text.count(f">Paper {n:03d}.</a>") for text in pages) == 1


def test_an_area_shows_its_papers_only(client: Client) -> None:
    make.edition(papers=[make.paper("Words"), make.paper("Proteins", primary_category="q-bio.BM")])
    text = page(client, "/?area=q-bio.BM")

    assert "Proteins" in text
    assert "Biomolecules</h2>" in text
    assert ">Words<" not in text


def test_an_areas_name_is_shown_and_one_unknown_stays_as_it_is(client: Client) -> None:
    make.edition(papers=[make.paper(), make.paper(primary_category="Own words")])
    text = page(client)

    assert '<a href="/day/2026-06-03/?area=cs.CL">Computation and language</a>' in text
    assert '<a href="/day/2026-06-03/?area=Own%20words">Own words</a>' in text


def test_the_areas_and_what_is_in_none_make_up_the_edition(client: Client) -> None:
    papers = [make.paper(f"Of {n}.", primary_category=f"x.{n}") for n in range(load.AREAS_SHOWN + 1)]
    edition = make.edition(papers=[*papers, make.paper(), make.paper(), make.paper("Of none.", primary_category="")])
    counted = load.counted_areas(edition)
    text = page(client, "/?area=other")

    assert sum(one.papers for one in counted) == len(papers) + 3
    assert (counted[-1].code, counted[-1].papers) == (load.OTHER, 3)
    assert all(title in text for title in ("Of none.", "Of 8.", "Of 9."))  # fewest papers, last by name
    assert text.count('<li class="paper">') == 3


def test_an_area_no_paper_is_in_is_not_found(client: Client) -> None:
    make.edition(papers=[make.paper()])

    assert "No paper of this day is filed under nope" in page(client, "/?area=nope", 404)
    page(client, "/?area=other", 404)


def test_past_the_end_the_last_page_is_shown(client: Client) -> None:
    make.edition(papers=[make.paper(f"Paper {n:03d}.", upvotes=n if n > 46 else None) for n in range(50)])

    for path in ("/?page=99", "/?area=cs.CL&page=99"):
        assert "Page 2 of 2" in page(client, path)
    assert "Paper 046." in page(client, "/?page=99")


def test_the_days_before_and_after_stand_at_the_foot_too(client: Client) -> None:
    make.edition(make.TODAY - DAY, [make.paper()])
    make.edition(papers=[make.paper("A thing")])
    text = page(client)

    assert text.count('href="/day/2026-06-02/"') == 2
    assert text.rindex('href="/day/2026-06-02/"') > text.index("A thing")


@pytest.mark.parametrize("asked", ["0", "-1", "x", "99999999999999999999", "²", ""])
def test_a_page_number_that_is_none_is_the_first_page(client: Client, asked: str) -> None:
    make.edition(papers=[make.paper("A thing")])

    assert "A thing" in page(client, f"/?page={asked}")


@pytest.mark.parametrize("count", [3, 39])
def test_the_front_page_asks_the_database_the_same_however_long_it_is(
    client: Client, count: int, django_assert_num_queries: Any
) -> None:
    make.edition(papers=[make.paper(upvotes=n) for n in range(count)] + [make.paper()])
    with django_assert_num_queries(9):
        client.get("/")


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_s2_pages_are_only_read(client: Client, method: str) -> None:
    assert getattr(client, method)("/").status_code == 405


def test_pages_cover_the_edition_evenly() -> None:
    edition = make.edition(papers=[make.paper() for _ in range(load.PAGE)])

    assert load.shown(edition).pages == 1
