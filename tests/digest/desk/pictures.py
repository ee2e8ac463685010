"""Pictures of the desk for docs/pictures, from the bundled samples, whose abstracts are ours.

`VAR_DIR=… python manage.py up` serves them; then `VAR_DIR=… python -m tests.digest.desk.pictures docs/pictures`.
It makes an account for the while, and with it pins, hides and writes a note in tomorrow's edition.
"""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.digest.site.pictures import CHROMIUM, NOTE

DESK, PHONE = (1200, 900), (360, 760)
NAME, PASSWORD = "curator", secrets.token_urlsafe()


def views() -> dict[str, tuple[str, tuple[int, int], str]]:
    """name: (path, size, scheme)."""
    from digest.models import Edition, Source

    day = Edition.objects.filter(state="collecting").order_by("-date")[0].date
    source = Source.objects.filter(fetches__isnull=False).order_by("pk")[0]
    return {
        "desk-today": ("/desk/", DESK, "light"),
        "desk-today-dark": ("/desk/", DESK, "dark"),
        "desk-triage": (f"/desk/triage/{day}/", DESK, "light"),
        "desk-triage-phone": (f"/desk/triage/{day}/", PHONE, "light"),
        "desk-edition": (f"/desk/edition/{day}/", DESK, "light"),
        "desk-preview": ("/desk/preview/?q=speech+OR+agents", DESK, "dark"),
        "desk-topics": ("/desk/topics/", DESK, "light"),
        "desk-sources": ("/desk/sources/", DESK, "light"),
        "desk-source": (f"/desk/sources/{source.slug}/", DESK, "light"),
        "desk-deliverability": ("/desk/deliverability/", DESK, "light"),
    }


@contextmanager
def account() -> Iterator[None]:
    from django.contrib.auth.models import User

    user = User.objects.create_superuser(NAME, password=PASSWORD)
    try:
        yield
    finally:
        user.delete()


def sign_in(page: Page, site: str) -> None:
    page.goto(f"{site}/desk/sign-in/")
    page.get_by_label("Name").fill(NAME)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{site}/desk/")


def curate(page: Page, triage: str, edition: str) -> None:
    """A pin with its note, a hide and the editor's note; nothing is done twice."""
    page.goto(triage)
    if not page.locator(".sift.is-pinned").count():
        for key in ("j", "p", "j", "j", "h"):
            page.keyboard.press(key)
            page.wait_for_timeout(300)
    page.goto(edition)
    page.get_by_label("At the head of every letter").fill(NOTE)
    page.get_by_role("button", name="Keep the note").click()
    page.get_by_role("status").wait_for()


def take(browser: Browser, site: str, folder: Path, made: dict[str, tuple[str, tuple[int, int], str]]) -> None:
    session = browser.new_context()
    page = session.new_page()
    sign_in(page, site)
    curate(page, site + made["desk-triage"][0], site + made["desk-edition"][0])
    for name, (path, (width, height), scheme) in made.items():
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.goto(site + path)
        page.screenshot(path=folder / f"{name}.png")
    session.close()


def main(folder: Path) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    from subscriptions.links import urls

    made = views()
    with account(), sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        take(browser, urls.absolute("home").rstrip("/"), folder, made)
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
