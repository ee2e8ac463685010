"""Texts out of reference managers: braces, TeX and line breaks gone."""

from __future__ import annotations

import unicodedata

from pylatexenc.latex2text import LatexNodes2Text

from subscriptions.query import tokenizer

_latex = LatexNodes2Text(math_mode="verbatim", keep_comments=True)
LONGEST_TEXT = 5_000
MOST_COMMANDS = 30


def plain(title: str) -> str:
    """A title as a person reads it, without TeX. One with very many commands keeps them: reading them is slow."""
    text = title[:LONGEST_TEXT]
    if "\\" in text and text.count("\\") <= MOST_COMMANDS:
        text = _latex.latex_to_text(text)
    return unicodedata.normalize("NFC", squeezed(text.replace("{", "").replace("}", "")))


def squeezed(text: str) -> str:
    """A text on one line, cut where it is absurdly long. TeX stays: `words.tokens` reads it."""
    return " ".join(text[:LONGEST_TEXT].split())


def titled(title: str) -> str:
    """A name for a paper of which only the title is known: `title:` and its words; "" where it has none."""
    name = " ".join(tokenizer.tokens(title))[:290]
    return f"title:{name}" if name else ""
