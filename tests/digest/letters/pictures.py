"""Pictures of letters for docs/pictures, made from the bundled samples: real abstracts are not ours to show.

`VAR_DIR=… python manage.py up --once`, then `VAR_DIR=… python -m tests.digest.letters.pictures docs/pictures`.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

CHROMIUM = "/usr/bin/chromium"
# name: (letter, width, height, scheme); height 0 is the whole letter
VIEWS = {
    "letter": ("daily", 900, 1200, "light"),
    "letter-dark": ("daily", 600, 1200, "dark"),
    "letter-phone": ("daily", 320, 900, "light"),
    "letter-weekly": ("weekly", 600, 1000, "light"),
    "letter-overflow": ("overflow", 600, 1000, "light"),
    "letter-empty": ("empty", 600, 0, "light"),
    "letter-confirm": ("confirm", 600, 0, "dark"),
}
NOTE = "The first one is worth your coffee. Tomorrow’s letter comes an hour later."


def pages() -> dict[str, str]:
    """The HTML of each kind of letter."""
    from django.template import engines

    from digest.letters import compose, load, previews
    from digest.letters.compose import LetterInput, Pick
    from digest.letters.layout import Issue
    from digest.letters.reasons import Reason
    from digest.matching import PaperIndex
    from digest.matching.load import papers_of
    from digest.matching.select import select, to_json
    from digest.models import Edition, Paper
    from tests.digest.letters import golden

    wants = previews.queries(["agent*", "benchmark* OR evaluat*", "speech OR audio", "diffus* OR image", "model"])
    chosen = to_json(
        select(
            PaperIndex.build(papers_of([Edition.objects.filter(state=Edition.State.RELEASED).latest("date")])),
            wants,
            50,
        )
    )
    rows = Paper.objects.in_bulk([row["paper"] for row in chosen])
    facts = load.content({}, {}, rows)
    picks = list(facts.picks(chosen))
    pinned = replace(picks[0], reasons=(Reason("pin"), *picks[0].reasons))
    picks = [pinned, *picks[1:]]
    issue = Issue(1, date(2026, 8, 20), "", "", 60, ("Hugging Face daily papers", "arXiv cs.CL"), (), "05:30")
    noted = Issue(2, date(2026, 8, 21), NOTE, "the curator", 60, issue.sources, ("arXiv cs.AI",), "08:00")
    day = date(2026, 1, 2)

    def html(issues: tuple[Issue, ...], shown: list[Pick], matched: int, **rest: Any) -> str:
        return compose.compose(LetterInput(issues, tuple(shown), matched, golden.DOORS, confirmed_on=day, **rest)).html

    confirm = {"confirm_url": golden.DOORS.web, "block_url": golden.DOORS.unsubscribe, "now": datetime.now(UTC)}
    confirm["when"] = "Tuesday and Friday at 07:00, Europe/Berlin time"
    confirm["asked"] = ["Speech and audio", "Protein design", "2 filters of your own"]
    return {
        "daily": html((noted,), picks[:6], 14),
        "weekly": html((issue, noted), picks[:10], 38, weekly=True),
        "overflow": html((noted,), picks, 120, level="full"),
        "empty": html((noted,), [], 0),
        "confirm": str(engines["letter_html"].get_template("email/confirm.html").render(confirm)),
    }


def main(folder: Path) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    made = pages()
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for name, (letter, width, height, scheme) in VIEWS.items():
            shoot(browser, made[letter], folder / f"{name}.png", (width, height), scheme)
        browser.close()


def shoot(browser: Browser, html: str, path: Path, size: tuple[int, int], scheme: str) -> None:
    page = browser.new_page(viewport={"width": size[0], "height": size[1] or 200}, color_scheme=scheme)  # type: ignore[arg-type]
    page.set_content(html)
    page.screenshot(path=path, full_page=not size[1])
    page.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
