"""An edition that cannot be changed says so in one word, why, and what to do instead; so does an empty one."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from digest.editions import lifecycle
from digest.models import Edition
from tests import make

pytestmark = pytest.mark.django_db
DAY = f"/desk/triage/{make.TODAY}/"


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(make.NOW, tick=False) as moved:
        yield moved


def seen(client, address=DAY):
    return client.get(address).content.decode()


def test_an_edition_that_is_out_says_when_the_next_one_opens(curator):
    make.edition(papers=[make.paper()])
    assert seen(curator).count("The next edition opens on 4 June at 00:00 UTC") == 2  # the notice, and the keys' words


def test_an_edition_that_is_out_leads_to_the_open_one(curator):
    make.edition(make.TODAY - timedelta(days=1), [make.paper()])
    make.edition(papers=[make.paper()], state="collecting")
    page = seen(curator, f"/desk/triage/{make.TODAY - timedelta(days=1)}/")
    assert f'<a href="{DAY}">Go through the papers of 3 June</a>' in page


def test_yesterdays_edition_tells_that_todays_is_about_to_open(curator):
    make.edition(make.TODAY - timedelta(days=1), [make.paper()])
    assert "The next edition opens within a minute" in seen(curator, f"/desk/triage/{make.TODAY - timedelta(days=1)}/")


@pytest.mark.parametrize("address", ["/desk/", DAY, f"/desk/edition/{make.TODAY}/"])
def test_an_edition_on_its_way_is_going_out_everywhere(address, curator):
    make.edition(papers=[make.paper()], state="frozen", release_at=make.NOW + timedelta(minutes=5))
    page = seen(curator, address)
    assert "going out" in page.lower()
    assert "frozen" not in page.lower()


def test_an_edition_on_its_way_can_be_taken_back_from_its_page(curator):
    make.edition(papers=[make.paper()], state="frozen", release_at=make.NOW + timedelta(minutes=5))
    assert "Letters begin to go at 06:05:00 UTC; until then you can take it back." in seen(curator)


def test_a_frozen_edition_opens_by_being_held_as_its_page_says(curator):
    edition = make.edition(papers=[make.paper()], state="frozen", frozen_at=make.NOW)
    assert "press Hold on its page" in seen(curator)
    curator.post(f"/desk/edition/{make.TODAY}/hold/")
    assert "press Hold" not in seen(curator)
    edition.refresh_from_db()
    assert edition.state == Edition.State.HELD


def test_who_may_only_look_is_told_so_by_the_keys(signed_in):
    make.edition(papers=[make.paper()], state="collecting")
    assert 'data-fixed="Only curators change what is in an edition."' in seen(signed_in("viewer"))


@pytest.mark.parametrize(
    ("next_pull", "words"),
    [(make.NOW + timedelta(hours=1), "at 07:00 UTC"), (None, "within minutes"), (make.NOW, "within minutes")],
)
def test_an_empty_day_says_which_source_is_asked_next(next_pull, words, curator):
    make.source(name="Late Letters", next_pull_at=next_pull)
    make.edition(state="collecting")
    page = seen(curator)
    assert f"No paper has come in yet. Late Letters is asked next, {words}." in page
    assert "add a paper" in page


def test_an_empty_day_without_sources_says_that(curator):
    make.edition(state="collecting")
    assert "no source is switched on" in seen(curator)


def test_an_empty_view_of_a_full_day_offers_all_of_it(curator):
    make.edition(papers=[make.paper()], state="collecting")
    page = seen(curator, f"{DAY}?show=hidden")
    assert "None of the day’s 1 paper is among these" in page
    assert "Show all" in page


@pytest.mark.thorough
def test_once_today_is_out_the_first_page_leads_to_tomorrows_open_edition(curator, signed_in):
    make.edition(papers=[make.paper()])
    tomorrow = make.TODAY + timedelta(days=1)
    make.edition(tomorrow, [make.paper()], state="collecting")
    assert f'href="/desk/triage/{tomorrow}/">Go through the papers of 4 Jun' in seen(curator, "/desk/")
    assert "the edition of 4 June goes out at the latest" in seen(curator, "/desk/")
    assert "Go through the papers" not in seen(signed_in("viewer"), "/desk/")


def test_an_edition_of_a_day_to_come_goes_only_at_the_time_a_curator_gave_it():
    make.edition(papers=[make.paper()])
    tomorrow = make.edition(make.TODAY + timedelta(days=1), [make.paper()], state="collecting")
    assert lifecycle.release_due(make.NOW) == []
    tomorrow.release_at = make.NOW + timedelta(minutes=5)
    tomorrow.save()
    assert lifecycle.release_due(make.NOW) == []
    assert [one.pk for one in lifecycle.release_due(make.NOW + timedelta(minutes=5))] == [tomorrow.pk]
