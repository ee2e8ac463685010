"""Searching the archive: by a filter's tree, or loosely by the words of a sentence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

from digest.archive import postgresql, sqlite
from subscriptions import words
from subscriptions.query import And, Node, Term

MOST_WORDS = 12
# A word that more papers have tells little of what a sentence is about.
COMMON = 3_000


@dataclass(frozen=True, slots=True)
class Found:
    """One page of what was found, as ids in order; of `total` papers the first `reach` can be paged through."""

    papers: list[int]
    total: int
    reach: int


def by_tree(tree: Node, by_date: bool, limit: int, offset: int = 0) -> Found:
    """Exactly the papers a filter matches, newest or best first; hidden papers left out. Raises TooSlowError."""
    store = _store()
    total, reach, papers = (store.newest if by_date else store.best)(tree, limit, offset)
    return Found(papers, total, reach)


def loosely(sentence: Sequence[str], limit: int) -> list[int]:
    """Papers that have some of the sentence's words, those with more and rarer ones first."""
    store = _store()
    asked = list(dict.fromkeys(words.stem(word) for word in sentence))[:MOST_WORDS]
    often = dict(zip(asked, store.frequencies(asked, COMMON), strict=True))
    known = sorted((word for word in asked if often[word]), key=often.__getitem__)
    telling = [word for word in known if often[word] < COMMON] or known[:1]
    if not telling:
        return []
    most = often[telling[-1]]
    return store.loosely([(word, math.log(1 + most / often[word])) for word in telling], limit)


def like(title: str, paper: int, limit: int) -> list[int]:
    """Papers whose words are most like this one's title, without itself."""
    near = loosely(words.tokens(title), limit + 1)
    return [pk for pk in near if pk != paper][:limit]


def plain_words(tree: Node) -> tuple[str, ...]:
    """The words of a query that is nothing but words (a sentence, say); empty for any other."""
    parts = tree.parts if isinstance(tree, And) else (tree,)
    found: list[str] = []
    for part in parts:
        if not isinstance(part, Term) or part.field or part.exact or part.prefix:
            return ()
        found += part.words
    return tuple(found)


def _store() -> sqlite.Store | postgresql.Store:
    return postgresql.Store() if connection.vendor == "postgresql" else sqlite.Store()
