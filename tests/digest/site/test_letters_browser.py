"""The letter and its pages in a real browser: axe finds nothing, nothing is wider than a phone."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from digest.letters import compose, letters, links, load
from digest.models import Delivery, Feedback, Paper, Saved
from subscriptions.links import urls
from tests import make
from tests.browser import blemishes, each_way, faults, heading, is_too_wide, opened, press, status
from tests.digest.letters import hostile
from tests.digest.letters.posts import delivery

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_letters_and_their_pages_are_accessible_and_fit_a_phone(browser: Browser, live_server: Any, scheme: str):
    papers = [make.paper(f"A paper with a rather long title, number {n}") for n in range(9)]
    reader = make.subscriber(queries=["paper"])
    row = delivery(papers, reader, matched=30)
    Saved.objects.create(subscriber=reader, paper=papers[0], at=make.NOW)
    own = links.own(row, reader)
    act = f"{own.act}/{papers[0].pk}/"
    for address in (own.web, own.more, own.saved, act, f"{act}save/"):
        path = address.removeprefix("http://localhost:8000")
        with opened(browser, f"{live_server.url}{path}", width=320, scheme=scheme) as page:
            assert not faults(page), path
            assert not is_too_wide(page), path


def letters_link(row: Delivery, paper: Paper, label: str) -> str:
    """The address behind a paper's link on the reader's own letter."""
    facts = load.facts([row])
    order = letters.letter_input(row, facts.readers[row.subscriber_id], facts, links.own(row, row.subscriber))
    found = re.search(rf'href="([^"]*/{paper.pk}/[^"]*)"[^>]*>{label}<', compose.compose(order).html)
    assert found, label
    return found[1]


@each_way
@pytest.mark.parametrize("label", ["More like this", "Less like this"])
def test_what_a_reader_says_of_a_paper_is_seen_and_taken_back(
    browser: Browser, live_server: Any, settings: Any, label: str, width: int, script: bool
):
    settings.PUBLIC_BASE_URL = live_server.url
    paper = make.paper("On speech")
    row = delivery([paper])
    said, preferences = "What you said of papers in letters", urls.preferences_url(row.subscriber)
    with opened(browser, letters_link(row, paper, label), width, script=script) as page:
        heading(page, label)
        assert not Feedback.objects.exists()
        assert blemishes(page, script) == []
        page.get_by_role("button", name=label).press("Enter")
        heading(page, f"Noted: {label.lower()}")
        assert blemishes(page, script) == []
        with opened(browser, preferences, width, script=script) as own:
            expect(own.locator("#letters")).to_contain_text("A letter is waiting to be sent.")
            own.get_by_text(said).click()
            expect(own.locator("#taste li")).to_contain_text(f"{label.lower().removesuffix(' this')} On speech")
            assert blemishes(own, script) == []
        page.get_by_role("button", name="Take it back").press("Enter")
        heading(page, "Taken back")
        assert blemishes(page, script) == []
    with opened(browser, preferences, width, script=script) as own:
        expect(own.get_by_text(said)).to_have_count(0)


@each_way
def test_papers_are_saved_listed_taken_along_and_removed(
    browser: Browser, live_server: Any, settings: Any, width: int, script: bool
):
    settings.PUBLIC_BASE_URL = live_server.url
    paper = make.paper("On speech")
    row = delivery([paper])
    with opened(browser, letters_link(row, paper, "Save"), width, script=script) as page:
        press(page, "Save this paper")
        page.get_by_role("link", name="Your saved papers").click()
        heading(page, "Saved papers")
        with page.expect_download() as download:
            page.get_by_role("link", name="BibTeX").click()
        assert "@misc{example2026speech," in download.value.path().read_text()
        press(page, "Remove On speech")
        expect(page.locator(".lede")).to_contain_text("Nothing yet")
        assert blemishes(page, script) == []
    assert not Saved.objects.exists()


@each_way
def test_a_reason_is_done_without_and_taken_back(
    browser: Browser, live_server: Any, settings: Any, width: int, script: bool
):
    settings.PUBLIC_BASE_URL = live_server.url
    paper = make.paper("On speech")
    reader = make.subscriber(topics=[make.topic("speech")])
    row = delivery([paper], reader)
    with opened(browser, f"{links.own(row, reader).act}/{paper.pk}/why/", width, script=script) as page:
        press(page, "Do without “Speech”")
        status(page, "brings no more papers")
        assert blemishes(page, script) == []
        press(page, "Take it back")
        status(page, "It is back")
    assert reader.interests.get().muted is False


def test_saving_a_paper_needs_one_press_of_the_keyboard(browser: Browser, live_server: Any):
    row = delivery([make.paper("On speech")])
    path = f"{links.own(row, row.subscriber).act}/{row.papers[0]['paper']}/save/".removeprefix("http://localhost:8000")
    with opened(browser, f"{live_server.url}{path}", script=False) as page:
        page.get_by_role("button", name="Save this paper").press("Enter")
        page.get_by_role("heading", name="Saved").wait_for()
    assert Saved.objects.count() == 1


def test_s11_hostile_papers_run_nothing_in_a_browser(browser: Browser, live_server: Any):
    texts = [
        text.replace("\x00", "") for text in hostile.PARTS if not any(0xD800 <= ord(char) < 0xE000 for char in text)
    ]
    papers = [make.paper(text[:900], abstract=text, authors=[text]) for text in texts[:40]]
    row = delivery(papers, make.subscriber(papers_per_day=40, abstracts="full"))
    for paper in papers[:3]:
        Saved.objects.create(subscriber=row.subscriber, paper=paper, at=make.NOW)
    own = links.own(row, row.subscriber)
    for address in (own.web, own.saved, f"{own.act}/{papers[1].pk}/save/"):
        with opened(browser, f"{live_server.url}{address.removeprefix('http://localhost:8000')}") as page:
            assert page.evaluate("document.scripts.length") == 0
            assert page.locator("img, iframe, svg").count() == 0
