"""Which of a day's papers a curator looks at: what was asked for, the list it makes, and one's place in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import QueryDict

from digest.desk.pages import audience
from digest.desk.pages.audience import Reach
from digest.matching import PaperIndex
from digest.matching.load import papers_announced
from digest.models import Edition, EditionPaper, Paper
from subscriptions import query

A_PAGE = 50
VIEWS = {"all": "All", "open": "Undecided", "pinned": "Pinned", "hidden": "Hidden", "unread": "Nobody's"}
ORDERS = {"place": "As they came", "reach": "Most readers first", "votes": "Most votes first"}


@dataclass(frozen=True)
class Asked:
    """The part of the list that an address asks for."""

    q: str = ""
    show: str = "all"
    order: str = "place"
    page: str = "1"

    @classmethod
    def of(cls, said: QueryDict) -> Asked:
        return cls(said.get("q", ""), said.get("show", "all"), said.get("order", "place"), said.get("page", "1"))

    def address(self, page: int | str) -> str:
        """The query of this list's page `page`; empty where nothing is asked for."""
        said = QueryDict(mutable=True)
        values = replace(self, page=str(page))
        for name, plain in vars(Asked()).items():
            if getattr(values, name) != plain:
                said[name] = getattr(values, name)
        return f"?{said.urlencode()}" if said else ""


@dataclass(frozen=True)
class PaperFilter:
    """The day's papers (`entries`), those asked for (`shown`), and the page of them that is looked at."""

    asked: Asked
    entries: list[EditionPaper]
    shown: list[EditionPaper]
    part: Page[EditionPaper]
    reached: dict[int, Reach]
    matching: set[int] | None
    problem: str

    def page_of(self, entry: int) -> int | None:
        """The page on which an entry stands; None if it is not among those asked for."""
        at = next((n for n, row in enumerate(self.shown) if row.pk == entry), None)
        return None if at is None else at // A_PAGE + 1

    def again(self, edition: Edition) -> PaperFilter:
        """The same list after an act: where the papers stand now; what was counted and matched is as it was."""
        return _sieve(edition, self.asked, self.reached, self.matching, self.problem)


def filtered(edition: Edition, asked: Asked) -> PaperFilter:
    return _sieve(edition, asked, audience.of(edition), *_matching(asked.q, edition))


def _sieve(
    edition: Edition, asked: Asked, reached: dict[int, Reach], matching: set[int] | None, problem: str
) -> PaperFilter:
    entries = list(_entries(edition))
    shown = _ordered(_shown(entries, asked.show, matching, reached), asked.order, reached)
    return PaperFilter(asked, entries, shown, Paginator(shown, A_PAGE).get_page(asked.page), reached, matching, problem)


def beside(before: Sequence[int], after: Sequence[int], entry: int, page: Sequence[int]) -> int | None:
    """Where a curator stands after an act on `entry`: at it, if it stands where it stood; else at the next one.

    `before` and `after` are the list by id, and `page` the part of `after` that is looked at. The next one is the
    first that came behind it and is on the page; at the end of a page, the last that came before it. Pure.
    """
    if entry not in before:
        return page[0] if page else None
    if entry in page and _neighbour(before, entry) == _neighbour(after, entry):
        return entry
    at, here = before.index(entry), set(page) - {entry}
    behind, ahead = before[at + 1 :], reversed(before[:at])
    return next((one for one in (*behind, *ahead) if one in here), entry if entry in page else None)


def _neighbour(rows: Sequence[int], entry: int) -> int | None:
    at = rows.index(entry)
    return rows[at + 1] if at + 1 < len(rows) else None


def _entries(edition: Edition) -> QuerySet[EditionPaper]:
    """The day's papers without their abstracts: a page shows fifty of them, a day may have thousands."""
    rows = edition.entries.select_related("paper").order_by("-is_pinned", "position", "id")
    shown = ("title", "authors", "url", "primary_category", "upvotes")
    return rows.only(*(f.name for f in EditionPaper._meta.concrete_fields), *(f"paper__{name}" for name in shown))


def _matching(text: str, edition: Edition) -> tuple[set[int] | None, str]:
    """The ids of the papers a filter finds, or what is wrong with it."""
    if not text.strip():
        return None, ""
    day = PaperIndex.build(papers_announced(Paper.objects.filter(placements__edition=edition)))
    try:
        hits = day.hits(query.canonical(text))
    except query.QueryError as error:
        return None, f"{error.message} (column {error.column})"
    return {day.papers[place].id for place in hits.places.tolist()}, ""


def _shown(
    entries: list[EditionPaper], show: str, wanted: set[int] | None, reached: Mapping[int, Reach]
) -> list[EditionPaper]:
    keep = {
        "open": lambda entry: not entry.is_pinned and not entry.is_hidden,
        "pinned": lambda entry: entry.is_pinned,
        "hidden": lambda entry: entry.is_hidden,
        "unread": lambda entry: _is_nobodys(entry, reached.get(entry.paper_id)),
    }.get(show, lambda entry: True)
    return [entry for entry in entries if keep(entry) and (wanted is None or entry.paper_id in wanted)]


def _ordered(entries: list[EditionPaper], order: str, reached: Mapping[int, Reach]) -> list[EditionPaper]:
    """Pins first in their own order, in any order; what is not counted or has no votes comes last."""
    value: Callable[[EditionPaper], int] | None = {
        "reach": lambda entry: reached.get(entry.paper_id, Reach(-1)).readers,
        "votes": lambda entry: -1 if entry.paper.upvotes is None else entry.paper.upvotes,
    }.get(order)
    if value is None:
        return entries
    pins, others = [one for one in entries if one.is_pinned], [one for one in entries if not one.is_pinned]
    return pins + sorted(others, key=value, reverse=True)


def _is_nobodys(entry: EditionPaper, counted: Reach | None) -> bool:
    """Counted, and found by no reader; a pin goes to everybody."""
    return counted is not None and not counted.readers and not entry.is_pinned
