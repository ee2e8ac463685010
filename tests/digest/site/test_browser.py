"""The public pages in a real browser: readable by everyone, at any width, with and without scripts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from digest import archive
from tests import make
from tests.browser import SCHEMES, WIDTHS, Scheme, faults, is_too_wide, opened

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
HOSTILE = '<img src=x onerror="alert(1)"><script>alert(2)</script>'
LONG = "This sentence stands here so that the abstract is long enough to be opened and closed again. "
PATHS = [
    "/",
    "/day/2026-06-02/",
    "/day/2026-01-01/",
    "/week/2026-W23/",
    "/month/2026-06/",
    "/paper/{paper}/",
    "/topics/",
    "/topic/speech/",
    "/search/",
    "/search/?q=speech",
    "/search/?q=%22",
    "/search/?q=nothing-like-it",
    "/no/such/page",
]


@pytest.fixture
def site(live_server: Any) -> str:
    """A site with two editions, one of hostile texts; returns its address."""
    papers = [make.paper(f"Speech number {n}", abstract=LONG * 6, upvotes=n) for n in range(8)]
    papers.append(make.paper(HOSTILE, abstract=HOSTILE * 5, authors=[HOSTILE], categories=[HOSTILE[:90]]))
    papers.append(make.paper("Averyveryverylongword" * 20, abstract="Averylongword" * 90, authors=["Longname" * 20]))
    edition = make.edition(papers=papers, note="Two worth the train ride.", curator="Ada Example")
    edition.entries.filter(position=3).update(is_pinned=True, note="Read section 4.")
    make.edition(make.TODAY - timedelta(days=1), [make.paper("Earlier", primary_category="q-bio.BM")])
    make.topic("speech", description="Talking and listening.")
    archive.refresh()
    address: str = live_server.url
    return address


def first_paper() -> int:
    from digest.models import Paper

    row = Paper.objects.filter(title__startswith="Speech").first()
    assert row is not None
    return row.pk


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_public_page_is_clean_for_axe_and_fits_the_window(
    browser: Browser, site: str, width: int, scheme: Scheme
) -> None:
    wrong = {}
    for path in PATHS:
        with opened(browser, site + path.format(paper=first_paper()), width, scheme) as page:
            found = faults(page) + (["too wide"] if is_too_wide(page) else [])
            if found:
                wrong[path] = found
    assert not wrong


def test_the_judges_would_tell(browser: Browser, live_server: Any) -> None:
    with pytest.raises(AssertionError, match="Content Security Policy"):
        _break_a_page(browser, live_server.url)


def _break_a_page(browser: Browser, address: str) -> None:
    with opened(browser, address) as page:
        page.evaluate("document.querySelector('main').innerHTML = '<img alt=\"\" src=\"https://elsewhere.example/x\">'")
        page.evaluate("document.querySelector('main').innerHTML += '<a href=\"/x\"></a><input>'")
        assert len(faults(page)) >= 2
        page.wait_for_timeout(200)


@pytest.mark.parametrize("width", WIDTHS)
def test_an_empty_site_is_clean_too(browser: Browser, live_server: Any, width: int) -> None:
    for path in ("/", "/topics/"):
        with opened(browser, live_server.url + path, width, "dark") as page:
            assert not faults(page)
            assert not is_too_wide(page)


@pytest.mark.parametrize("script", [True, False])
@pytest.mark.parametrize("width", WIDTHS)
def test_a_visitor_reads_steps_back_and_searches(browser: Browser, site: str, width: int, script: bool) -> None:
    with opened(browser, site, width, script=script) as page:
        rest = page.locator(".paper .abstract").first
        expect(rest).not_to_be_visible()
        page.locator("summary").first.click()
        expect(rest).to_be_visible()
        page.get_by_role("link", name="2 June 2026").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Tuesday, 2 June 2026")
        page.get_by_role("link", name="Search", exact=True).click()
        page.get_by_label("What are you looking for?").fill("title:speech")
        page.get_by_label("Newest first").check()
        page.get_by_role("button", name="Search").click()
        expect(page.get_by_role("status")).to_have_text("8 papers")
        page.get_by_role("link", name="Speech number 5", exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Speech number 5")


def test_everything_is_reached_by_the_keyboard(browser: Browser, site: str) -> None:
    with opened(browser, site) as page:
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("#main")).to_be_focused()
        for _ in range(60):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.tagName") == "SUMMARY":
                break
        page.keyboard.press("Enter")
        expect(page.locator(".paper .abstract").first).to_be_visible()


def test_s11_hostile_texts_run_nothing(browser: Browser, site: str) -> None:
    for path in ("/", "/week/2026-W23/", "/search/?q=img", f"/search/?q={HOSTILE}"):
        with opened(browser, site + path) as page:  # a dialog or a broken policy fails on leaving
            assert page.locator("main img").count() == 0
            assert page.locator("main script").count() == 0


def test_the_page_prints_without_its_controls_and_with_whole_abstracts(browser: Browser, site: str) -> None:
    with opened(browser, site) as page:
        page.emulate_media(media="print")
        expect(page.get_by_role("link", name="Subscribe").first).not_to_be_visible()
        expect(page.get_by_role("heading", level=1)).to_be_visible()
