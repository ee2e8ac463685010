"""An address under /desk/ that leads nowhere: the desk's own words to staff, the way in to all others."""

from __future__ import annotations

import pytest
import time_machine
from django.test import Client

from tests import make

pytestmark = pytest.mark.django_db
NOWHERE = ["/desk/nonsense/", "/desk/a/b/c/", "/desk/triage/2026-13-45/", "/desk/topics/no-such-topic/"]


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(make.NOW, tick=False) as moved:
        yield moved


@pytest.mark.parametrize("address", NOWHERE)
def test_staff_see_the_desks_own_words(address, curator):
    answer = curator.get(address)
    assert (answer.status_code, answer["Cache-Control"]) == (404, "no-store")
    page = answer.content.decode()
    assert "The desk has no such page" in page
    assert "Links in letters" not in page
    assert "matches the given query" not in page


@pytest.mark.parametrize("address", NOWHERE)
def test_strangers_learn_nothing(address):
    assert Client().get(address).url.startswith("/desk/sign-in/")


def test_an_address_without_its_last_slash_still_leads_there(curator):
    assert curator.get("/desk/topics").url == "/desk/topics/"


@pytest.mark.parametrize(
    ("day", "words"),
    [
        ("2026-06-04", "There is no edition of 4 June 2026 yet: the next one opens on 4 June at 00:00 UTC."),
        ("2026-05-01", "There is no edition of 1 May 2026."),
    ],
)
def test_a_day_without_an_edition_says_when_the_next_one_opens(day, words, curator):
    make.edition()
    assert words in curator.get(f"/desk/triage/{day}/").content.decode()
