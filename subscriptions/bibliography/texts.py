"""Texts out of reference managers: braces, TeX and line breaks gone."""

from __future__ import annotations

import unicodedata

from pylatexenc.latex2text import LatexNodes2Text

from subscriptions.query import tokenizer

_latex = LatexNodes2Text(math_mode="verbatim", keep_comments=True)
LONGEST_TEXT = 5_000
# Reading TeX takes a millisecond for a title so long; a list may have thousands.
LONGEST_TEX, MOST_COMMANDS = 300, 12


def plain(title: str) -> str:
    """A title as a person reads it, without TeX. A very long one, or one of very many commands, keeps its TeX."""
    text = title[:LONGEST_TEXT]
    if "\\" in text and len(text) <= LONGEST_TEX and text.count("\\") <= MOST_COMMANDS:
        text = _latex.latex_to_text(text)
    return unicodedata.normalize("NFC", squeezed(text.replace("{", "").replace("}", "")))


def squeezed(text: str) -> str:
    """A text on one line, cut where it is absurdly long. TeX stays: `words.tokens` reads it."""
    return " ".join(text[:LONGEST_TEXT].split())


def titled(title: str) -> str:
    """A name for a paper of which only the title is known: `title:` and its words; "" where it has none."""
    name = " ".join(tokenizer.tokens(title))[:290]
    return f"title:{name}" if name else ""
