"""Stores what sources announce: one row a paper, whatever sources, days and versions announce it.

`identity` tells which paper an entry is. Announcements say who announced it when; editions are collected from them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from django.db import transaction

from digest import search
from digest.models import Announcement, Fetch, Identifier, Outcome, Paper, Source, VoteSnapshot
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
    new = sum(slot.is_new for slot in slots)
    updated = sum(slot.is_updated for slot in slots)
    return Stored(new, updated, len(batch.entries) - new - updated, batch.rejected, announced)


def _slots(resolved: Resolved) -> list[_Slot]:
    """One slot a paper, with the best of its entries."""
    by_name: dict[str, _Slot] = {}
    slots: list[_Slot] = []
    for entry, own in resolved.entries:
        slot = next(filter(None, map(by_name.get, own)), None)
        if slot is None:
            slot = _Slot(entry, [])
            slots.append(slot)
        elif _priority(entry) > _priority(slot.entry):
            slot.entry = entry
        slot.names = list(dict.fromkeys([*slot.names, *own]))
        by_name |= dict.fromkeys(own, slot)
    return slots


def _priority(entry: Entry) -> tuple[int, int]:
    return entry.version, -_RANK[entry.kind]


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
            for name, row in known.papers.items():
                if row.pk in {keep.pk, other.pk}:
                    known.papers[name] = keep
    before = (keep.upvotes, keep.comments)
    slot.paper = keep
    slot.is_updated = _bring_up_to_date(keep, slot.entry, authority, now) or keep is moved
    slot.is_touched = slot.is_updated or before != (keep.upvotes, keep.comments)


def _made(slot: _Slot, now: datetime) -> Paper:
    entry = slot.entry
    url = entry.url
    if entry.arxiv_id:
        url = f"https://arxiv.org/abs/{entry.arxiv_id}"
    return Paper(
        **{name: getattr(entry, name) for name in _LINKS},
        title=entry.title,
        abstract=entry.abstract,
        arxiv_id=entry.arxiv_id,
        is_withdrawn=entry.is_withdrawn,
        url=url,
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
    if entry.published_on is None and entry.kind == NEW and entry.version == 1:
        return entry.announced_on
    return entry.published_on


def _bring_up_to_date(paper: Paper, entry: Entry, authority: Authority, now: datetime) -> bool:
    """Take from the entry what it knows better. True if the paper's content changed (votes are not content)."""
    wanted = _better_text(paper, entry, authority) | _missing(paper, entry)
    has_changed = False
    for name, value in wanted.items():
        if getattr(paper, name) != value:
            setattr(paper, name, value)
            has_changed = True
    _take_votes(paper, entry)
    if has_changed:
        paper.updated_at = now
    return has_changed


def _take_votes(row: Paper | Announcement, entry: Entry) -> None:
    if entry.upvotes is not None:
        row.upvotes = entry.upvotes
    if entry.comments is not None:
        row.comments = entry.comments


def _better_text(paper: Paper, entry: Entry, authority: Authority) -> dict[str, object]:
    """A newer version replaces an older one. Of one version the words are kept that `Authority` says."""
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
    found: dict[str, object] = {}
    for name in (*_LINKS, "abstract"):
        value = getattr(entry, name)
        if value and not getattr(paper, name):
            found[name] = value
    if entry.arxiv_id and not paper.arxiv_id:
        found |= {"arxiv_id": entry.arxiv_id, "url": f"https://arxiv.org/abs/{entry.arxiv_id}"}
    if not paper.authors and entry.authors:
        found["authors"] = list(entry.authors)
    days = list(filter(None, [paper.published_on, _published(entry)]))
    if days:
        found["published_on"] = min(days)
    return found


def _write(slots: list[_Slot], known: Known) -> None:
    new: list[Paper] = []
    old: set[int] = set()
    touched: dict[int, Paper] = {}
    for slot in slots:
        if slot.paper is None:
            continue
        if slot.is_new:
            new.append(slot.paper)
            continue
        old.add(slot.paper.pk)
        if slot.is_touched:
            touched[slot.paper.pk] = slot.paper
    # Sorted: two workers that store the same papers lock them in the same order, so there is no deadlock.
    Paper.objects.bulk_create(sorted(new, key=lambda paper: paper.identifier), batch_size=CHUNK)
    # An upsert on the key: bulk_update's CASE per row and field takes five times as long.
    Paper.objects.bulk_create(
        [touched[pk] for pk in sorted(touched)],
        batch_size=CHUNK,
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=_CHANGED,
    )
    _write_names(slots, known, old)


def _write_names(slots: list[_Slot], known: Known, old: set[int]) -> None:
    """Write the names that the papers do not have yet; `old` are the ids of those that were there before."""
    had: set[str] = set()
    if old:
        had.update(Identifier.objects.filter(paper__in=old).values_list("value", flat=True))
    rows = []
    for slot in slots:
        for name in slot.names:
            if name not in had and (slot.is_new or name not in known.papers):
                rows.append(Identifier(value=name, paper=slot.paper))
    Identifier.objects.bulk_create(sorted(rows, key=lambda row: row.value), batch_size=CHUNK)


