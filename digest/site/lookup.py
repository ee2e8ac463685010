"""A paper asked for by name: an arXiv id, a DOI, or a link to it."""

from __future__ import annotations

import re

from digest.models import Identifier, Paper
from digest.papers import identifiers

_lead = re.compile(r"(?:arxiv|doi)\s*:\s*", re.IGNORECASE)
_link = re.compile(r"https?://|(?:[\w-]+\.)+[a-z]{2,}/", re.IGNORECASE)


def names(text: str) -> list[str]:
    """The names (`Identifier`) that one id or one link stands for; none for any other text."""
    word = text.strip()
    if lead := _lead.match(word):
        word = word[lead.end() :]
    is_link = bool(_link.match(word))
    if len(word.split()) != 1:
        return []
    if number := identifiers.arxiv(word)[0]:
        return [f"arxiv:{number}"]
    if not is_link and not word.startswith("10."):
        return []
    if number := identifiers.arxiv_in(word)[0]:
        return [f"arxiv:{number}"]
    if doi := identifiers.doi(word):
        return [f"doi:{doi}"]
    if not is_link:
        return []
    if "://" not in word:
        word = f"https://{word}"
    try:
        return [f"url:{identifiers.canonical(word)}"]
    except ValueError:
        return []


def paper(asked: list[str], text: str) -> int | None:
    """The paper that goes by one of these names, or whose page is at the link that was typed."""
    row = Identifier.objects.filter(value__in=asked).values_list("paper", "paper__merged_into").first()
    if row is None and "://" in text:
        row = Paper.objects.filter(url=text).values_list("pk", "merged_into").first()
    return row and (row[1] or row[0])
