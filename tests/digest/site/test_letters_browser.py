"""The letter and its pages in a real browser: axe finds nothing, nothing is wider than a phone."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser

from digest.models import Saved
from digest.rendering import doors
from tests import make
from tests.browser import faults, is_too_wide, opened
from tests.digest.rendering import hostile
from tests.digest.rendering.posts import delivery

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_letters_and_their_pages_are_accessible_and_fit_a_phone(browser: Browser, live_server: Any, scheme: str):
    papers = [make.paper(f"A paper with a rather long title, number {n}") for n in range(9)]
    reader = make.subscriber(queries=["paper"])
    row = delivery(papers, reader, matched=30)
    Saved.objects.create(subscriber=reader, paper=papers[0], at=make.NOW)
    own = doors.own(row, reader)
    act = f"{own.act}/{papers[0].pk}/"
    for address in (own.web, own.more, own.saved, act, f"{act}save/"):
        path = address.removeprefix("http://localhost:8000")
        with opened(browser, f"{live_server.url}{path}", width=320, scheme=scheme) as page:
            assert not faults(page), path
            assert not is_too_wide(page), path


def test_saving_a_paper_needs_one_press_of_the_keyboard(browser: Browser, live_server: Any):
    row = delivery([make.paper("On speech")])
    path = f"{doors.own(row, row.subscriber).act}/{row.papers[0]['paper']}/save/".removeprefix("http://localhost:8000")
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
    own = doors.own(row, row.subscriber)
    for address in (own.web, own.saved, f"{own.act}/{papers[1].pk}/save/"):
        with opened(browser, f"{live_server.url}{address.removeprefix('http://localhost:8000')}") as page:
            assert page.evaluate("document.scripts.length") == 0
            assert page.locator("img, iframe, svg").count() == 0
