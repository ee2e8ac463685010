"""Tells which paper an entry is.

A paper is known by its names (`Identifier`): arXiv id without version, DOI in lower case, else its address. Two
arXiv ids are two papers. A DOI or an address does not join papers whose titles contradict it: books, proceedings
and issues have one DOI for many papers, and journals one page.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from digest.models import Announcement, Identifier, Paper, Source
from digest.papers import identifiers
from digest.papers.entry import Entry
from subscriptions.query import tokenizer

CHUNK = 500
_ENOUGH_MOVED = 3  # undated entries of known titles at new addresses before a site has moved


@dataclass(slots=True)
class Known:
    """The rows that a batch's names lead to already.

    `apart` are names that a curator split off; `moved` the rows of entries that are at a new address, by that name.
    """

    papers: dict[str, Paper] = field(default_factory=dict)
    apart: set[str] = field(default_factory=set)
    moved: dict[str, Paper] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Resolved:
    """A batch's entries with the names that are their own, the strongest first, and the rows these lead to."""

    entries: tuple[tuple[Entry, tuple[str, ...]], ...]
    known: Known

    def paper(self, own: Iterable[str]) -> Paper | None:
        """The row that one of an entry's names leads to."""
        for name in own:
            row = self.known.papers.get(name) or self.known.moved.get(name)
            if row:
                return row
        return None


def names(entry: Entry) -> list[str]:
    """The names an entry's paper goes by, the strongest first; its address only where there is no better one."""
    return _strong(entry) or [_address(entry)]


def identifier(name: str) -> str:
    """A name cut to the width of `Paper.identifier`, still unique."""
    if len(name) <= 300:
        return name
    return f"{name[:230]}~{hashlib.sha256(name.encode()).hexdigest()}"


def resolve(entries: Sequence[Entry], source: Source) -> Resolved:
    """Find out which names are each entry's own. Reads the database, writes nothing."""
    shared = _shared(entries, source)
    known = _known(_wanted(entries, source))
    own = [tuple(_own(entry, shared, known, source)) for entry in entries]
    resolved = tuple(zip(entries, own, strict=True))
    known.moved = _moved(resolved, known, source)
    return Resolved(resolved, known)


def _strong(entry: Entry) -> list[str]:
    found = []
    if entry.arxiv_id:
        found.append(f"arxiv:{entry.arxiv_id}")
    if entry.doi:
        found.append(f"doi:{entry.doi.lower()[:200]}")
    return found


def _address(entry: Entry) -> str:
    return f"url:{_canonical(entry.url)}"


def _canonical(url: str) -> str:
    try:
        return identifiers.canonical(url)
    except ValueError:
        return url


def _guids(entry: Entry, source: Source) -> list[str]:
    """Its ids in its feed; a feed that gives none, or one id to many entries, tells them apart by their titles."""
    guid = f"guid:{source.slug}:{entry.source_id}"
    title = hashlib.sha256(" ".join(_words(entry.title)).encode()).hexdigest()
    titled = f"{guid}#{title[:16]}"
    if entry.source_id == entry.url:
        return [titled]
    return [guid, titled]


def _wanted(entries: Iterable[Entry], source: Source) -> list[str]:
    """All names to look up: an arXiv id settles it, anything else may be known by its page or its id in the feed."""
    wanted: list[str] = []
    for entry in entries:
        wanted += _strong(entry)
        if not entry.arxiv_id:
            wanted += (_address(entry), *_guids(entry, source))
    return wanted


def _known(wanted: Sequence[str]) -> Known:
    """What the names lead to. Two names of one paper lead to one object, so that both show every change."""
    found = Known()
    objects: dict[int, Paper] = {}
    for part in _chunks(wanted):
        for row in Identifier.objects.filter(value__in=part).select_related("paper"):
            found.papers[row.value] = objects.setdefault(row.paper_id, row.paper)
            if row.is_apart:
                found.apart.add(row.value)
    return found


def _chunks(values: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]


def _own(entry: Entry, shared: set[str], known: Known, source: Source) -> list[str]:
    """The names of an entry that are neither shared in its batch nor another paper's."""

    def is_own(name: str) -> bool:
        row = known.papers.get(name)
        if row is None:
            return name not in shared
        return not _is_another(entry, row, name, source)

    own = list(filter(is_own, _strong(entry)))
    if entry.arxiv_id or not known.papers.keys().isdisjoint(own):
        return own
    pages = list(filter(is_own, (_address(entry), *_guids(entry, source))))
    for name in pages:
        if name in known.papers:
            return [*own, name]
    return own or pages[:1]


# -- the same or another ----------------------------------------------------------------------------


