"""Publishers' strings made plain: one line, NFC, no control characters, markup only where it was declared."""

from __future__ import annotations

import html
import re
import unicodedata
from urllib.parse import urlsplit

from digest.papers import graphemes
from digest.sources.parsers import markup

TITLE, ABSTRACT, NAME, SHORT, URL = 1_000, 20_000, 200, 500, 1_000  # characters kept
AUTHORS = 5_000  # a collaboration's list of authors has passed 3,000

_SPACE = re.compile(r"\s+")
_PLANES = "".join(chr(plane << 16 | last) for plane in range(1, 17) for last in (0xFFFE, 0xFFFF))
# Controls, halves of characters, private use and noncharacters. What this Python's tables do not know yet stays: it
# may be a letter or an emoji of a newer Unicode.
_NO_CHARACTER = re.compile(
    "[\x00-\x1f\x7f-\x9f\ud800-\udfff\ue000-\uf8ff\ufdd0-\ufdef\ufffe\uffff\U000f0000-\U0010ffff" + _PLANES + "]"
)
# Direction marks and overrides (Unicode Standard Annex 9), soft hyphens, word joiners, byte order marks.
_UNSEEN = dict.fromkeys(
    map(ord, "\u00ad\u061c\u180e\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff")
) | dict.fromkeys(range(0x206A, 0x2070))
# A space of no width parts words in the scripts of South-East Asia only. Tags spell flags after a black flag only.
_NO_WIDTH = re.compile(
    "\u200b(?![\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff])|(?<![\U0001f3f4\U000e0020-\U000e007e])[\U000e0000-\U000e007f]+"
)
_ENTITY = re.compile(r"&(?:#\d{2,7}|#[xX][0-9a-fA-F]{2,6}|[A-Za-z]{2,12}\d{0,2});")
_BREAK = re.compile(r"[ \t]*[\r\n]+\s*")
_STARTS_ANEW = re.compile(r"https?://|[(\[]|.*\s", re.IGNORECASE)
_HOST = re.compile(r"(?:www\.|github\.com/|gitlab\.com/|huggingface\.co/)", re.IGNORECASE)


def plain(text: object, limit: int = ABSTRACT) -> str:
    """One line of NFC text without control characters, direction overrides or halves of characters."""
    if not isinstance(text, str) or not text:
        return ""
    line = _SPACE.sub(" ", text[: limit * 4]).translate(_UNSEEN)
    if not line.isascii() or not line.isprintable():
        line = _NO_WIDTH.sub("", _NO_CHARACTER.sub("", line))
        line = _SPACE.sub(" ", unicodedata.normalize("NFC", line))  # what was dropped may have parted two spaces
    line = line.strip()
    return line if len(line) <= limit else graphemes.whole(line, limit - 1).rstrip() + "…"


def readable(text: object, limit: int = ABSTRACT) -> str:
    """Plain text of a publisher that should have written no entities: `&nbsp;` and `&#8217;` are characters."""
    words = plain(text, limit)
    return plain(_ENTITY.sub(_character, words), limit) if "&" in words else words


def unmarked(text: object, limit: int = ABSTRACT) -> str:
    """The words of a text that its publisher declared to be HTML. Text escaped twice is read twice."""
    if not isinstance(text, str):
        return ""
    words = markup.taken_off(markup.as_meant(text[: limit * 8]))
    return readable(html.unescape(words), limit)


def untagged(text: object, limit: int = TITLE) -> str:
    """A title without markup, whatever type it claims; escaped tags are taken off too."""
    words = unmarked(text, limit)
    return unmarked(words, limit) if "<" in words or "&" in words else words


def _character(entity: re.Match[str]) -> str:
    return html.unescape(entity[0])


def link(text: object) -> str:
    """A web address, or nothing: other schemes never get in. Line breaks inside an address are none of it."""
    if not isinstance(text, str):
        return ""
    first, *more = _BREAK.split(text.strip()[: URL * 4])
    if not any(_STARTS_ANEW.match(piece) for piece in more):
        first += "".join(more)
    address = plain(first, URL).replace(" ", "%20").replace("&amp;", "&")
    address = f"https://{address}" if _HOST.match(address) else address
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