def _announce(slots: list[_Slot], source: Source, day: date, now: datetime) -> int:
    """One announcement a paper, source and day; votes are those of the last look. Returns how many are new."""
    by_key: dict[tuple[int, date], Entry] = {}
    for slot in slots:
        if slot.paper:
            by_key[slot.paper.pk, slot.entry.announced_on or day] = slot.entry
    days = {announced for _, announced in by_key}
    existing = {(row.paper_id, row.day): row for row in Announcement.objects.filter(source=source, day__in=days)}
    fresh: list[Announcement] = []
    seen_again: list[Announcement] = []
    changed: list[Announcement] = []
    for key, entry in by_key.items():
        row = existing.get(key)
        if row is None:
            fresh.append(_announcement(key, entry, source, now))
            continue
        seen_again.append(row)
        if _update_announcement(row, entry):
            changed.append(row)
    Announcement.objects.bulk_create(fresh, batch_size=CHUNK)
    Announcement.objects.bulk_update(changed, ["upvotes", "comments", "kind", "version"], batch_size=100)
    _keep_votes([*fresh, *seen_again], now)
    return len(fresh)


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


def _update_announcement(row: Announcement, entry: Entry) -> bool:
    """Take votes, version and kind from the entry. True if one of them changed."""
    before = (row.upvotes, row.comments, row.kind, row.version)
    _take_votes(row, entry)
    row.version = max(row.version, min(entry.version, 9_999))
    row.kind = min(row.kind, entry.kind, key=_RANK.__getitem__)
    return before != (row.upvotes, row.comments, row.kind, row.version)


def _keep_votes(rows: list[Announcement], now: datetime) -> None:
    """Votes and comments on the days after: the last look of each of SIGNAL_AGES stays."""
    signals = []
    for row in rows:
        age = signal_age(row.day, now)
        if age is not None and (row.upvotes is not None or row.comments is not None):
            signals.append(VoteSnapshot(announcement=row, age=age, upvotes=row.upvotes, comments=row.comments, at=now))
    VoteSnapshot.objects.bulk_create(
        signals,
        batch_size=CHUNK,
        update_conflicts=True,
        unique_fields=["announcement", "age"],
        update_fields=["upvotes", "comments", "at"],
    )


def signal_age(day: date, now: datetime) -> int | None:
    """Which of SIGNAL_AGES a look at `now` counts for: the last one reached (a day-5 look refreshes day 3)."""
    passed = (now.date() - day).days
    if passed > SIGNAL_AGES[-1] + 7:
        return None
    return max((age for age in SIGNAL_AGES if age <= passed), default=0)


def dated(batch: Batch, source: Source, today: date) -> Batch:
    """A rolling feed's entries, each with the day it counts for.

    What this source announced before keeps its day. On the first look the rest counts for its own day, so that a
    feed's backlog is not today's news, and what names no day is no news either. Later, what was not there before is
    news today, unless far more than usual comes with old dates: that is a backlog, too.
    """
    resolved = resolve(batch.entries, source)
    before = _days_before(resolved, source)
    unseen = [entry for (entry, _), day in zip(resolved.entries, before, strict=True) if day is None]
    if Announcement.objects.filter(source=source).exists():
        backlog, problems = _backlog(unseen, source, today)
    else:
        backlog, problems = _first(unseen)
    moved = len(resolved.known.moved)
    if moved:
        problems.append(f"{moved:,} entries it announced before are at new addresses now, and keep their days.")
    counted = []
    for (entry, _), day in zip(resolved.entries, before, strict=True):
        counted.append(_counted(entry, day, backlog, today))
    return replace(batch, entries=tuple(counted), problems=(*batch.problems, *problems))


def _days_before(resolved: Resolved, source: Source) -> list[date | None]:
    """For each entry the day on which this source announced its paper first."""
    rows = [resolved.paper(own) for _, own in resolved.entries]
    found = Announcement.objects.filter(source=source, paper__in={row.pk for row in rows if row})
    days = dict(found.order_by("-day").values_list("paper_id", "day"))
    return [days.get(row.pk) if row else None for row in rows]


def _first(unseen: Sequence[Entry]) -> tuple[set[str], list[str]]:
    """On the first look everything is a backlog."""
    problems = []
    undated = sum(_own_day(entry) is None for entry in unseen)
    if undated:
        problems.append(
            f"The first look: {undated:,} entries without a date are kept and not announced; what comes later is."
        )
    return {entry.source_id for entry in unseen}, problems


def _backlog(unseen: Sequence[Entry], source: Source, today: date) -> tuple[set[str], list[str]]:
    """The ids of old entries, where far more of them came at once than this source ever brought, and what to say."""
    old = set()
    for entry in unseen:
        day = _own_day(entry)
        if day and day <= today - _OLD:
            old.add(entry.source_id)
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
    own = _own_day(entry)
    is_old = before is not None or entry.source_id in backlog
    if not is_old:
        return replace(entry, announced_on=today)
    if own is None:
        return replace(entry, announced_on=before or today - _UNDATED, kind=LISTED)
    return replace(entry, announced_on=before or min(own, today))


def sane(batch: Batch, today: date) -> Batch:
    """The batch without impossible days: announced on a day to come becomes today, before 1971 becomes None."""
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
