"""The kinds of source: one record a kind. Nothing else in the product names a kind.

A new kind is one parser module beside this file and one record here: see docs/howto-source-kind.md.
This module loads neither Django nor a parser: the child process that reads an answer imports it first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum
from importlib import import_module
from typing import Protocol, cast

from digest.papers.entry import Authority, Batch


class Parser(Protocol):
    """A parser module: it reads the bytes of one answer. It has no clock, no files and no network."""

    def read(self, body: bytes, asked: date, address: str = "") -> Batch:
        """`asked` is the day that was asked for, `address` where the bytes came from.

        Raises FormatError or CutShortError.
        """


class Calendar(Enum):
    """When a publisher's day is whole, and which working days are free."""

    UTC = "a day ends at midnight UTC; no holidays"
    ARXIV = "a day is out at 00:20 US Eastern; arXiv's holidays"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What the product knows of one kind of source."""

    slug: str  # at most 12 characters: the column's width
    label: str  # for curators
    module: str  # the parser's module in this folder

    # How an answer is recognised, where a curator gives an address or bytes.
    addresses: tuple[str, ...] = ()  # what an address of this kind starts with, without scheme and www.
    sign: bytes = b""  # bytes that every answer has; empty: any answer is tried
    is_json: bool = False
    sample_suffix: str = ""  # of this kind's files in sample_feeds/
    file_slug: str = "{kind}"  # the source that a file belongs to: {kind}, {scope} (the batch's scope)

    # Which day an answer is for.
    is_one_day: bool = False  # an answer is one whole day; else a window of entries that moves on
    is_daily: bool = True  # a new source of this kind is expected every working day
    calendar: Calendar = Calendar.UTC
    lists_arxiv: bool = False  # it lists papers of arXiv: few on the day after one of arXiv's holidays
    submitted_within: int = 0  # it goes by days of submission: a paper is announced at most so many days after

    # How it is asked.
    page_rows: int = 1  # entries of a full page
    has_tokens: bool = False  # the next page is asked for with the token of the last (OAI-PMH)
    deadline: float | None = None  # seconds for one answer; None: the fetcher's own
    category_addresses: tuple[str, ...] = ()  # addresses of one of arXiv's categories, {category}
    join: Callable[[Sequence[str]], str] | None = None  # several categories as one {category}; None: one an address
    fallbacks: tuple[str, ...] = ()  # kinds to ask for the same category when an answer is late, in this order
    ids_address: str = ""  # asks for papers by their arXiv ids: {ids} (with commas), {rows}

    # How days gone by are asked for: by default with the source's own address, if it has a place for a day.
    backfill_kind: str = ""  # the kind that is asked instead
    backfill_period: str = ""  # days of one request: day, week or month
    backfill_until: str = ""  # the parameter that ends the period, added to an address without it

    # What an answer says.
    row_limit: int = 0  # the publisher cuts an answer at so many rows
    has_sections: bool = False  # a whole day has new papers and replacements
    total_is_whole: bool = False  # the answer's total is of this answer, not of all that could be asked for
    authority: Authority = Authority.PUBLISHER
    is_preprint: bool = False  # it announces papers under their arXiv ids
    has_votes: bool = False  # votes and comments change for days after
    discussion: str = ""  # a paper's page for its readers, {arxiv_id}

    def addresses_of(self, categories: Sequence[str]) -> list[str]:
        """This kind's addresses of arXiv's `categories` together; none where an address takes only one."""
        if not self.join and len(categories) > 1:
            return []
        category = self.join(categories) if self.join else categories[0]
        return [template.replace("{category}", category) for template in self.category_addresses]


def _plus(categories: Sequence[str]) -> str:
    return "+".join(categories)


def _any_of(categories: Sequence[str]) -> str:
    joined = "+OR+cat:".join(categories)
    return joined if len(categories) == 1 else f"({joined})"


# What no known publisher answers is read as this kind.
DEFAULT = Kind(
    slug="feed", label="RSS, Atom, RDF or JSON feed", module="feed", is_daily=False,
    sample_suffix=".rdf", file_slug="{kind} {scope}",
)  # fmt: skip
_ARXIV_FALLBACKS = ("arxiv", "arxiv-list", "arxiv-api")
# In the order in which bytes are tried: the particular kinds before the general one.
_ALL = (
    Kind(
        slug="arxiv", label="arXiv feed (Atom or RSS)", module="arxiv",
        addresses=("rss.arxiv.org", "export.arxiv.org/rss", "arxiv.org/rss"), sign=b"arxiv.org/",
        sample_suffix=".xml", file_slug="{kind} {scope}",
        is_one_day=True, calendar=Calendar.ARXIV,
        # The Atom feed first: it keeps the words as they are.
        category_addresses=("https://rss.arxiv.org/atom/{category}", "https://rss.arxiv.org/rss/{category}"),
        join=_plus, fallbacks=_ARXIV_FALLBACKS, backfill_kind="arxiv-api", backfill_period="day",
        row_limit=2_000, has_sections=True, authority=Authority.AUTHOR, is_preprint=True,
    ),
    Kind(
        slug="arxiv-api", label="arXiv API", module="arxiv_api",
        addresses=("export.arxiv.org/api",), sign=b"opensearch",
        page_rows=200, submitted_within=4,
        category_addresses=(
            "https://export.arxiv.org/api/query?search_query=cat:{category}"
            "+AND+submittedDate:[{compact}0000+TO+{compact_until}2359]"
            "&start={cursor}&max_results={rows}&sortBy=submittedDate&sortOrder=ascending",
        ),
        join=_any_of, ids_address="https://export.arxiv.org/api/query?id_list={ids}&max_results={rows}",
        authority=Authority.AUTHOR, is_preprint=True,
    ),
    Kind(
        slug="huggingface", label="Hugging Face daily papers", module="huggingface",
        addresses=("huggingface.co/api/daily_papers",), sign=b'"paper"', is_json=True,
        sample_suffix=".json",
        is_one_day=True, lists_arxiv=True, page_rows=50,
        authority=Authority.LIST, is_preprint=True, has_votes=True,
        discussion="https://huggingface.co/papers/{arxiv_id}",
    ),
    Kind(
        slug="biorxiv", label="bioRxiv or medRxiv API", module="biorxiv",
        addresses=("api.biorxiv.org/details",), sign=b'"collection"', is_json=True,
        file_slug="{scope}",
        is_one_day=True, page_rows=30, total_is_whole=True,
    ),
    Kind(
        slug="oai-pmh", label="OAI-PMH (bulk backfill)", module="oai",
        addresses=("oaipmh.arxiv.org", "export.arxiv.org/oai2"), sign=b"<OAI-PMH",
        has_tokens=True, deadline=180.0,  # it may take a minute and more before it answers
        backfill_period="week", backfill_until="until",
        authority=Authority.AUTHOR, is_preprint=True,
    ),
    Kind(
        slug="arxiv-list", label="arXiv listing page", module="arxiv_list",
        addresses=("arxiv.org/list",), sign=b"list-title",
        is_one_day=True, calendar=Calendar.ARXIV, page_rows=2_000, total_is_whole=True,
        category_addresses=("https://arxiv.org/list/{category}/new?skip=0&show=2000",),
        fallbacks=_ARXIV_FALLBACKS,
        authority=Authority.AUTHOR, is_preprint=True,
    ),
    DEFAULT,
)  # fmt: skip
KINDS = {kind.slug: kind for kind in _ALL}


def of(slug: str) -> Kind:
    """The record of a kind. A slug that is not known here (a row of another version) counts as an ordinary feed."""
    return KINDS.get(slug, DEFAULT)


def parser(slug: str) -> Parser:
    """The parser of a kind. Raises KeyError for an unknown one.

    It is imported only here: a child that reads one answer does not load what reads the others.
    """
    return cast(Parser, import_module(f"digest.sources.parsers.{KINDS[slug].module}"))


def choices() -> list[tuple[str, str]]:
    """(slug, label) of every kind, by label, for forms."""
    return sorted(((kind.slug, kind.label) for kind in KINDS.values()), key=lambda pair: pair[1].lower())


def told_by(url: str) -> str:
    """The kind that an address tells without being asked: a publisher known here, else an ordinary feed."""
    place = url.partition("://")[2].lower().removeprefix("www.")
    for kind in KINDS.values():
        if kind.addresses and place.startswith(kind.addresses):
            return kind.slug
    return DEFAULT.slug


def by_ids() -> Kind:
    """The kind that is asked for papers by their arXiv ids."""
    return next(kind for kind in KINDS.values() if kind.ids_address)


def ids_url(template: str, ids: Sequence[str]) -> str:
    """The address that asks for these arXiv ids, of a kind's `ids_address`."""
    return template.replace("{ids}", ",".join(ids)).replace("{rows}", str(len(ids)))


def preprint_kinds() -> frozenset[str]:
    """The slugs of the kinds that announce papers under their arXiv ids."""
    return frozenset(kind.slug for kind in KINDS.values() if kind.is_preprint)
