"""Reads a folder of changed letter templates critically: `python -m digest.letters.proof FOLDER` prints problems.

Runs as a child with little processor time and memory, since a template may loop for ever. The rules are those of
every letter: each paper linked in both parts, a way out, no script, no form, no picture, under the size limit.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # Django is set up with the folder's templates first, and its rooms are read after that
    from digest.letters.compose import LetterInput, RenderedLetter

CPU_SECONDS = 2
MEMORY = 1 << 30
FORBIDDEN = frozenset("script iframe form input button img video audio object embed link base svg math".split())  # noqa: SIM905
NOTICES = {
    "confirm": ("confirm_url", "block_url"),
    "link": ("preferences_url", "account_url"),
    "address": ("address_url",),
    "moved": ("subscribe_url",),
    "goodbye": ("return_url",),
    "quiet": ("preferences_url", "unsubscribe_url"),
}
URLS = (
    "confirm_url preferences_url account_url address_url block_url return_url unsubscribe_url subscribe_url".split()  # noqa: SIM905
)


class _Page(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.troubles: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in FORBIDDEN:
            self.troubles.add(f"<{tag}> has no place in a letter")
        for name, value in attrs:
            if name.startswith("on"):
                self.troubles.add(f"the attribute {name} has no place in a letter")
            if name == "href":
                self.links.add(value or "")
        self.troubles |= {
            f"a link must be http or https, not {link[:40]!r}"
            for link in self.links
            if not link.startswith(("https://", "http://"))
        }


def problems() -> Iterator[str]:
    """What is wrong with the letters as the templates print them now. Django must have been set up."""
    from digest.letters import golden

    for order, letter in zip(golden.orders(), golden.letters(), strict=True):
        yield from _letter(order, letter)
    yield from _cards()
    yield from _notices()


def _letter(order: LetterInput, letter: RenderedLetter) -> Iterator[str]:
    from digest.letters import size_limit

    page = _Page(letter.html)
    yield from sorted(page.troubles)
    if len(letter.html.encode()) > size_limit.HTML_BYTES:
        yield f"the HTML has {len(letter.html.encode()):,} bytes; {size_limit.HTML_BYTES:,} are allowed"
    if "\n" in letter.subject or not letter.subject:
        yield "the subject must be one line"
    for name in ("unsubscribe", "preferences"):
        address = getattr(order.doors, name)
        if address not in page.links or address not in letter.text:
            yield f"the {name} link is missing in one of the parts"
    for pick in order.picks:
        url = pick.card.url
        if pick.card.paper in letter.papers and (url not in page.links or url not in letter.text):
            yield f"paper {pick.card.paper} is not linked in both parts"


def _cards() -> Iterator[str]:
    """Every golden paper at every size, and whether cards can be put together from parts."""
    from digest.letters import cards, golden, mime

    for one in golden.papers():
        for level in cards.LEVELS:
            mime.card(cards.printed(one, level, True))
            if cards.spoiled(one, level):
                yield f"email/card.* cannot print paper {one.paper} at the size {level!r}"


def _notices() -> Iterator[str]:
    from django.template import engines

    urls = {name: f"https://golden.example/{name}/" for name in URLS}
    context: dict[str, Any] = {**urls, "subscriber": None, "now": None, "words": "No papers.", "asked": ["Speech"]}
    context["when"] = "Every day at 07:00, UTC time"
    for name, wanted in NOTICES.items():
        parts = [
            str(engines[engine].get_template(f"email/{name}.{part}").render(context))
            for engine, part in (("letter_html", "html"), ("letter_text", "txt"), ("letter_text", "subject.txt"))
        ]
        yield from sorted(_Page(parts[0]).troubles)
        for address in wanted:
            if urls[address] not in parts[0] or urls[address] not in parts[1]:
                yield f"{address} is missing in one part of email/{name}"
        if len(parts[2].strip().splitlines()) != 1:
            yield f"email/{name}.subject.txt must be one line"


def main(folder: Path) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django
    from django.conf import settings

    for engine in settings.TEMPLATES:
        if str(engine["NAME"]).startswith("letter_"):
            engine["DIRS"] = [folder, *engine["DIRS"][1:]]  # type: ignore[index]
    django.setup()
    used = int(sum(resource.getrusage(resource.RUSAGE_SELF)[:2]))
    resource.setrlimit(resource.RLIMIT_CPU, (used + CPU_SECONDS + 1, used + CPU_SECONDS + 2))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    try:
        found = sorted(set(problems()))
    except Exception as error:
        found = [f"{type(error).__name__}: {error}"]
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
