"""Stores what sources announce: one row a paper, however many sources, days and versions speak of it.

`identity` tells which paper an entry is. Announcements say who announced it when; they are what editions are
collected from.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from django.db import transaction

from digest import search
from digest.models import Announcement, Fetch, Identifier, Outcome, Paper, Signal, Source
from digest.papers import merge
from digest.papers.entry import CROSS, LISTED, NEW, REPLACE, REPLACE_CROSS, Authority, Batch, Entry
from digest.papers.identity import CHUNK, Known, Resolved, identifier, resolve
from digest.papers.identity import names as names

SIGNAL_AGES = (0, 1, 3, 7)
_RANK = {NEW: 0, LISTED: 1, CROSS: 2, REPLACE: 3, REPLACE_CROSS: 4}
_TEXT = ("title", "abstract", "authors")
_LINKS = ("doi", "pdf_url", "code_url", "project_url", "thumbnail_url", "comment", "journal_ref")
_CHANGED = (*_TEXT, *_LINKS, "categories", "primary_category", "published_on", "version", "is_withdrawn", "url",
            "arxiv_id", "upvotes", "comments", "updated_at")  # fmt: skip
_EARLIEST = date(1971, 1, 1)  # 1970 is what a broken clock says
_OLD = timedelta(days=7)  # older than an edition collects
_UNDATED = timedelta(days=30)  # where a backlog's entry without a day is put
_BACKLOG, _LATELY = 5, 60  # entries that may be one; answers looked back on


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


def store(batch: Batch, source: Source, day: date, now: datetime, authority: Authority = Authority.PUBLISHER) -> Stored:
    """Store a batch in one transaction: all of it or nothing. `day` is used where an entry names none."""
    with transaction.atomic():
        resolved = resolve(batch.entries, source)
        slots, known = _slots(resolved), resolved.known
        for slot in slots:
            _settle(slot, known, authority, now)
        _write(slots, known)
        announced = _announce(slots, source, day, now)
    search.refresh()
    new, updated = sum(s.is_new for s in slots), sum(s.is_updated for s in slots)
    doubles = len(batch.entries) - len(slots)
    return Stored(new, updated, len(slots) - new - updated + doubles, batch.rejected, announced)


def _slots(resolved: Resolved) -> list[_Slot]:
    """One slot a paper, with the best of its entries."""
    by_name: dict[str, _Slot] = {}
    slots: list[_Slot] = []
    for entry, own in resolved.entries:
        slot = next((by_name[name] for name in own if name in by_name), None)
        if slot is None:
            slot = _Slot(entry, [])
            slots.append(slot)
        elif (entry.version, -_RANK[entry.kind]) > (slot.entry.version, -_RANK[slot.entry.kind]):
            slot.entry = entry
        slot.names += [name for name in own if name not in slot.names]
        by_name |= dict.fromkeys(own, slot)
    return slots


def _settle(slot: _Slot, known: Known, authority: Authority, now: datetime) -> None:
    """Find or make the slot's paper, and bring it up to date."""
    rows = [known.papers[name] for name in slot.names if name in known.papers]
    moved = known.moved.get(slot.names[0])
    if moved and not rows:
        rows, moved.url = [moved], slot.entry.url
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
    slot.is_updated = _bring_up_to_date(keep, slot.entry, authority, now) or keep is moved
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


def _bring_up_to_date(paper: Paper, entry: Entry, authority: Authority, now: datetime) -> bool:
    """Take from the entry what it knows better. True if the paper's content changed (votes are not content)."""
    wanted = _better_text(paper, entry, authority) | _missing(paper, entry)
    changed = {name: value for name, value in wanted.items() if getattr(paper, name) != value}
    for name, value in changed.items():
        setattr(paper, name, value)
    paper.upvotes = paper.upvotes if entry.upvotes is None else entry.upvotes
    paper.comments = paper.comments if entry.comments is None else entry.comments
    if changed:
        paper.updated_at = now
    return bool(changed)


def _better_text(paper: Paper, entry: Entry, authority: Authority) -> dict[str, object]:
    """Newer versions replace; of one version arXiv's own words win, else the longer abstract does."""
    newer = entry.version > paper.version
    first_hand = authority is Authority.AUTHOR and entry.version == paper.version
    longer = not paper.arxiv_id and authority is not Authority.LIST and len(entry.abstract) > len(paper.abstract)
    better: dict[str, object] = {}
    if newer or first_hand or longer:
        better = {"title": entry.title, "abstract": entry.abstract or paper.abstract}
        better["authors"] = list(entry.authors) or paper.authors
    if newer:
        better |= {"version": min(entry.version, 9_999), "is_withdrawn": entry.is_withdrawn}
    if entry.categories and (authority is Authority.AUTHOR or not paper.categories):
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


