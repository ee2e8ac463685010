"""Text that is no filter: a sentence in the box for interests, a pasted title in a search."""

from __future__ import annotations

import re

from subscriptions.query import tokenizer
from subscriptions.query.lexer import QUOTES
from subscriptions.query.tree import FIELDS, NOTS

SENTENCE = 5
_sign = re.compile(rf"\b(?:AND|OR|NOT)\b|&&|\|\||\*|(?<![^\s(])(?:[{NOTS}=][^\W_]|[{NOTS}]\(|(?:{'|'.join(FIELDS)}):)")
_quote = re.compile(rf"[{QUOTES}]")


def is_prose(text: str) -> bool:
    """Whether a line tells of something in a sentence: many plain words, and no sign of the filter language."""
    is_long = sum(1 for word in text.split() if tokenizer.tokens(word)) >= SENTENCE
    return is_long and not _sign.search(text) and not _quote.search(text)


def plain(text: str) -> str:
    """The words of a text as a query that asks for each; "" for a text that uses the filter language."""
    return "" if _sign.search(text) else " ".join(tokenizer.tokens(text))
