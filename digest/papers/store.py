"""Stores what sources announce: one row a paper, however many sources, days and versions speak of it.

A paper is recognised by its names (`Identifier`): arXiv id without version, DOI in lower case, else its
address. Announcements say who announced it when; they are what editions are collected from.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from django.db import transaction

from digest import search
from digest.models import Announcement, Identifier, Paper, Signal, Source
from digest.papers import identifiers, merge
from digest.papers.entry import CROSS, LISTED, NEW, REPLACE, REPLACE_CROSS, Batch, Entry

ARXIV_KINDS = frozenset({"arxiv", "arxiv-api", "arxiv-list", "oai-pmh"})
SIGNAL_AGES = (0, 1, 3, 7)
_RANK = {NEW: 0, LISTED: 1, CROSS: 2, REPLACE: 3, REPLACE_CROSS: 4}
_TEXT = ("title", "abstract", "authors")
_LINKS = ("doi", "pdf_url", "code_url", "project_url", "thumbnail_url", "comment", "journal_ref")
_CHANGED = (*_TEXT, *_LINKS, "categories", "primary_category", "published_on", "version", "is_withdrawn", "url",
            "arxiv_id", "upvotes", "comments", "updated_at")  # fmt: skip
_CHUNK = 500
_EARLIEST = date(1971, 1, 1)  # 1970 is what a broken clock says


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of a batch's entries: `new + updated + known + rejected` is all of them.

    `announced` counts announcements that were not there before: 0 means that nothing happened.
    """

    new: int = 0
    updated: int = 0
    known: int = 0
    rejected: int = 0
    announced: int = 0


@dataclass(slots=True)
class _Slot:
    """One paper of a batch: the best of its entries, the names it goes by, and its row."""

    entry: Entry
    names: list[str]
    paper: Paper | None = None
    is_new: bool = False
    is_updated: bool = False
    is_touched: bool = False  # its row must be written: content or votes have changed


@dataclass(slots=True)
class _Known:
    """The rows that the batch's names lead to already."""

    papers: dict[str, Paper] = field(default_factory=dict)
    apart: set[str] = field(default_factory=set)


def store(batch: Batch, source: Source, day: date, now: datetime) -> Stored:
    """Store a batch in one transaction: all of it or nothing. `day` is used where an entry names none."""
    slots, doubles = _slots(batch.entries, source)
    with transaction.atomic():
        known = _known([name for slot in slots for name in slot.names])
        for slot in slots:
            _settle(slot, known, source, now)
        _write(slots, known)
        announced = _announce(slots, source, day, now)
    search.refresh()
    new, updated = sum(s.is_new for s in slots), sum(s.is_updated for s in slots)
    return Stored(new, updated, len(slots) - new - updated + doubles, batch.rejected, announced)


def names(entry: Entry) -> list[str]:
    """The names an entry's paper goes by, the strongest first; its address only where there is no better one."""
    found = [f"arxiv:{entry.arxiv_id}"] if entry.arxiv_id else []
    if entry.doi:
        found.append(f"doi:{entry.doi.lower()[:200]}")
    return found or [f"url:{_canonical(entry.url)}"]


def _canonical(url: str) -> str:
    try:
        return identifiers.canonical(url)
    except ValueError:
        return url


def identifier(name: str) -> str:
    """A name cut to the width of `Paper.identifier`, still unique."""
    return name if len(name) <= 300 else f"{name[:230]}~{hashlib.sha256(name.encode()).hexdigest()}"


