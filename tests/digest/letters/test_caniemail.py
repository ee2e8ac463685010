"""What the letter's HTML and CSS use is known to the big mail programs, or has a fallback (caniemail's tables)."""

from __future__ import annotations

import re
from pathlib import Path

from digest.letters import cards
from tests.digest.letters import checks, golden

PROGRAMS = frozenset("gmail outlook apple-mail yahoo aol thunderbird samsung-email protonmail fastmail".split())  # noqa: SIM905
OTHERS = frozenset(
    "sfr orange hey mail-ru laposte gmx web-de ionos-1and1 t-online-de free-fr wp-pl rainloop".split()  # noqa: SIM905
)
# What some program lacks, and what happens there.
FALLBACKS = {
    "css-max-width": "Outlook on Windows gets a table of 600 pixels of its own",
    "css-height": "the rule keeps the height of its line",
    "css-word-break": "a long address runs on",
    "css-text-decoration": "links keep their underline",
    "html-semantics": "main becomes a plain block",
    "html-body": "the first table carries the ground's colour",
    "html-style": "small screens keep the wide margins, the dark keeps the light",
    "html-doctype": "every size is given in the elements",
}
SHORT = {"border-top": "border", "border-left": "border", "font-family": "font", "font-size": "font"}
SIDES = re.compile(r"(margin|padding)-(left|right|top|bottom)$")
ELEMENTS = {"h1": "html-h1-h6", "h2": "html-h1-h6", "main": "html-semantics", "table": "html-table", "p": "html-p"}
# `color` has no page of its own there; the others are for one program, and nothing to the rest.
OWN = frozenset("color -webkit-text-size-adjust -ms-text-size-adjust mso-table-lspace mso-table-rspace".split())  # noqa: SIM905


def lacking(page: Path) -> set[str]:
    """The big programs that do not know a feature, by their newest results."""
    newest: dict[tuple[str, str], str] = {}
    family = platform = ""
    for line in page.read_text().partition("stats:")[2].splitlines():
        if named := re.match(r'\s*"?([\w.-]+)"?\s*:\s*\{', line):
            name = named.group(1)
            family, platform = (name, "") if name in PROGRAMS | OTHERS else (family, name)
        for result in re.findall(r'"[\w. -]+"\s*:\s*"([^"]+)"', line):
            newest[family, platform] = result
    return {family for (family, _), result in newest.items() if result.startswith("n")} & PROGRAMS


def features() -> set[str]:
    """The caniemail pages of all properties and elements in use."""
    used = set()
    for name in re.findall(r"[{;]\s*([a-z-]+)\s*:", cards.stylesheet()):
        if name not in OWN:
            used.add("css-" + SHORT.get(name, SIDES.sub(r"\1", name)))
    page = checks.Elements(golden.letters()[0].html)
    return used | {ELEMENTS[tag] for tag in page.tags if tag in ELEMENTS} | {"html-style", "html-body", "html-doctype"}


def test_nothing_is_used_that_a_big_program_lacks_without_a_fallback(captured: Path):
    folder = captured / "mail" / "caniemail_features"
    used = features()
    assert {"css-padding", "css-max-width", "html-table"} <= used
    for name in sorted(used):
        assert (folder / f"{name}.md").exists(), name
        assert not lacking(folder / f"{name}.md") or name in FALLBACKS, (name, lacking(folder / f"{name}.md"))