def _write(slots: list[_Slot], known: Known) -> None:
    # In the order of their names: two workers that store the same papers wait for each other, not in a ring.
    new = sorted((slot.paper for slot in slots if slot.is_new and slot.paper), key=lambda paper: paper.identifier)
    Paper.objects.bulk_create(new, batch_size=CHUNK)
    old = {slot.paper.pk: slot.paper for slot in slots if not slot.is_new and slot.paper}
    touched = {slot.paper.pk: slot.paper for slot in slots if slot.is_touched and slot.paper}
    # An upsert on the key: bulk_update's CASE per row and field takes five times as long.
    Paper.objects.bulk_create(
        [touched[pk] for pk in sorted(touched)],
        batch_size=CHUNK,
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
    Identifier.objects.bulk_create(sorted(rows, key=lambda row: row.value), batch_size=CHUNK)


def _announce(slots: list[_Slot], source: Source, day: date, now: datetime) -> int:
    """One announcement a paper, source and day; votes are those of the last look. Returns how many are new."""
    by_key = {(slot.paper.pk, _day(slot.entry, day)): slot.entry for slot in slots if slot.paper}
    existing = {(row.paper_id, row.day): row for row in _announcements(source, {when for _, when in by_key})}
    fresh = [_announcement(key, entry, source, now) for key, entry in by_key.items() if key not in existing]
    seen_again = [row for key, row in existing.items() if key in by_key and _take_signals(row, by_key[key])]
    Announcement.objects.bulk_create(fresh, batch_size=CHUNK)
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
        batch_size=CHUNK,
        update_conflicts=True,
        unique_fields=["announcement", "age"],
        update_fields=["upvotes", "comments", "at"],
    )


def signal_age(day: date, now: datetime) -> int | None:
    """Which of SIGNAL_AGES a look at `now` counts for: the last one reached (a day-5 look refreshes day 3)."""
    passed = (now.date() - day).days
    return max((age for age in SIGNAL_AGES if age <= passed), default=0) if passed <= SIGNAL_AGES[-1] + 7 else None


def dated(batch: Batch, source: Source, today: date) -> Batch:
    """A rolling feed's entries, each with the day it counts for.

    What this source announced before keeps its day. On the first look the rest counts for its own day, so that a
    feed's backlog is not today's news, and what names no day is no news either. Later, what was not there before is
    news today, unless far more than usual comes with old dates: that is a backlog, too.
    """
    resolved = resolve(batch.entries, source)
    before = _days_before(resolved, source)
    entries = [entry for entry, _ in resolved.entries]
    unseen = [entry for entry, day in zip(entries, before, strict=True) if day is None]
    first_look = not Announcement.objects.filter(source=source).exists()
    backlog, problem = _first(unseen) if first_look else _backlog(unseen, source, today)
    counted = [_counted(entry, day, backlog, today) for entry, day in zip(entries, before, strict=True)]
    problems = (*batch.problems, *problem, *_moved_note(len(resolved.known.moved)))
    return replace(batch, entries=tuple(counted), problems=problems)


def _moved_note(count: int) -> list[str]:
    return [f"{count:,} entries it announced before are at new addresses now, and keep their days."] if count else []


def _days_before(resolved: Resolved, source: Source) -> list[date | None]:
    """For each entry the day on which this source announced its paper first."""
    rows = [resolved.paper(own) for _, own in resolved.entries]
    found = Announcement.objects.filter(source=source, paper__in={row.pk for row in rows if row})
    days = dict(found.order_by("-day").values_list("paper_id", "day"))
    return [days.get(row.pk) if row else None for row in rows]


def _first(unseen: Sequence[Entry]) -> tuple[set[str], list[str]]:
    """On the first look everything is a backlog."""
    undated = sum(_own_day(entry) is None for entry in unseen)
    note = f"The first look: {undated:,} entries without a date are kept and not announced; what comes later is."
    return {entry.source_id for entry in unseen}, [note] if undated else []


def _backlog(unseen: Sequence[Entry], source: Source, today: date) -> tuple[set[str], list[str]]:
    """The ids of old entries, where far more of them came at once than this source ever brought, and what to say."""
    old = {entry.source_id for entry in unseen if (_own_day(entry) or today) <= today - _OLD}
    usual = _most_at_once(source)
    if len(old) < _BACKLOG or len(old) <= 3 * usual:
        return set(), []
    note = (
        f"{len(old):,} entries of more than a week ago came at once, where at most {usual:,} are usual: "
        "a backlog, kept for its own days and not announced today."
    )
    return old, [note]


def _most_at_once(source: Source) -> int:
    """The most new papers that one answer of this source brought lately, the first look left out."""
    fetches = Fetch.objects.filter(source=source, is_backfill=False, outcome__in=[Outcome.OK, Outcome.TRUNCATED])
    first = fetches.order_by("at", "pk").values("pk")[:1]
    lately = fetches.exclude(pk__in=list(first.values_list("pk", flat=True))).order_by("-at")
    return max(lately.values_list("new", flat=True)[:_LATELY], default=0)


def _own_day(entry: Entry) -> date | None:
    return entry.announced_on or entry.published_on


def _counted(entry: Entry, before: date | None, backlog: set[str], today: date) -> Entry:
    """The entry with the day it counts for. Of an old one without a day nobody knows when it was published."""
    own, is_old = _own_day(entry), before is not None or entry.source_id in backlog
    if own is None and is_old:
        return replace(entry, announced_on=before or today - _UNDATED, kind=LISTED)
    day = min(own, today) if own and is_old else today
    return replace(entry, announced_on=before or day)


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
