"""Papers of one day that look like one: the same words in the title, and an author in common. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from subscriptions.query import tokenizer

ALIKE = 0.8  # of the two titles' words
MOST_IN_A_BLOCK = 30


@dataclass(frozen=True, slots=True)
class Looked:
    """What is compared of a paper."""

    id: int
    title: str
    authors: tuple[str, ...]


def suggested(papers: Iterable[Looked]) -> list[tuple[int, int]]:
    """Pairs of ids, the smaller first. Only papers that share a long word of the title are compared."""
    blocks: defaultdict[str, list[tuple[Looked, frozenset[str]]]] = defaultdict(list)
    for paper in papers:
        words = frozenset(tokenizer.tokens(paper.title))
        longest = sorted(words, key=lambda word: (-len(word), word))[:3]
        for word in longest:
            blocks[word].append((paper, words))
    pairs: set[tuple[int, int]] = set()
    for block in blocks.values():
        if len(block) > MOST_IN_A_BLOCK:
            continue
        for (one, first), (two, second) in combinations(block, 2):
            if one.id == two.id or likeness(first, second) < ALIKE:
                continue
            if share_author(one.authors, two.authors):
                pairs.add((min(one.id, two.id), max(one.id, two.id)))
    return sorted(pairs)


def likeness(one: frozenset[str], two: frozenset[str]) -> float:
    """Words in common, of all words of both: 0 to 1."""
    union = one | two
    if not union:
        return 0.0
    return len(one & two) / len(union)


def share_author(one: Sequence[str], two: Sequence[str]) -> bool:
    """By last names; a paper without authors may be anybody's."""
    first = last_names(one)
    second = last_names(two)
    return not first or not second or bool(first & second)


def last_names(authors: Sequence[str]) -> set[str]:
    """The last word of each name, without accents and in lower case."""
    return {tokenizer.fold(name.split()[-1]) for name in authors if name.split()}
