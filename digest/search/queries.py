"""Searching the archive: by a filter's tree, or loosely by the words of a sentence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from digest.models import Paper
from digest.search.index import store
from subscriptions.query import And, Node, Term, tokenizer

MOST_WORDS = 12
# A word that more papers have tells little of what a sentence is about.
COMMON = 3_000
# What counts as similar was measured: docs/decisions/060-archive-index.md.
CANDIDATES, LONG, ALIKE = 20, 5, 0.17


@dataclass(frozen=True, slots=True)
class Found:
    """One page of what was found, as ids in order; of `total` papers the first `reach` can be paged through."""

    papers: list[int]
    total: int
    reach: int


def by_tree(tree: Node, by_date: bool, limit: int, offset: int = 0) -> Found:
    """Exactly the papers a filter matches, newest or best first; hidden papers left out. Raises TooSlowError."""
    page = store().best
    if by_date:
        page = store().newest
    total, reach, papers = page(tree, limit, offset)
    return Found(papers, total, reach)


def loosely(sentence: Sequence[str], limit: int) -> dict[int, float]:
    """Papers that have some of the sentence's words, those with more and rarer ones first, each with its share.

    The share is the weight of the words it has, a title's words counted twice: 2 for all of them in the title.
    """
    asked = list(dict.fromkeys(map(tokenizer.stem, sentence)))[:MOST_WORDS]
    often = dict(zip(asked, store().frequencies(asked, COMMON), strict=True))
    known = sorted((word for word in asked if often[word]), key=often.__getitem__)
    telling = [word for word in known if often[word] < COMMON] or known[:1]
    if not telling:
        return {}
    most = often[telling[-1]]
    weights = {word: math.log(1 + most / often[word]) for word in telling}
    whole = sum(weights.values())
    return {paper: weight / whole for paper, weight in store().loosely(list(weights.items()), limit)}


def like(paper: Paper, limit: int) -> list[int]:
    """The papers most like this one, of those that share words of its title; none that is not like it."""
    near = [pk for pk in loosely(tokenizer.tokens(paper.title), CANDIDATES) if pk != paper.pk]
    rows = Paper.objects.filter(pk__in=near).values_list("pk", "title", "abstract")
    own = _telling(paper.title, paper.abstract)
    alike: list[tuple[float, int]] = []
    for pk, title, abstract in rows:
        words = _telling(title, abstract)
        cosine = len(own & words) / math.sqrt(max(1, len(own) * len(words)))
        if cosine >= ALIKE:
            alike.append((cosine, pk))
    return [pk for _, pk in sorted(alike, reverse=True)[:limit]]


def _telling(title: str, abstract: str) -> set[str]:
    """The longer words: they say what a paper is about in an archive of any size, without counting it."""
    return {tokenizer.stem(word) for word in tokenizer.tokens(f"{title} {abstract}") if len(word) >= LONG}


def plain_words(tree: Node) -> tuple[str, ...]:
    """The words of a query that is nothing but words (a sentence, say); empty for any other."""
    parts = tree.parts if isinstance(tree, And) else (tree,)
    found: list[str] = []
    for part in parts:
        if not isinstance(part, Term) or part.field or part.exact or part.prefix:
            return ()
        found += part.words
    return tuple(found)
