"""Today in a real browser: it renews itself, keeps the keys where they were, and says aloud only what is new."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from digest.models import Edition
from tests import make
from tests.browser import opened

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "a long and good password"
HELD = "it waits for you"


@pytest.fixture
def today(browser, live_server, staff):
    """Today, open in a curator's browser, whose clock the test winds on."""
    user = staff("curator")
    user.set_password(PASSWORD)
    user.save()
    make.edition(datetime.now(UTC).date(), [make.paper("One", upvotes=1)])
    with opened(browser, f"{live_server.url}/desk/sign-in/?next={quote('/desk/')}") as page:
        page.clock.install()
        page.get_by_label("Name").fill(user.username)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"{live_server.url}/desk/")
        yield page


def wind(page):
    with page.expect_response(lambda answer: "part=live" in answer.url):
        page.clock.run_for(20_000)


def test_what_is_new_is_shown_and_said_and_the_keys_stay(today):
    told = today.locator("#told")
    today.get_by_role("link", name="Edition 1 paper").focus()
    wind(today)
    expect(told).to_be_empty()
    Edition.objects.update(state="held")
    wind(today)
    expect(today.locator("#live-matters")).to_contain_text(HELD)
    expect(told).to_contain_text(HELD)
    assert "Edition" in today.evaluate("document.activeElement.textContent")


def test_who_is_signed_out_is_told_that_the_numbers_are_old(today):
    today.context.clear_cookies()
    wind(today)
    expect(today.locator("#stale")).to_contain_text("no longer renewed")
