"""A real browser for the tests: Debian's Chromium, driven by Playwright; axe-core judges its pages."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.core.signals import request_finished, request_started
from playwright.sync_api import Browser, Page, expect, sync_playwright

ARGUMENTS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"]
WIDTHS = (320, 1280)
Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
each_way = pytest.mark.parametrize(
    ("width", "script"), [(width, script) for width in WIDTHS for script in (True, False)]
)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for the whole run; skips where there is none (on CI a skip fails the run)."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("no chromium here; on Debian: apt install chromium")
    # Playwright keeps an event loop in this thread; the tests' own use of the ORM beside it is safe.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield chromium
        chromium.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@contextmanager
def opened(
    browser: Browser, address: str, width: int = 1280, scheme: str = "light", script: bool = True
) -> Iterator[Page]:
    """The page at `address`. On leaving: no script failed, nothing broke the CSP, nothing came from elsewhere.

    And the server has answered all it was asked: with SQLite in memory it shares its connection with the test.
    """
    UNDER_WAY.clear()
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme=scheme,
        java_script_enabled=script,
        service_workers="block",
    )
    page = context.new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda line: troubles.append(line.text) if "Content Security Policy" in line.text else None)
    page.on("dialog", lambda dialog: (troubles.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: troubles.append(request.url) if _is_foreign(request.url, address) else None)
    page.goto(address)
    try:
        yield page
    finally:
        context.close()
        _rest()
    assert not troubles, troubles


UNDER_WAY: list[str] = []  # a mark for each request that a server of this process has not answered yet


def _begun(**_: Any) -> None:
    UNDER_WAY.append("request")


def _ended(**_: Any) -> None:
    if UNDER_WAY:
        UNDER_WAY.pop()


request_started.connect(_begun)
request_finished.connect(_ended)


def _rest(seconds: float = 10.0) -> None:
    """Wait for requests that the page sent and did not wait for, such as a preview while a form is sent."""
    end = time.monotonic() + seconds
    while UNDER_WAY and time.monotonic() < end:
        time.sleep(0.01)


def _is_foreign(url: str, address: str) -> bool:
    return not url.startswith((address.split("/", 3)[0] + "//" + address.split("/", 3)[2], "data:", "about:", "blob:"))


def faults(page: Page) -> list[str]:
    """What axe finds wrong, one line a rule: empty is right."""
    found: dict[str, Any] = Axe().run(page).response
    return [f"{rule['id']}: {[node['html'][:160] for node in rule['nodes']][:3]}" for rule in found["violations"]]


def blemishes(page: Page, script: bool = True) -> list[str]:
    """What is wrong with the page as it stands: its width, and what axe finds in light and dark (where scripts run)."""
    found = ["too wide"] if is_too_wide(page) else []
    for scheme in SCHEMES if script else ():
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # else axe sees colours on their way
        found += [f"{scheme}: {fault}" for fault in faults(page)]
    return found


def press(page: Page, name: str) -> None:
    """By its role: hidden buttons do not count. A preview under way comes first, as for a person."""
    _rest()
    page.get_by_role("button", name=name).click()


def heading(page: Page, words: str) -> None:
    expect(page.locator("h1")).to_contain_text(words)


def status(page: Page, words: str) -> None:
    """What the page says was done."""
    expect(page.get_by_role("status")).to_contain_text(words)


def is_too_wide(page: Page) -> bool:
    """Whether one must scroll sideways to read it, or a heading runs out of its box."""
    wide: bool = page.evaluate(
        "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        " || [...document.querySelectorAll('main :is(h1, h2, h3):not(.visually-hidden)')]"
        ".some(one => one.scrollWidth > one.clientWidth + 1)"
    )
    return wide
