"""Pictures of the site and the reader's pages for docs/pictures, from the bundled samples, whose abstracts are ours.

`VAR_DIR=… python manage.py up` serves them; then `VAR_DIR=… python -m tests.digest.site.pictures docs/pictures`.
It pins a paper of the sample day and gives the day a note, as a curator would.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

CHROMIUM = "/usr/bin/chromium"
SITE, READER = (1100, 860), (960, 860)
NOTE = "Two papers on worlds that push back, and one that measures how speech benchmarks are learned by heart."
ADVICE = "Short, and the test at the end can be run on any leaderboard."
PINNED = "Towards Quantifying Benchmark"
WORDS = 'agent* NOT survey\n"speech recognition"'


def views() -> dict[str, tuple[str, tuple[int, int], str]]:
    """name: (address, size, scheme)."""
    from digest.models import Edition, EditionPaper, Paper
    from subscriptions.links import urls
    from subscriptions.models import Subscriber

    edition = Edition.objects.filter(state="released").order_by("-date")[0]
    Edition.objects.filter(pk=edition.pk).update(note=NOTE)
    paper = Paper.objects.get(title__startswith=PINNED)
    EditionPaper.objects.filter(edition=edition, paper=paper).update(is_pinned=True, note=ADVICE)
    reader = Subscriber.objects.get(email="agents@demo.example.org")
    year, week, _ = edition.date.isocalendar()
    return {
        "site": (urls.absolute("home"), SITE, "light"),
        "site-dark": (urls.absolute("home"), SITE, "dark"),
        "site-phone": (urls.absolute("home"), (360, 760), "light"),
        "site-paper": (urls.absolute("paper", paper.pk), SITE, "light"),
        "site-week": (urls.absolute("week", f"{year}-W{week:02d}"), SITE, "light"),
        "site-search": (urls.absolute("search") + "?q=speech OR audio", SITE, "light"),
        "signup": (urls.absolute("subscribe"), READER, "light"),
        "preferences": (urls.preferences_url(reader), READER, "light"),
    }


def sign_up(page: Page) -> None:
    """Fill the form in up to the preview."""
    page.get_by_label("In your own words").fill(WORDS)
    page.locator(".topics > summary", has_text="Machine learning").click()
    page.locator("label.chip", has_text="Interpretability").click()
    page.locator("#preview .preview-papers").wait_for()


def main(folder: Path) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    made = views()
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for name, (address, (width, height), scheme) in made.items():
            page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)  # type: ignore[arg-type]
            page.goto(address)
            if name == "signup":
                sign_up(page)
            page.screenshot(path=folder / f"{name}.png")
            page.close()
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
