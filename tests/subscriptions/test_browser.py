"""Every journey of a reader in a real browser: with and without JavaScript, on a phone and on a desk."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from subscriptions import accounts, services
from subscriptions.links import urls
from subscriptions.mail import notices
from subscriptions.models import Budget, Notice, Subscriber, Suppression
from subscriptions.signup import bot_check, requests
from subscriptions.when import week
from tests import make
from tests.browser import (
    SCHEMES,
    WIDTHS,
    Scheme,
    blemishes,
    each_way,
    faults,
    heading,
    is_too_wide,
    opened,
    press,
    status,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
State = Subscriber.State
BIBTEX = "@article{one, title={Folding proteins by hand}}\n@article{two, year=2020}\n"


@pytest.fixture
def site(live_server: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """A site with one edition and some topics; returns its address."""
    settings.PUBLIC_BASE_URL = live_server.url
    monkeypatch.setattr(bot_check, "YOUNGEST", timedelta(0))
    make.edition(papers=[make.paper("Speech in noise"), make.paper("Protein folding by hand")])
    make.topic("speech", group="Language", description="Talking and listening.")
    make.topic("proteins", "protein", group="Biology")
    address: str = live_server.url
    return address


def reader(**fields: Any) -> Subscriber:
    return make.subscriber("ada@example.org", queries=["speech"], next_digest_at=timezone.now(), **fields)


@each_way
def test_from_the_first_look_to_the_first_letter(browser: Browser, site: str, width: int, script: bool) -> None:
    with opened(browser, f"{site}/subscribe/", width, script=script) as page:
        page.get_by_label("In your own words").fill("protein folding")
        page.locator("details.topics", has_text="Speech").locator("summary").click()
        page.locator("label.chip", has_text="Speech").click()
        press(page, "Show me what would have come")
        expect(page.locator("#preview")).to_contain_text("Protein folding by hand")
        expect(page.locator("#preview")).to_contain_text("Speech in noise")
        page.get_by_label("Your e-mail address").fill("ada@example.org")
        page.get_by_label("Your time zone").select_option("Asia/Tokyo")
        press(page, "Send me the confirmation")
        heading(page, "Look in your inbox")
    requests.process(timezone.now())
    row = Subscriber.objects.get()
    with opened(browser, urls.confirm_url(row), width, script=script) as page:
        expect(page.locator("main")).to_contain_text("protein folding")
        press(page, "Yes, send me the letters")
        heading(page, "You are on the list")
        press(page, "Send me today's now")
        expect(page.get_by_role("status")).to_contain_text("on its way")
        page.get_by_role("link", name="your preferences").click()
        heading(page, "Your letters")
    row.refresh_from_db()
    assert (row.state, row.zone, row.interests.count()) == (State.ACTIVE, "Asia/Tokyo", 2)


@each_way
def test_an_error_is_shown_where_it_is_and_nothing_is_lost(
    browser: Browser, site: str, width: int, script: bool
) -> None:
    with opened(browser, f"{site}/subscribe/", width, script=script) as page:
        page.get_by_label("In your own words").fill("(protein")
        page.get_by_label("Your e-mail address").fill("ada@localhost")
        press(page, "Send me the confirmation")
        assert page.get_by_label("In your own words").input_value() == "(protein"
        assert page.get_by_label("In your own words").get_attribute("aria-invalid") == "true"
        expect(page.locator("#queries-error-1")).to_contain_text("Column")
        expect(page.locator("#email-error-1")).to_contain_text("not a domain")
        assert not script or faults(page) == []  # axe itself needs scripts


@each_way
def test_preferences_are_changed_without_a_password(browser: Browser, site: str, width: int, script: bool) -> None:
    row = reader()
    with opened(browser, urls.preferences_url(row), width, script=script) as page:
        assert page.url == f"{site}/preferences/"
        expect(page.locator(".interests li")).to_contain_text("1 paper last week, 1 in 30 days")
        page.get_by_label("In your own words").fill("speech\ngalaxies")
        page.get_by_label("How much of speech").select_option("more")
        press(page, "Keep these interests")
        status(page, "Your interests are kept")
        page.get_by_label("never show papers on galaxies").check()
        press(page, "Keep these interests")
        expect(page.get_by_label("never show papers on galaxies")).to_be_checked()
        _choose_times(page)
        press(page, "Keep these times")
        status(page, "Your times are kept")
        assert blemishes(page, script) == []
        page.get_by_label("No letters until").fill((timezone.now() + timedelta(days=20)).date().isoformat())
        page.get_by_label("Then bring me the best of what passed").check()
        press(page, "Pause")
        expect(page.locator(".lede")).to_contain_text("Paused until")
        press(page, "Start again")
        status(page, "Welcome back")
        page.get_by_text("Not receiving letters?").click()
        expect(page.locator("#missing")).to_contain_text("No letter has been due yet")
    row.refresh_from_db()
    assert (row.frequency, row.weekday, row.state) == ("weekly", 6, State.ACTIVE)
    assert (row.hour, row.zone, row.papers_per_day) == (18, "Asia/Tokyo", 5)
    assert (row.text_only, row.empty_day, row.catch_up) == (True, "line", True)
    kept = {one.label: (one.weight, one.muted) for one in row.interests.all()}
    assert kept == {"speech": (2.0, False), "galaxies": (1.0, True)}


def _choose_times(page: Page) -> None:
    for label, choice in (
        ("How often", "weekly"),
        ("Weekly letters on", "6"),
        ("At", "18"),
        ("Your time zone", "Asia/Tokyo"),
        ("Papers in a letter, at most", "5"),
        ("On a day without a matching paper", "line"),
    ):
        page.get_by_label(label, exact=True).select_option(choice)
    page.get_by_label("Plain text only").check()


@each_way
def test_days_are_chosen_by_keyboard(browser: Browser, site: str, width: int, script: bool) -> None:
    row = reader()
    with opened(browser, urls.preferences_url(row), width, script=script) as page:
        expect(page.get_by_label("Tuesday")).to_be_hidden()
        page.get_by_label("How often").select_option("chosen")
        press(page, "Keep these times")
        expect(page.locator("#days-error-1")).to_contain_text("Choose at least one day")
        for day in ("Tuesday", "Friday"):
            page.get_by_role("group", name="On these days").get_by_label(day).press("Space")
        assert blemishes(page, script) == []
        press(page, "Keep these times")
        status(page, "Your times are kept")
        expect(page.get_by_label("Friday")).to_be_checked()
        expect(page.get_by_label("Monday")).not_to_be_checked()
        assert blemishes(page, script) == []
    row.refresh_from_db()
    assert (row.frequency, week.short(row.days)) == ("chosen", "tue fri")


@each_way
def test_no_button_loses_what_was_typed_beside_another(browser: Browser, site: str, width: int, script: bool) -> None:
    row = reader()
    with opened(browser, urls.preferences_url(row), width, script=script) as page:
        page.get_by_label("In your own words").fill("speech\ngalaxies")
        page.get_by_label("What you work on").fill("I study how children learn to read.")
        page.get_by_label("At", exact=True).select_option("18")
        if script:  # without it, only the buttons of the same form take it along
            press(page, "Mail me a fresh link")
            expect(page.locator("#account .warn")).to_contain_text("It is not kept yet")
            expect(page.get_by_label("In your own words")).to_have_value("speech\ngalaxies")
            assert blemishes(page, script) == []
        press(page, "Keep these times")
        status(page, "Your times are kept")
        status(page, "Your interests are kept")
        expect(page.get_by_label("What you work on")).to_have_value("I study how children learn to read.")
    row.refresh_from_db()
    assert (row.hour, row.interests.count(), row.descriptions.count()) == (18, 2, 1)


@each_way
def test_work_and_papers_told_and_forgotten_again(browser: Browser, site: str, width: int, script: bool) -> None:
    row = reader()
    with opened(browser, urls.preferences_url(row), width, script=script) as page:
        page.get_by_label("What you work on").fill("I study how children learn to read.")
        page.get_by_label("Papers you like", exact=True).fill("2601.00001")
        press(page, "Keep this")
        status(page, "Papers taken in: 1 new")
        page.get_by_text("1 paper you named").click()
        expect(page.locator("#taste")).to_contain_text("2601.00001")
        assert blemishes(page, script) == []
        page.locator("summary", has_text="Forget all of this").press("Enter")
        assert blemishes(page, script) == []
        press(page, "Yes, forget it")
        status(page, "forgotten")
        expect(page.get_by_label("What you work on")).to_have_value("")
    assert (row.descriptions.count(), row.liked_papers.count()) == (0, 0)


@each_way
def test_leaving_undoing_and_leaving_less(browser: Browser, site: str, width: int, script: bool) -> None:
    row = reader()
    with opened(browser, urls.unsubscribe_url(row), width, script=script) as page:
        press(page, "Stop all letters")
        heading(page, "No more letters come")
        press(page, "That was a mistake")
        heading(page, "The letters come again")
    with opened(browser, urls.unsubscribe_url(row), width, script=script) as page:
        press(page, "One letter a week")
        heading(page, "One letter a week")
    with opened(browser, urls.unsubscribe_url(row), width, script=script) as page:
        press(page, "Pause for two weeks")
        heading(page, "Two weeks of quiet")
        assert blemishes(page, script) == []
    row.refresh_from_db()
    assert (row.state, row.frequency) == (State.PAUSED, "weekly")


@each_way
def test_data_are_taken_along_and_erased(browser: Browser, site: str, width: int, script: bool) -> None:
    row = reader()
    with opened(browser, f"{site}/preferences/", width, script=script) as page:
        page.get_by_label("The address your letters come to").fill("ada@example.org")
        press(page, "Mail me a link")
        heading(page, "Look in your inbox")
    requests.process(timezone.now())
    assert Notice.objects.get().kind == "link"
    with opened(browser, urls.account_url(row), width, script=script) as page:
        press(page, "Open it on this device")
        with page.expect_download() as download:
            press(page, "All of it (JSON)")
        assert json.loads(download.value.path().read_text())["email"] == "ada@example.org"
        with page.expect_download() as download:
            press(page, "for a feed reader (OPML)")
        assert "speech" in download.value.path().read_text()
        press(page, "Erase")
        expect(page.get_by_role("alert")).to_contain_text("Tick the box")
        page.get_by_label("Yes, erase everything about me").check()
        press(page, "Erase")
        heading(page, "Everything about you is erased")
    row.refresh_from_db()
    assert row.state == State.FORGOTTEN


@each_way
def test_an_address_moves_by_a_fresh_link_and_the_old_one_is_told(
    browser: Browser, site: str, width: int, script: bool
) -> None:
    row = reader()
    with opened(browser, urls.preferences_url(row), width, script=script) as page:
        press(page, "Mail me a fresh link")
        status(page, "on its way to your address")
    with opened(browser, mailed("ada@example.org", "/a/"), width, script=script) as page:
        press(page, "Open it on this device")
        page.get_by_label("The new address").fill("ada@new.example")
        press(page, "Ask the new address")
        status(page, "inbox of the new address")
        assert blemishes(page, script) == []
    with opened(browser, mailed("ada@new.example", "/n/"), width, script=script) as page:
        expect(page.locator(".lede")).to_contain_text("ada@new.example")
        assert blemishes(page, script) == []
        press(page, "Yes, send them here")
        heading(page, "The letters come here now")
        expect(page.locator(".lede")).to_contain_text("ada@new.example")
        assert blemishes(page, script) == []
    assert mailed("ada@example.org", "/subscribe/", "go to another address now")
    row.refresh_from_db()
    assert (row.email, row.new_email) == ("ada@new.example", "")


def mailed(to: str, path: str, subject: str = "") -> str:
    """Let what waits be mailed; the address under `path` in the newest letter to `to`."""
    notices.send_waiting(timezone.now())
    letter = next(one for one in reversed(mail.outbox) if one.to == [to] and subject in one.subject)
    found = re.search(rf"^http\S+{path}\S*", str(letter.body), re.MULTILINE)
    assert found, letter.body
    return found[0]


@each_way
def test_an_old_confirmation_is_renewed_on_its_own_page(browser: Browser, site: str, width: int, script: bool) -> None:
    row = services.subscribe("ada@example.org", queries=["speech"], now=timezone.now())
    mailed("ada@example.org", "/c/")
    with time_machine.travel(timezone.now() - timedelta(days=8)):
        old = urls.confirm_url(row)
    Budget.objects.all().delete()  # a week has passed
    with opened(browser, old, width, script=script) as page:
        heading(page, "more than seven days old")
        assert blemishes(page, script) == []
        press(page, "Send a fresh link")
        heading(page, "Look in your inbox")
        assert blemishes(page, script) == []
    with opened(browser, mailed("ada@example.org", "/c/"), width, script=script) as page:
        press(page, "Yes, send me the letters")
        heading(page, "You are on the list")
        assert blemishes(page, script) == []
    row.refresh_from_db()
    assert row.state == State.ACTIVE


@each_way
def test_a_file_of_papers_stays_while_the_form_is_mended(browser: Browser, site: str, width: int, script: bool) -> None:
    library = {"name": "library.bib", "mimeType": "text/plain", "buffer": BIBTEX.encode()}
    with opened(browser, f"{site}/subscribe/", width, script=script) as page:
        page.get_by_text("Or describe your work").click()
        page.get_by_label("Or a file with them").set_input_files([library])
        if not script:
            press(page, "Show me what would have come")
        expect(page.locator("#preview")).to_contain_text("Protein folding by hand")
        expect(page.locator("#preview")).to_contain_text("like the 1 paper you named")
        press(page, "Send me the confirmation")
        expect(page.locator("#email-error-1")).to_contain_text("Write your e-mail address")
        expect(page.locator(".brought")).to_contain_text("library.bib is here: 1 paper")
        expect(page.locator(".wishes .notice")).to_contain_text("Line 2, two: It has neither")
        assert not is_too_wide(page)
        assert not script or faults(page) == []
        page.get_by_label("Your e-mail address").fill("ada@example.org")
        press(page, "Send me the confirmation")
        heading(page, "Look in your inbox")
        expect(page.locator("main")).to_contain_text("Line 2, two: It has neither")
        assert not script or faults(page) == []
        press(page, "Go back to it")
        expect(page.locator(".brought")).to_contain_text("library.bib is here: 1 paper")
        expect(page.get_by_label("Your e-mail address")).to_have_value("ada@example.org")
    requests.process(timezone.now())
    row = Subscriber.objects.get()
    assert [one.title for one in row.liked_papers.all()] == ["Folding proteins by hand"]


@each_way
def test_a_stranger_stops_the_questions(browser: Browser, site: str, width: int, script: bool) -> None:
    row = services.subscribe("eve@example.org", now=timezone.now())
    with opened(browser, urls.block_url(row), width, script=script) as page:
        press(page, "Never write to this address")
        heading(page, "We will not write again")
    assert Suppression.objects.get().reason == "request"


def test_the_preview_follows_the_typing(browser: Browser, site: str) -> None:
    with opened(browser, f"{site}/subscribe/", 320) as page:
        page.get_by_label("In your own words").fill("protein")
        expect(page.locator("#preview")).to_contain_text("Protein folding by hand")
        expect(page.locator(".preview-line")).to_contain_text("1 of last week's papers match")
        said = page.locator("#preview + [aria-live]")
        expect(said).to_contain_text("of the last 7 days match")
        expect(said).not_to_contain_text("by hand")
        page.get_by_label("In your own words").fill("protein\nspeech (")
        expect(page.locator("#preview")).to_contain_text("Line 2, column")
        expect(page.locator("#preview")).to_contain_text("Protein folding by hand")
        expect(page.locator("[aria-live]")).to_have_count(1)


def test_the_zone_is_guessed_from_the_browser(browser: Browser, site: str) -> None:
    context = browser.new_context(timezone_id="Asia/Tokyo")
    page = context.new_page()
    page.goto(f"{site}/subscribe/")
    expect(page.get_by_label("Your time zone")).to_have_value("Asia/Tokyo")
    context.close()
    context = browser.new_context(timezone_id="Asia/Calcutta")
    page = context.new_page()
    page.goto(f"{site}/subscribe/")
    expect(page.get_by_label("Your time zone")).to_have_value("Asia/Kolkata")
    context.close()


def test_under_load_the_browser_does_a_sum(browser: Browser, site: str, settings: Any) -> None:
    settings.SIGNUPS_PER_HOUR = 5  # the last of them only with a proof
    for number in range(4):
        services.subscribe(f"ben@host{number}.example", now=timezone.now())
    with opened(browser, f"{site}/subscribe/") as page:
        page.get_by_label("Your e-mail address").fill("ada@example.net")
        press(page, "Send me the confirmation")
        expect(page.locator("#busy")).to_contain_text("The sum is done", timeout=30_000)
        press(page, "Send me the confirmation")
        heading(page, "Look in your inbox")
    assert requests.process(timezone.now()) == {"signup": 1}


def test_a_signup_by_keyboard_alone(browser: Browser, site: str) -> None:
    with opened(browser, f"{site}/subscribe/") as page:
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        _tab_to(page, "queries")
        page.keyboard.type("folding")
        _tab_on(page, "document.activeElement.matches('.topics > summary')")
        page.keyboard.press("Enter")
        _tab_to(page, "topics")
        page.keyboard.press("Space")
        _tab_to(page, "hour")
        page.keyboard.type("09")
        _tab_to(page, "email")
        page.keyboard.type("ada@example.org")
        page.keyboard.press("Enter")
        heading(page, "Look in your inbox")
    requests.process(timezone.now())
    row = Subscriber.objects.get()
    assert (row.hour, row.interests.count()) == (9, 2)


def _tab_to(page: Page, name: str) -> None:
    _tab_on(page, f"document.activeElement.name == '{name}'")


def _tab_on(page: Page, until: str) -> None:
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate(until):
            return
    raise AssertionError(f"the keyboard does not get to: {until}")


def test_s2_pages_opened_by_a_scanner_with_scripts_change_nothing(browser: Browser, site: str) -> None:
    row = services.subscribe("eve@example.org", now=timezone.now())
    before = list(Subscriber.objects.values())
    for url in (urls.confirm_url(row), urls.unsubscribe_url(row), urls.block_url(row), urls.account_url(row)):
        with opened(browser, url) as page:
            page.wait_for_load_state("networkidle")
    assert list(Subscriber.objects.values()) == before


def pages(site: str) -> dict[str, str]:
    """Every page a reader can come to, by what it shows."""
    active, waiting = reader(), services.subscribe("new@example.org", queries=["speech"], now=timezone.now())
    left = make.subscriber("left@example.org", state=State.UNSUBSCRIBED, ended_at=timezone.now())
    moving = make.subscriber("moving@example.org")
    accounts.ask_new_address(moving, "moved@example.net", timezone.now())
    return {
        "signup": f"{site}/subscribe/?topic=speech&q=protein",
        "confirm": urls.confirm_url(waiting),
        "confirmed": urls.confirm_url(active),
        "preferences": urls.preferences_url(active),
        "unsubscribe": urls.unsubscribe_url(active),
        "block": urls.block_url(waiting),
        "account": urls.account_url(active),
        "return": urls.return_url(left),
        "new address": urls.address_url(moving),
        "ask for a link": f"{site}/preferences/",
        "cut link": urls.preferences_url(active)[:-6] + "/",
        "no link": f"{site}/account/",
    }


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_page_is_clean_for_axe_and_fits_the_window(
    browser: Browser, site: str, width: int, scheme: Scheme
) -> None:
    wrong = {}
    for name, url in pages(site).items():
        with opened(browser, url, width, scheme) as page:
            found = faults(page) + (["too wide"] if is_too_wide(page) else [])
            if name == "account":
                press(page, "Open it on this device")
                found += faults(page) + (["too wide"] if is_too_wide(page) else [])
            if found:
                wrong[name] = found
    assert not wrong
