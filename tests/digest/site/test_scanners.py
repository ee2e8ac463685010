"""Machines that open every link of a letter: plainly, and in a browser with scripts."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser

from subscriptions.links import urls
from tests.load import scanners


@pytest.mark.thorough
@pytest.mark.django_db
def test_s2_no_link_of_any_letter_changes_a_row_when_it_is_opened() -> None:
    paths = scanners.addresses(scanners.letters(timezone.now()))
    before = scanners.tables()

    scanners.open_plainly(Client(HTTP_HOST="localhost"), paths, len(paths) * len(scanners.METHODS))

    assert len(paths) == len(scanners.kinds()) * len(scanners.STATES)
    assert scanners.changed(before) == []


@pytest.mark.django_db
def test_s2_every_kind_of_link_opens_a_page_for_one_who_reads() -> None:
    """Else the other tests would open nothing but error pages."""
    (reading,) = [row for row in scanners.letters(timezone.now()) if row.subscriber.state == "active"]

    shown = {}
    for name, path in zip(scanners.kinds(), scanners.addresses([reading]), strict=True):
        shown[name] = Client(HTTP_HOST="localhost").get(path, follow=True).status_code

    closed = {name: status for name, status in shown.items() if status != 200}
    assert closed == {"expired confirm": 410, "expired fresh link": 404, "cut short": 404}


@pytest.mark.django_db
def test_s2_a_single_press_is_noticed() -> None:
    (reading,) = [row for row in scanners.letters(timezone.now()) if row.subscriber.state == "active"]
    before = scanners.tables()

    Client(HTTP_HOST="localhost").post(urls.unsubscribe_url(reading.subscriber), {"List-Unsubscribe": "One-Click"})

    assert "subscriptions_subscriber" in scanners.changed(before)


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_s2_every_kind_of_link_rendered_with_scripts_changes_no_row(browser: Browser, live_server: Any) -> None:
    rows = [row for row in scanners.letters(timezone.now()) if row.subscriber.state in {"pending", "active"}]
    paths = scanners.addresses(rows)
    before = scanners.tables()

    scanners.open_rendered(browser, live_server.url, paths, len(paths))

    assert scanners.changed(before) == []
