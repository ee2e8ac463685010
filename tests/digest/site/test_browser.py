"""The public pages in a real browser: readable by everyone, at any width, with and without scripts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from digest import search
from tests import make
from tests.browser import SCHEMES, WIDTHS, Scheme, blemishes, each_way, faults, heading, is_too_wide, opened, status

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
    search.refresh()
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


@each_way
def test_a_visitor_goes_from_the_week_to_a_topic_by_mail(browser: Browser, site: str, width: int, script: bool) -> None:
    with opened(browser, site, width, script=script) as page:
        page.get_by_role("link", name="Week", exact=True).click()
        heading(page, "1 June to 7 June 2026")
        page.get_by_role("link", name="Month", exact=True).click()
        heading(page, "June 2026")
        page.get_by_role("link", name="Earlier", exact=True).click()
        heading(page, "Earlier")
        page.get_by_text("BibTeX", exact=True).first.click()
        expect(page.get_by_role("region", name="BibTeX entry")).to_contain_text("title = {{Earlier}}")
        with page.expect_download() as download:
            page.get_by_role("link", name="RIS").click()
        assert "TI  - Earlier" in download.value.path().read_text()
        page.get_by_role("link", name="Topics", exact=True).click()
        page.get_by_role("link", name="Speech", exact=True).click()
        status(page, "8 papers")
        feed = page.get_by_role("link", name="Atom").get_attribute("href")
        assert "<title>Speech number" in page.request.get(site + str(feed)).text()
        page.get_by_role("link", name="Get this topic by mail").click()
        expect(page.locator("#preview")).to_contain_text("Speech number")
        assert blemishes(page, script) == []


@each_way
def test_a_visitor_reads_steps_back_and_searches(browser: Browser, site: str, width: int, script: bool) -> None:
    with opened(browser, site, width, script=script) as page:
        rest = page.locator(".paper .abstract").first
        expect(rest).not_to_be_visible()
        page.locator("summary").first.click()
        expect(rest).to_be_visible()
        page.get_by_role("navigation", name="More days").get_by_role("link", name="2 June 2026").click()
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


def test_a_long_list_of_authors_is_printed_whole(browser: Browser, site: str) -> None:
    paper = make.paper("By many", authors=[f"Author {n}" for n in range(200)])
    make.edition(make.TODAY - timedelta(days=9), [paper])
    with opened(browser, f"{site}/paper/{paper.pk}/") as page:
        expect(page.get_by_text("Author 199")).not_to_be_visible()
        page.emulate_media(media="print")
        expect(page.get_by_text("Author 199")).to_be_visible()
        expect(page.locator("summary", has_text="more authors")).not_to_be_visible()


def test_the_page_prints_without_its_controls_and_with_whole_abstracts(browser: Browser, site: str) -> None:
    with opened(browser, site) as page:
        page.emulate_media(media="print")
        expect(page.get_by_role("link", name="Subscribe").first).not_to_be_visible()
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page.get_by_role("navigation", name="Areas")).not_to_be_visible()


def test_a_paper_prints_with_its_bibtex_and_the_addresses_of_its_sources(browser: Browser, site: str) -> None:
    paper = make.paper("Printed", doi="10.1000/182")
    with opened(browser, f"{site}/paper/{paper.pk}/") as page:
        expect(page.get_by_text("@misc")).not_to_be_visible()
        page.emulate_media(media="print")
        expect(page.get_by_text("@misc")).to_be_visible()
        expect(page.get_by_text("As a file")).not_to_be_visible()
        source = page.get_by_role("link", name="DOI")
        expect(source).to_be_visible()
        assert "https://doi.org/10.1000/182" in source.evaluate("link => getComputedStyle(link, '::after').content")


def test_a_list_prints_the_address_of_each_papers_page(browser: Browser, site: str) -> None:
    with opened(browser, site) as page:
        page.emulate_media(media="print")
        links = page.locator(".facts-line .links").first.locator("a")
        expect(links.first).to_be_visible()
        expect(links.nth(1)).not_to_be_visible()
        assert "https://arxiv.org/abs/" in links.first.evaluate("link => getComputedStyle(link, '::after').content")
