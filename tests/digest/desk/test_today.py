"""Today renews itself, and leads nobody to a page that their role does not open."""

from __future__ import annotations

import re

import pytest
import time_machine

from digest.desk.pages import dashboard
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(make.NOW, tick=False):
        yield


def live(page):
    """The blocks that are renewed, by their ids."""
    return set(re.findall(r'id="(live-[a-z]+)"[^>]* data-live', page))


def test_the_part_that_renews_has_the_blocks_of_the_page_and_nothing_around_them(curator):
    make.edition()
    page, part = (curator.get(address).content.decode() for address in ("/desk/", "/desk/?part=live"))
    assert live(page) == live(part) != set()
    assert "<html" in page
    assert "<html" not in part
    assert "csrf" not in part


def test_what_an_act_said_waits_for_the_next_whole_page(curator):
    make.edition(papers=[make.paper()], state="collecting")
    curator.post(f"/desk/edition/{make.TODAY}/hold/")
    curator.get("/desk/?part=live")
    assert 'class="notice good" role="status"' in curator.get("/desk/").content.decode()


def test_without_a_script_a_link_renews_and_the_time_is_told(curator):
    page = curator.get("/desk/").content.decode()
    assert '<a href="/desk/">Renew</a>' in page
    assert "06:00:00" in page
    assert not re.search(r"<script(?![^>]* src=)", page)


@pytest.mark.thorough
@pytest.mark.parametrize("role", ["viewer", "curator", "operator", "admin"])
def test_every_link_of_today_opens_for_whoever_sees_it(role, signed_in):
    make.edition(papers=[make.paper()], state="held")
    make.source(failures=4)
    client = signed_in(role)
    page = client.get("/desk/").content.decode()
    for address in set(re.findall(r'href="(/desk/[^"#]*)', page)):
        assert client.get(address, follow=True).status_code == 200, address


def test_what_only_operators_may_look_at_says_so_to_others(curator, operator):
    assert any(one.right == "operate" for one in dashboard.alerts(None, make.NOW))
    assert "An operator can look at it." in curator.get("/desk/").content.decode()
    assert "See what the doctor says" in operator.get("/desk/").content.decode()


def test_sources_that_are_off_are_folded_away_and_the_calendar_names_its_days(curator):
    make.source("on", name="Loud Letters")
    make.source("off", name="Silent Letters", is_enabled=False)
    page = curator.get("/desk/sources/").content.decode()
    folded = page[page.index("<details><summary>1 switched off</summary>") :]
    assert "Silent Letters" in folded
    assert "Loud Letters" not in folded
    assert "Silent Letters" not in page[: page.index(folded)]
    assert re.findall(r'class="day-mark"[^>]*>([^<]+)<', page) == [
        "1 May",
        "4 May",
        "11 May",
        "18 May",
        "25 May",
        "1 Jun",
    ]


def test_a_source_that_was_not_asked_yet_is_not_called_empty(curator):
    make.source(is_daily=True)
    saturday = make.edition(make.TODAY.replace(day=6), [make.paper()], state="collecting")
    page = curator.get(f"/desk/edition/{saturday.date}/").content.decode()
    assert "Not asked yet" in page
    assert ">Empty<" not in page