def _slots(entries: Sequence[Entry], source: Source) -> tuple[list[_Slot], int]:
    """One slot a paper, and how many entries were doubles of another in the same batch."""
    shared = _shared_addresses(entries)
    by_name: dict[str, _Slot] = {}
    slots: list[_Slot] = []
    for entry in entries:
        own = names(entry)
        if own[0] in shared:
            own = [f"guid:{source.slug}:{entry.source_id}"]
        slot = next((by_name[name] for name in own if name in by_name), None)
        if slot is None:
            slot = _Slot(entry, [])
            slots.append(slot)
        elif (entry.version, -_RANK[entry.kind]) > (slot.entry.version, -_RANK[slot.entry.kind]):
            slot.entry = entry
        slot.names += [name for name in own if name not in slot.names]
        by_name |= dict.fromkeys(own, slot)
    return slots, len(entries) - len(slots)


def _shared_addresses(entries: Iterable[Entry]) -> set[str]:
    """Addresses that differently titled entries share (a journal's front page, say) name none of them."""
    titles: dict[str, set[str]] = {}
    for entry in entries:
        if not entry.arxiv_id and not entry.doi:
            titles.setdefault(names(entry)[0], set()).add(entry.title)
    return {name for name, said in titles.items() if len(said) > 1}


def _known(wanted: list[str]) -> _Known:
    found = _Known()
    for part in _chunks(wanted):
        for row in Identifier.objects.filter(value__in=part).select_related("paper"):
            found.papers[row.value] = row.paper
            if row.is_apart:
                found.apart.add(row.value)
    _share_rows(found)
    return found


def _share_rows(found: _Known) -> None:
    """Two names of one paper lead to one object, so that a change through one is seen through the other."""
    objects: dict[int, Paper] = {}
    for name, paper in found.papers.items():
        found.papers[name] = objects.setdefault(paper.pk, paper)


def _settle(slot: _Slot, known: _Known, source: Source, now: datetime) -> None:
    """Find or make the slot's paper, and bring it up to date."""
    rows = [known.papers[name] for name in slot.names if name in known.papers]
    if not rows:
        slot.paper, slot.is_new = _made(slot, now), True
        known.papers |= dict.fromkeys(slot.names, slot.paper)
        return
    keep = rows[0]
    for other in rows[1:]:
        if other.pk != keep.pk and not known.apart.intersection(slot.names):
            keep = merge.merge(keep, other, now)
            known.papers |= {name: keep for name, row in known.papers.items() if row.pk in {keep.pk, other.pk}}
    before = (keep.upvotes, keep.comments)
    slot.paper = keep
    slot.is_updated = _bring_up_to_date(keep, slot.entry, source, now)
    slot.is_touched = slot.is_updated or before != (keep.upvotes, keep.comments)


def _made(slot: _Slot, now: datetime) -> Paper:
    entry = slot.entry
    values = {name: getattr(entry, name) for name in (*_LINKS, "title", "abstract", "arxiv_id", "is_withdrawn")}
    return Paper(
        **values,
        url=f"https://arxiv.org/abs/{entry.arxiv_id}" if entry.arxiv_id else entry.url,
        identifier=identifier(slot.names[0]),
        version=min(entry.version, 9_999),
        authors=list(entry.authors),
        categories=list(entry.categories),
        primary_category=entry.primary_category[:120],
        published_on=_published(entry),
        upvotes=entry.upvotes,
        comments=entry.comments,
        first_seen_at=now,
        updated_at=now,
    )


def _published(entry: Entry) -> date | None:
    """A first version that is announced without its date was published by being announced."""
    first = entry.kind == NEW and entry.version == 1
    return entry.published_on or (entry.announced_on if first else None)


def _bring_up_to_date(paper: Paper, entry: Entry, source: Source, now: datetime) -> bool:
    """Take from the entry what it knows better. True if the paper's content changed (votes are not content)."""
    wanted = _better_text(paper, entry, source) | _missing(paper, entry)
    changed = {name: value for name, value in wanted.items() if getattr(paper, name) != value}
    for name, value in changed.items():
        setattr(paper, name, value)
    paper.upvotes = paper.upvotes if entry.upvotes is None else entry.upvotes
    paper.comments = paper.comments if entry.comments is None else entry.comments
    if changed:
        paper.updated_at = now
    return bool(changed)