def _shared(entries: Iterable[Entry], source: Source) -> set[str]:
    """Names that stand for different papers in one batch: they name none of them."""
    first: dict[str, Entry] = {}
    shared: set[str] = set()
    for entry in entries:
        claimed = _strong(entry)
        if not entry.arxiv_id:
            claimed += [_address(entry), _guids(entry, source)[0]]
        for name in claimed:
            if _differ(first.setdefault(name, entry), entry):
                shared.add(name)
    return shared


def _differ(one: Entry, two: Entry) -> bool:
    """Whether two entries of one batch, with a name in common, are two papers."""
    if one.arxiv_id and two.arxiv_id:
        return one.arxiv_id != two.arxiv_id
    if one.arxiv_id or two.arxiv_id:
        return not _are_alike(one.title, two.title)
    if one.version != two.version:
        return False  # two versions of one preprint
    return _words(one.title) != _words(two.title)


def _is_another(entry: Entry, row: Paper, name: str, source: Source) -> bool:
    """Whether this name leads an entry to a paper that it is not."""
    if name.startswith(("arxiv:", "guid:")):
        return False
    if entry.arxiv_id and row.arxiv_id:
        return entry.arxiv_id != row.arxiv_id
    if _words(entry.title) == _words(row.title):
        return False
    if not entry.arxiv_id and not row.arxiv_id and entry.version != row.version:
        return False
    if _are_alike(entry.title, row.title) and not _is_its_neighbour(entry, row, source):
        return False
    return not _was_merged(entry, row)


def _is_its_neighbour(entry: Entry, row: Paper, source: Source) -> bool:
    """Whether the source announced the row at another page and with other words: then it has announced both."""
    if entry.arxiv_id or row.arxiv_id or _page(entry.url) == _page(row.url):
        return False
    one, two = set(_words(entry.title)), set(_words(row.title))
    if one <= two or two <= one:
        return False  # a title with or without its subtitle
    return Announcement.objects.filter(paper=row, source=source).exists()


def _page(url: str) -> str:
    return identifiers.doi(url) or _canonical(url)


def _was_merged(entry: Entry, row: Paper) -> bool:
    """A curator's merge stands: the row took in a paper of the entry's title."""
    said = _words(entry.title)
    titles = Paper.objects.filter(merged_into=row).values_list("title", flat=True)
    return any(_words(title) == said for title in titles)


def _words(title: str) -> list[str]:
    return [tokenizer.stem(word) for word in tokenizer.tokens(title)]


def _are_alike(one: str, two: str) -> bool:
    """Whether half of the telling words of the shorter title are in the longer. A translation cannot be told."""
    first, second = _telling(one), _telling(two)
    if not first or not second or _is_latin(first) != _is_latin(second):
        return True
    return 2 * len(first & second) >= min(len(first), len(second))


def _telling(title: str) -> set[str]:
    """Its longer words and numbers; the short ones (of, the, in) are in every title."""
    said = set(_words(title))
    telling = set()
    for word in said:
        if len(word) > 3 or word.isdigit() or tokenizer.is_cjk(word):
            telling.add(word)
    return telling or said


def _is_latin(said: Iterable[str]) -> bool:
    return any(word.isascii() and word.isalpha() for word in said)


# -- moved addresses --------------------------------------------------------------------------------


def _moved(entries: Sequence[tuple[Entry, tuple[str, ...]]], known: Known, source: Source) -> dict[str, Paper]:
    """The rows of entries that this source announced before, with the same title and day, at an address now gone."""
    unseen = {}
    for entry, own in entries:
        if own[0].startswith("url:") and own[0] not in known.papers:
            unseen[own[0]] = entry
    titles = Counter(entry.title for entry in unseen.values())
    rows = _by_title([title for title, count in titles.items() if count == 1], source)
    present = {row.pk for row in known.papers.values()}
    same_day: dict[str, Paper] = {}
    undated: dict[str, Paper] = {}
    for name, entry in unseen.items():
        row = rows.get(entry.title)
        if row is None or row.pk in present:
            continue
        if entry.published_on is None:
            undated[name] = row
        elif entry.published_on == row.published_on:
            same_day[name] = row
    if len(undated) < _ENOUGH_MOVED:
        undated = {}
    return same_day | undated


def _by_title(titles: Sequence[str], source: Source) -> dict[str, Paper]:
    """The source's papers without arXiv id and DOI, by their titles; titles of several papers tell nothing."""
    found: dict[str, list[Paper]] = {}
    for part in _chunks(titles):
        announced = Announcement.objects.filter(source=source).values("paper")
        papers = Paper.objects.filter(title__in=part, arxiv_id="", doi="", merged_into=None, pk__in=announced)
        for paper in papers:
            found.setdefault(paper.title, []).append(paper)
    return {title: rows[0] for title, rows in found.items() if len(rows) == 1}
