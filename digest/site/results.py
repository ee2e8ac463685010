"""What the search page, the topic pages and their feeds show: papers from the archive, a page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from digest import search as archive_search
from digest.models import Paper
from digest.search.queries import plain_words
from digest.site import lookup
from digest.site.load import public_papers, sources_of
from digest.site.paper_rows import Listed, listed
from subscriptions.query import Node, ProseError, Term, format, parse, plain
from subscriptions.query.names import asked as asked_name

PAGE = 20
NEAREST = 100
FAR = 0.5  # of the nearest paper's share: with less, a paper is not near
LONGEST_NAME = 5

PLAIN = "Searched as plain words, because this is no filter."
UNNAMED = "No paper here goes by this id or link."
AUTHOR = "No title or abstract has these words. These papers are by an author of that name."
NEAR = "No paper has all of these words. These have some of them, {}."


@dataclass(frozen=True, slots=True)
class Results:
    """One page of papers. `filter` is what finds the same by mail or as a feed, if there is such a filter."""

    papers: list[Listed]
    total: int
    page: int
    pages: int
    first: int
    filter: str = ""
    notes: tuple[str, ...] = ()


def search(q: str, by_date: bool, page: int) -> Results:
    """What a visitor finds: a paper by its name, what a filter matches, or what is nearest to plain words.

    Raises QueryError and TooSlowError.
    """
    if names := lookup.names(q):
        papers = listed_in_order(_named(names, q))
        if not papers:
            return Results(papers, 0, 1, 1, 1, notes=(UNNAMED,))
        return Results(papers, len(papers), 1, 1, 1)
    asked, notes = _read(q)
    tree = parse(asked)
    found = replace(matching(tree, by_date, page), filter=asked)
    sentence = plain_words(tree)
    if not found.total and sentence:
        found = _by_author(asked, sentence, by_date, page) or _near(sentence, by_date, page) or found
    return replace(found, notes=notes + found.notes)


def newest(q: str, most: int) -> list[Paper]:
    """What a feed of the same words holds, newest first. Raises QueryError and TooSlowError.

    Papers that are only near are left out: who follows rare words waits for a paper that has them.
    """
    if names := lookup.names(q):
        return rows_in_order(_named(names, q))
    asked, _ = _read(q)
    tree = parse(asked)
    found = archive_search.by_tree(tree, True, most).papers
    author = _author(asked, plain_words(tree))
    if author and not found:
        found = archive_search.by_tree(author, True, most).papers
    return rows_in_order(found)


def _named(names: list[str], q: str) -> list[int]:
    """The id of the paper that goes by one of these names, if there is one."""
    paper = lookup.paper(names, q)
    if paper is None:
        return []
    return [paper]


def _read(q: str) -> tuple[str, tuple[str, ...]]:
    """The filter to ask for, and what to say of it: prose with a colon or a dash is asked as its words."""
    try:
        parse(q)
    except ProseError:
        if asked := plain(q):
            return asked, (PLAIN,)
        raise
    return q, ()


def matching(tree: Node, by_date: bool, page: int) -> Results:
    """Exactly what a filter finds; past the last page, the last."""
    found = archive_search.by_tree(tree, by_date, PAGE, (page - 1) * PAGE)
    pages = max(1, -(-found.reach // PAGE))
    if page > pages:
        return matching(tree, by_date, pages)
    return Results(listed_in_order(found.papers), found.total, page, pages, (page - 1) * PAGE + 1)


def _by_author(asked: str, sentence: Sequence[str], by_date: bool, page: int) -> Results | None:
    tree = _author(asked, sentence)
    if tree is None:
        return None
    found = matching(tree, by_date, page)
    if not found.total:
        return None
    return replace(found, filter=format(tree), notes=(AUTHOR,))


def _author(asked: str, sentence: Sequence[str]) -> Term | None:
    """Plain words as an author's name, where they may be one."""
    if not 0 < len(sentence) <= LONGEST_NAME:
        return None
    name = asked_name(asked)
    if not name:
        return None
    return Term(name, "author")


def _near(sentence: Sequence[str], by_date: bool, page: int) -> Results | None:
    """The papers that have most of a sentence's words."""
    if len(sentence) < 2:
        return None
    shares = archive_search.loosely(sentence, NEAREST)
    if not shares:
        return None
    least = FAR * max(shares.values())
    near = [paper for paper, share in shares.items() if share >= least]
    order = "likeliest first"
    if by_date:
        dated = []
        rows = Paper.objects.filter(pk__in=near).values_list("published_on", "first_seen_at", "pk")
        for published_on, seen_at, pk in rows:
            dated.append((published_on or seen_at.date(), pk))
        near = [pk for _, pk in sorted(dated, reverse=True)]
        order = "newest first"
    pages = -(-len(near) // PAGE)
    page = min(page, pages)
    start = (page - 1) * PAGE
    papers = listed_in_order(near[start : start + PAGE])
    return Results(papers, len(near), page, pages, start + 1, notes=(NEAR.format(order),))


def rows_in_order(papers: Sequence[int]) -> list[Paper]:
    """The papers of these ids, in their order; one that is no longer public is left out."""
    rows = public_papers().in_bulk(papers)
    return [rows[pk] for pk in papers if pk in rows]


def listed_in_order(papers: Sequence[int]) -> list[Listed]:
    rows = rows_in_order(papers)
    sources = sources_of([row.pk for row in rows])
    return [listed(row, sources.get(row.pk, ())) for row in rows]
