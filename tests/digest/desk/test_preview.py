"""The preview opens the letter that is worked on, and takes a reader the way each role knows one."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import time_machine
from django.core.management import call_command

from tests import make

pytestmark = pytest.mark.django_db
TOMORROW = make.TODAY + timedelta(days=1)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(make.NOW, tick=False):
        yield


@pytest.fixture
def days():
    make.edition(papers=[make.paper("What went out")])
    return make.edition(TOMORROW, [make.paper("What is worked on")], state="collecting")


def first_option(page):
    """The edition that is chosen where nobody chose one."""
    return re.search(r'name="date">\s*<option value=""[^>]*>([^<]+)<', page)[1]


def test_the_edition_that_is_worked_on_is_shown_first(curator, days):
    assert "collecting" in first_option(curator.get("/desk/preview/").content.decode())
    assert "What is worked on" in curator.get("/desk/preview/letter/").content.decode()
    assert "What went out" in curator.get(f"/desk/preview/letter/?date={make.TODAY}").content.decode()


def test_an_open_edition_without_papers_is_not_what_is_shown(curator):
    make.edition(papers=[make.paper("What went out")])
    make.edition(TOMORROW, state="collecting")
    assert "released" in first_option(curator.get("/desk/preview/").content.decode())
    assert "What went out" in curator.get("/desk/preview/letter/").content.decode()


def test_the_command_shows_the_same_edition(days, capsys):
    call_command("preview", interest=["study OR what"])
    assert "What is worked on" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("role", "text", "is_shown"),
    [
        ("operator", "Ann@Example.org", True), ("admin", "ann@example.org", True), ("operator", "{number}", True),
        ("viewer", "{number}", True), ("viewer", "ann@example.org", False), ("curator", "ann@example.org", False),
        ("operator", "nobody@example.org", False), ("operator", "<script>", False), ("viewer", "²", False),
    ],
)  # fmt: skip
def test_a_reader_goes_by_address_only_for_those_who_may_look_readers_up(role, text, is_shown, days, signed_in):
    reader = make.subscriber("ann@example.org", topics=[make.topic("x", "worked")])
    text = text.format(number=reader.pk)
    page = signed_in(role).get("/desk/preview/", {"reader": text}).content.decode()
    assert ("<iframe" in page, 'role="alert"' in page) == (is_shown, not is_shown)
    assert "The Readers page" not in page


def test_who_may_not_look_up_is_told_the_same_of_any_address(days, signed_in):
    make.subscriber("ann@example.org")
    client = signed_in("curator")
    known, unknown = (
        re.findall(r'role="alert"><p>(.*?)</p>', client.get("/desk/preview/", {"reader": one}).content.decode())
        for one in ("ann@example.org", "bob@example.org")
    )
    assert known == unknown
