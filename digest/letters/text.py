"""Words fit to print: feed text on one line without tricks, abstracts cut at a sentence, lines of 72 columns."""

from __future__ import annotations

import re
import textwrap
import unicodedata

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
        if found.end() <= limit and _is_sentence(text[end : found.end()].lstrip()):
            end = found.end()
    return text[:end].rstrip() if end >= limit * 0.3 else shorten(text, limit)


def _is_sentence(text: str) -> bool:
    return not _ABBREVIATION.search(text) and not _COUNTED.match(text)


def wrapped(text: str, first: str = "", rest: str | None = None) -> str:
    """Lines of at most 72 columns; an address or another long word keeps its line whole."""
    return textwrap.fill(
        text,
        COLUMNS,
        initial_indent=first,
        subsequent_indent=first if rest is None else rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def listed(names: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def counted(number: int, one: str, many: str = "") -> str:
    """`1 paper`, `12 papers`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def rule(text: str, mark: str) -> str:
    """A line of `mark`s as long as the last line of `text`, for headings in plain text."""
    return mark * min(COLUMNS, len(wrapped(text).rpartition("\n")[2]) or 1)


def dent(text: str) -> str:
    """`text` without the indent of its first line: a number goes there."""
    return text.lstrip(" ")
