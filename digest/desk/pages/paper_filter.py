"""Which of a day's papers a curator looks at: what was asked for, the list it makes, and one's place in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

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
    def of(cls, form: QueryDict) -> Asked:
        return cls(form.get("q", ""), form.get("show", "all"), form.get("order", "place"), form.get("page", "1"))

    def address(self, page: int | str) -> str:
        """The query of this list's page `page`; empty where nothing is asked for."""
        form = QueryDict(mutable=True)
        for name, default in asdict(Asked()).items():
            value = str(page) if name == "page" else getattr(self, name)
            if value != default:
                form[name] = value
        if not form:
            return ""
        return f"?{form.urlencode()}"


@dataclass(frozen=True)
class PaperFilter:
    """The day's papers (`entries`), those asked for (`shown`), and the page of them that is looked at (`part`).

    `matching` are the ids of the papers that the filter's words find, None where there are no words.
    """

    asked: Asked
    entries: list[EditionPaper]
    shown: list[EditionPaper]
    part: Page[EditionPaper]
    reached: dict[int, Reach]
    matching: set[int] | None
    problem: str

    def page_of(self, entry: int) -> int | None:
        """The page on which an entry stands; None if it is not among those asked for."""
        for place, row in enumerate(self.shown):
            if row.pk == entry:
                return place // A_PAGE + 1
        return None

    def again(self, edition: Edition) -> PaperFilter:
        """The same list after an act: where the papers stand now; what was counted and matched is as it was."""
        return paper_filter(edition, self.asked, self.reached, self.matching, self.problem)


def filtered(edition: Edition, asked: Asked) -> PaperFilter:
    """The papers of the edition that are asked for."""
    matching: set[int] | None = None
    problem = ""
    if asked.q.strip():
        try:
            matching = papers_found(asked.q, edition)
        except query.QueryError as error:
            problem = f"{error.message} (column {error.column})"
    return paper_filter(edition, asked, audience.of(edition), matching, problem)


def papers_found(text: str, edition: Edition) -> set[int]:
    """The ids of the edition's papers that a filter finds. Raises QueryError."""
    index = PaperIndex.build(papers_announced(Paper.objects.filter(placements__edition=edition)))
    hits = index.hits(query.canonical(text))
    return {index.papers[place].id for place in hits.places.tolist()}


def paper_filter(
    edition: Edition, asked: Asked, reached: dict[int, Reach], matching: set[int] | None, problem: str
) -> PaperFilter:
    entries = list(entries_of(edition))
    shown = [entry for entry in entries if matching is None or entry.paper_id in matching]
    if asked.show in VIEWS:
        shown = [entry for entry in shown if is_in_view(entry, asked.show, reached.get(entry.paper_id))]
    shown = ordered(shown, asked.order, reached)
    part = Paginator(shown, A_PAGE).get_page(asked.page)
    return PaperFilter(asked, entries, shown, part, reached, matching, problem)


def entries_of(edition: Edition) -> QuerySet[EditionPaper]:
    """The day's papers without their abstracts: a page shows fifty of them, a day may have thousands."""
    fields = [field.name for field in EditionPaper._meta.concrete_fields]
    for name in ("title", "authors", "url", "primary_category", "upvotes"):
        fields.append(f"paper__{name}")
    return edition.entries.select_related("paper").order_by("-is_pinned", "position", "id").only(*fields)


def is_in_view(entry: EditionPaper, view: str, reach: Reach | None) -> bool:
    """Whether one of VIEWS shows the entry; `reach` is None while it is not counted."""
    match view:
        case "open":
            return not entry.is_pinned and not entry.is_hidden
        case "pinned":
            return entry.is_pinned
        case "hidden":
            return entry.is_hidden
        case "unread":  # found by no reader; a pin goes to everybody
            return reach is not None and not reach.readers and not entry.is_pinned
    return True


def ordered(entries: list[EditionPaper], order: str, reached: Mapping[int, Reach]) -> list[EditionPaper]:
    """Pins first in their own order, in any order; what is not counted or has no votes comes last."""
    if order not in {"reach", "votes"}:
        return entries

    def value(entry: EditionPaper) -> int:
        if order == "reach":
            return reached.get(entry.paper_id, Reach(-1)).readers
        if entry.paper.upvotes is None:
            return -1
        return entry.paper.upvotes

    pins = [entry for entry in entries if entry.is_pinned]
    others = [entry for entry in entries if not entry.is_pinned]
    return pins + sorted(others, key=value, reverse=True)


def next_stand(before: Sequence[int], after: Sequence[int], entry: int, page: Sequence[int]) -> int | None:
    """Where a curator stands after an act on `entry`: at it, if it stands where it stood; else at the next one.

    `before` and `after` are the list by id, and `page` the part of `after` that is looked at. The next one is the
    first that came behind it and is on the page; at the end of a page, the last that came before it. Pure.
    """
    if entry not in before:
        return page[0] if page else None
    if entry in page and follower(before, entry) == follower(after, entry):
        return entry
    place = before.index(entry)
    for one in (*before[place + 1 :], *reversed(before[:place])):
        if one in page and one != entry:
            return one
    return entry if entry in page else None


def follower(rows: Sequence[int], entry: int) -> int | None:
    """The one behind `entry`; None at the end."""
    place = rows.index(entry) + 1
    if place == len(rows):
        return None
    return rows[place]
