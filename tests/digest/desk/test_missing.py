"""An address under /desk/ that leads nowhere, or not for this role: the desk's own words; strangers sign in."""

from __future__ import annotations

from datetime import date

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


@pytest.mark.parametrize("name", ["triage", "edition"])
def test_papers_and_edition_lead_to_the_day_that_is_worked_on(name, curator):
    words = "There is no edition yet: the first one opens within a minute."
    assert words in curator.get(f"/desk/{name}/").content.decode()
    make.edition()
    assert curator.get(f"/desk/{name}/").url == f"/desk/{name}/2026-06-03/"
    make.edition(date(2026, 6, 4), state="collecting")
    assert curator.get(f"/desk/{name}/").url == f"/desk/{name}/2026-06-04/"


@pytest.mark.parametrize(
    ("role", "words"),
    [
        ("viewer", "It is for admin. You are signed in as viewer, in the role viewer."),
        ("operator", "It is for admin. You are signed in as operator, in the role operator."),
    ],
)
def test_a_page_for_others_says_whose_it_is_and_the_way_back(role, words, client, staff):
    client.force_login(staff(role))
    answer = client.get("/desk/log/")
    assert (answer.status_code, answer["Cache-Control"]) == (403, "no-store")
    page = answer.content.decode()
    assert words in page
    assert 'href="/desk/">To Today' in page


def test_whoever_has_no_role_is_told_and_may_sign_out(client, django_user_model):
    client.force_login(django_user_model.objects.create_user("newcomer", is_staff=True))
    page = client.get("/desk/").content.decode()
    assert "It is for viewer or curator or operator or admin." in page
    assert "signed in as newcomer, who has no role at the desk yet." in page
    assert "Sign out newcomer" in page
    assert "To Today" not in page
