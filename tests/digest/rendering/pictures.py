"""Pictures of the letters in an outbox, for docs/pictures: `python -m tests.digest.rendering.pictures OUTBOX FOLDER`.

Made from the bundled samples only (`make run ONCE=1`): real abstracts are not ours to show.
"""

from __future__ import annotations

import email
import sys
from email import policy
from email.message import EmailMessage
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

CHROMIUM = "/usr/bin/chromium"
VIEWS = {
    "letter": ("vision", 900, "light", 1200),
    "letter-dark": ("vision", 600, "dark", 1200),
    "letter-phone": ("speech", 320, "light", 900),
}


def main(outbox: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for name, (reader, width, scheme, height) in VIEWS.items():
            shoot(browser, newest(outbox, reader), folder / f"{name}.png", (width, height), scheme)
        browser.close()


def shoot(browser: Browser, message: EmailMessage, path: Path, size: tuple[int, int], scheme: str) -> None:
    page = browser.new_page(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)  # type: ignore[arg-type]
    part = message.get_body(("html",))
    page.set_content(part.get_content() if part else "")
    page.screenshot(path=path)
    page.close()


def newest(outbox: Path, reader: str) -> EmailMessage:
    path = max(outbox.glob(f"{reader}_*.eml"), key=lambda one: one.stat().st_mtime_ns)
    return email.message_from_bytes(path.read_bytes(), policy=policy.default)  # type: ignore[return-value]


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
