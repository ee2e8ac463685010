"""What the search page, the topic pages and their feeds show: papers from the archive, a page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from digest import archive
from digest.archive.search import plain_words
from digest.models import Paper
from digest.site.listing import Listed, listed
from digest.site.reading import public_papers
from subscriptions.query import Node

PAGE = 20


@dataclass(frozen=True, slots=True)
class Results:
    """One page of papers. `is_loose`: no paper has all the words, so these have some of them."""

    papers: list[Listed]
    total: int
    page: int
    pages: int
    first: int
    is_loose: bool = False


def results(tree: Node, by_date: bool, page: int) -> Results:
    """What a filter finds; for a sentence that no paper holds whole, what is nearest."""
    found = archive.by_tree(tree, by_date, PAGE, (page - 1) * PAGE)
    sentence = plain_words(tree)
    if not found.total and len(sentence) > 1:
        near = listed_in_order(archive.loosely(sentence, PAGE))
        return Results(near, len(near), 1, 1, 1, is_loose=bool(near))
    pages = max(1, -(-found.reach // PAGE))
    papers = listed_in_order(found.papers)
    return Results(papers, found.total, page, pages, (page - 1) * PAGE + 1)


def rows_in_order(papers: Sequence[int]) -> list[Paper]:
    """The papers of these ids, in their order; one that is no longer public is left out."""
    rows = {row.pk: row for row in public_papers().filter(pk__in=papers)}
    return [rows[pk] for pk in papers if pk in rows]


def listed_in_order(papers: Sequence[int]) -> list[Listed]:
    return [listed(row) for row in rows_in_order(papers)]
