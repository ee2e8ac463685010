"""Plain text for letters and pages: feed text on one line, abstracts cut at a sentence, lines of 72 columns."""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Iterable

from digest.letters import latex
from digest.papers import graphemes

COLUMNS = 72
TITLE_CHARS = 300
NAME_CHARS = 80
ABSTRACT_CHARS = 6_000  # no publisher's abstract is longer; what comes after is not an abstract

# Bidi controls and other invisibles change what a reader believes to read; joiners stay, scripts need them.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0d"
    "\ufeff\uffa0\ufff9-\ufffb\U000e0080-\U000e0fff]"
    # These choose between two looks of a symbol.
    "|(?<![#*0-9\u00a9\u00ae\u2000-\u32ff\U0001f000-\U0001faff])[\ufe0e\ufe0f]"
    # These spell a flag after a black one.
    "|(?<![\U0001f3f4\U000e0020-\U000e007e])[\U000e0000-\U000e007f]+"
)
_UNPRINTABLE = re.compile("[\ud800-\udfff\ue000-\uf8ff\ufdd0-\ufdef\ufffe\uffff\U000f0000-\U0010ffff]")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_MARKS = re.compile(
    r"([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{3})[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+"
)
_SENTENCE_END = re.compile(r"(?<=[.!?。！？])[\"'”’)\]]?(?=\s+[A-Z0-9\"“‘(\[À-ÞΑ-ΩА-Я]|[。！？]|$)|(?<=[。！？])")
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|cf|vs|etc|et al|Fig|Figs|Eq|Eqs|Sec|Ref|Refs|resp|approx|No|Dr|Prof|St|ca|Vol)|\b[A-Z])\.$"
)
_COUNTED = re.compile(r"^\d+\.$")


def one_line(text: object, limit: int) -> str:
    """`text` on one line of at most `limit` characters, printable, in NFC, without controls or bidi tricks."""
    shown = str(text or "")[: limit * 4]
    shown = _CONTROL.sub(" ", _INVISIBLE.sub("", shown))
    shown = unicodedata.normalize("NFC", _UNPRINTABLE.sub("\ufffd", shown))
    return shorten(" ".join(_MARKS.sub(r"\1", shown).split()), limit)


def plain(text: object, limit: int) -> str:
    """One line of readable text: cleaned, with its TeX as Unicode."""
    shown = one_line(text, limit * 2)
    return shorten(one_line(latex.readable(shown), limit * 2), limit)


def plain_list(texts: Iterable[object], limit: int) -> list[str]:
    """Each text as by `plain`; those with nothing to read are left out."""
    lines = [plain(text, limit) for text in texts]
    return [line for line in lines if line]


def shorten(text: str, limit: int) -> str:
    """At most `limit` characters, cut between words where there are words, with an ellipsis."""
    if len(text) <= limit:
        return text
    cut = graphemes.whole(text, limit - 1)
    space = cut.rfind(" ")
    if space > limit * 0.6:
        cut = cut[:space]
    return cut.rstrip(" ,;:.·-–—(") + "…"


def opening(text: str, limit: int) -> str:
    """The first whole sentences of `text` within `limit` characters; one cut sentence where the first is longer."""
    if len(text) <= limit:
        return text
    end = 0
    for found in _SENTENCE_END.finditer(text, 0, limit + 2):
        sentence = text[end : found.end()].lstrip()
        if found.end() <= limit and not _ABBREVIATION.search(sentence) and not _COUNTED.match(sentence):
            end = found.end()
    if end < limit * 0.3:
        return shorten(text, limit)
    return text[:end].rstrip()


def wrapped(text: str, first: str = "", rest: str | None = None) -> str:
    """Lines of at most 72 columns; an address or another long word keeps its line whole."""
    if rest is None:
        rest = first
    return textwrap.fill(
        text,
        COLUMNS,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def listed(names: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def counted(number: int, one: str, many: str) -> str:
    """`1 paper`, `1,200 papers`."""
    if number == 1:
        return f"1 {one}"
    return f"{number:,} {many}"


def rule(text: str, mark: str) -> str:
    """A line of `mark`s as long as the last line of `text`, for headings in plain text."""
    return mark * min(COLUMNS, len(wrapped(text).rpartition("\n")[2]) or 1)


def dent(text: str) -> str:
    """`text` without the indent of its first line: a number goes there."""
    return text.lstrip(" ")