def _better_text(paper: Paper, entry: Entry, source: Source) -> dict[str, object]:
    """Newer versions replace; of one version arXiv's own words win, else the longer abstract does."""
    newer = entry.version > paper.version
    first_hand = source.kind in ARXIV_KINDS and entry.version == paper.version
    longer = not paper.arxiv_id and source.kind != "huggingface" and len(entry.abstract) > len(paper.abstract)
    better: dict[str, object] = {}
    if newer or first_hand or longer:
        better = {"title": entry.title, "abstract": entry.abstract or paper.abstract}
        better["authors"] = list(entry.authors) or paper.authors
    if newer:
        better |= {"version": min(entry.version, 9_999), "is_withdrawn": entry.is_withdrawn}
    if entry.categories and (source.kind in ARXIV_KINDS or not paper.categories):
        better |= {"categories": list(entry.categories), "primary_category": entry.primary_category[:120]}
    if entry.is_withdrawn and entry.version >= paper.version:
        better["is_withdrawn"] = True
    return better


def _missing(paper: Paper, entry: Entry) -> dict[str, object]:
    """What the paper does not have yet; of two publication days the earlier."""
    found: dict[str, object] = {
        name: getattr(entry, name)
        for name in (*_LINKS, "abstract")
        if not getattr(paper, name) and getattr(entry, name)
    }
    if entry.arxiv_id and not paper.arxiv_id:
        found |= {"arxiv_id": entry.arxiv_id, "url": f"https://arxiv.org/abs/{entry.arxiv_id}"}
    if not paper.authors and entry.authors:
        found["authors"] = list(entry.authors)
    days = [day for day in (paper.published_on, _published(entry)) if day]
    return found | ({"published_on": min(days)} if days else {})


def _write(slots: list[_Slot], known: _Known) -> None:
    # In the order of their names: two workers that store the same papers wait for each other, not in a ring.
    new = sorted((slot.paper for slot in slots if slot.is_new and slot.paper), key=lambda paper: paper.identifier)
    Paper.objects.bulk_create(new, batch_size=_CHUNK)
    old = {slot.paper.pk: slot.paper for slot in slots if not slot.is_new and slot.paper}
    touched = {slot.paper.pk: slot.paper for slot in slots if slot.is_touched and slot.paper}
    # An upsert on the key: bulk_update's CASE per row and field takes five times as long.
    Paper.objects.bulk_create(
        [touched[pk] for pk in sorted(touched)],
        batch_size=_CHUNK,
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=_CHANGED,
    )
    had = set(Identifier.objects.filter(paper__in=list(old)).values_list("value", flat=True)) if old else set()
    rows = [
        Identifier(value=name, paper=slot.paper)
        for slot in slots
        for name in slot.names
        if name not in had and (slot.is_new or name not in known.papers)
    ]
    Identifier.objects.bulk_create(sorted(rows, key=lambda row: row.value), batch_size=_CHUNK)


def _announce(slots: list[_Slot], source: Source, day: date, now: datetime) -> int:
    """One announcement a paper, source and day; votes are those of the last look. Returns how many are new."""
    by_key = {(slot.paper.pk, _day(slot.entry, day)): slot.entry for slot in slots if slot.paper}
    existing = {(row.paper_id, row.day): row for row in _announcements(source, {when for _, when in by_key})}
    fresh = [_announcement(key, entry, source, now) for key, entry in by_key.items() if key not in existing]
    seen_again = [row for key, row in existing.items() if key in by_key and _take_signals(row, by_key[key])]
    Announcement.objects.bulk_create(fresh, batch_size=_CHUNK)
    Announcement.objects.bulk_update(seen_again, ["upvotes", "comments", "kind", "version"], batch_size=100)
    _keep_signals([*fresh, *(existing[key] for key in by_key if key in existing)], now)
    return len(fresh)


def _day(entry: Entry, day: date) -> date:
    return entry.announced_on or day


