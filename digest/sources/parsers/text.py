"""Publishers' strings made plain: one line, NFC, no control characters, markup only where it was declared."""

from __future__ import annotations

import html
import re
import unicodedata
from urllib.parse import urlsplit

TITLE, ABSTRACT, NAME, SHORT, URL = 1_000, 20_000, 200, 500, 1_000  # characters kept
AUTHORS = 5_000  # a collaboration's list of authors has passed 3,000

# Tags that publishers of feeds really write. Anything else between angle brackets is the author's own
# word (`<think>`, `a<b`) and stays.
_TAGS = (
    "a abbr article b bdi bdo big blockquote br caption center cite code col dd del dfn div dl dt em embed figcaption "
    "figure font footer form h1 h2 h3 h4 h5 h6 header hr i iframe img input ins kbd label li link main mark math meta "
    "mi mn mo mrow msub msup msubsup mtext nav object ol option p pre q s samp script section select small span strike "
    "strong style sub sup svg table tbody td textarea tfoot th thead time title tr tt u ul var video wbr jats:[a-z-]+ "
    "mml:[a-z-]+ o:p"
)
_TAG = re.compile(r"</?(?:" + _TAGS.replace(" ", "|") + r")(?:\s+[\w:-]+\s*=[^<>]*|\s*/?\s*)>", re.IGNORECASE)
_UNSEEN = re.compile(r"<(script|style)\b[^<>]*>[^<]*(?:<(?!/\1\s*>)[^<]*)*(?:</\1\s*>|$)", re.IGNORECASE)
_SPACE = re.compile(r"\s+")
_DROP = {"Cc", "Cs", "Cn", "Co"}
_BIDI = dict.fromkeys(map(ord, "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff\u200e\u200f"))


def plain(text: object, limit: int = ABSTRACT) -> str:
    """One line of NFC text without control characters, direction overrides or halves of characters."""
    if not isinstance(text, str) or not text:
        return ""
    line = _SPACE.sub(" ", text[: limit * 4]).translate(_BIDI)
    if not line.isascii() or not line.isprintable():
        line = "".join(c for c in line if unicodedata.category(c) not in _DROP)
        line = _SPACE.sub(" ", unicodedata.normalize("NFC", line))  # what was dropped may have parted two spaces
    line = line.strip()
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def unmarked(text: object, limit: int = ABSTRACT) -> str:
    """The words of a text that its publisher declared to be HTML."""
    if not isinstance(text, str):
        return ""
    words = text[: limit * 8]
    if "<" in words:
        words = _TAG.sub(_gap, _UNSEEN.sub(" ", words))
    return plain(html.unescape(words), limit)


def _gap(tag: re.Match[str]) -> str:
    """Tags inside a word (H<sub>2</sub>O) leave no gap; the others part words."""
    return (
        "" if re.match(r"</?(?:sub|sup|i|b|em|strong|span|a|u|font|small|tt|code|mml:|jats:su)", tag[0], re.I) else " "
    )


def untagged(text: object, limit: int = TITLE) -> str:
    """A title without markup, whatever type it claims; escaped tags are taken off too."""
    words = unmarked(text, limit)
    return unmarked(words, limit) if "<" in words or "&" in words else words


def link(text: object) -> str:
    """A web address, or nothing: other schemes never get in."""
    address = plain(text, URL).replace(" ", "%20")
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    return address if parts.scheme in {"http", "https"} and parts.hostname and "…" not in address else ""


def number(value: object) -> int | None:
    """A count as publishers write it (they do use strings), else nothing."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    if isinstance(value, str):
        value = int(value) if value.isascii() and value.isdigit() and len(value) < 10 else -1
    return value if 0 <= value < 2**31 else None