def _announcements(source: Source, days: set[date]) -> Iterator[Announcement]:
    yield from Announcement.objects.filter(source=source, day__in=days)


def _announcement(key: tuple[int, date], entry: Entry, source: Source, now: datetime) -> Announcement:
    return Announcement(
        paper_id=key[0],
        source=source,
        day=key[1],
        kind=entry.kind,
        version=min(entry.version, 9_999),
        upvotes=entry.upvotes,
        comments=entry.comments,
        announced_by=entry.announced_by[:120],
        seen_at=now,
    )


def _take_signals(row: Announcement, entry: Entry) -> bool:
    before = (row.upvotes, row.comments, row.kind, row.version)
    row.upvotes = row.upvotes if entry.upvotes is None else entry.upvotes
    row.comments = row.comments if entry.comments is None else entry.comments
    row.version = max(row.version, min(entry.version, 9_999))
    row.kind = min(row.kind, entry.kind, key=_RANK.__getitem__)
    return before != (row.upvotes, row.comments, row.kind, row.version)


def _keep_signals(rows: list[Announcement], now: datetime) -> None:
    """Votes and comments on the days after: the last look of each of SIGNAL_AGES stays."""
    told = [row for row in rows if row.upvotes is not None or row.comments is not None]
    signals = [
        Signal(announcement=row, age=age, upvotes=row.upvotes, comments=row.comments, at=now)
        for row in told
        if (age := signal_age(row.day, now)) is not None
    ]
    Signal.objects.bulk_create(
        signals,
        batch_size=_CHUNK,
        update_conflicts=True,
        unique_fields=["announcement", "age"],
        update_fields=["upvotes", "comments", "at"],
    )


def signal_age(day: date, now: datetime) -> int | None:
    """Which of SIGNAL_AGES a look at `now` counts for: the last one reached (a day-5 look refreshes day 3)."""
    passed = (now.date() - day).days
    return max((age for age in SIGNAL_AGES if age <= passed), default=0) if passed <= SIGNAL_AGES[-1] + 7 else None


def _chunks(values: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]


def dated(batch: Batch, source: Source, today: date) -> Batch:
    """A rolling feed's entries, each with the day it counts for.

    What this source announced before keeps its day. On the first look the rest counts for its own day, so
    that a feed's backlog is not today's news; later, what was not there before is news today.
    """
    known = _known([name for entry in batch.entries for name in names(entry)])
    days = (
        dict(
            Announcement.objects.filter(source=source, paper__in=[p.pk for p in known.papers.values()])
            .order_by("-day")
            .values_list("paper_id", "day")
        )
        if known.papers
        else {}
    )
    first_look = not Announcement.objects.filter(source=source).exists()
    return replace(batch, entries=tuple(_dated(entry, known, days, today, first_look) for entry in batch.entries))


def _dated(entry: Entry, known: _Known, days: dict[int, date], today: date, first_look: bool) -> Entry:
    before = next(
        (days[known.papers[n].pk] for n in names(entry) if n in known.papers and known.papers[n].pk in days), None
    )
    own = entry.announced_on or entry.published_on or today
    return replace(entry, announced_on=before or (min(own, today) if first_look else today))


def sane(batch: Batch, today: date) -> Batch:
    """Days to come and days before there was print are nobody's days: the first become today, the others nothing."""
    return replace(batch, entries=tuple(_sane(entry, today) for entry in batch.entries))


def _sane(entry: Entry, today: date) -> Entry:
    published, announced = entry.published_on, entry.announced_on
    if published and not _EARLIEST <= published <= today + timedelta(days=366):
        published = None
    if announced and announced < _EARLIEST:
        announced = None
    if announced and announced > today + timedelta(days=1):
        announced = today
    if (published, announced) == (entry.published_on, entry.announced_on):
        return entry
    return replace(entry, published_on=published, announced_on=announced)
