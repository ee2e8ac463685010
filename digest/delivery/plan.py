"""Who is due, and with what: one delivery row for each due reader, or one reason why there is none.

A digest covers every edition released after the reader's cursor. The row, the moved cursor and the
next due moment are one transaction, so a reader is planned once however often this runs.
"""

from __future__ import annotations

import logging
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from digest.delivery import carry_over, ledger, reasons
from digest.delivery.accounts import restore_guard
from digest.delivery.channels import traits
from digest.delivery.failpoints import failpoint
from digest.delivery.limits import LATE_LIMIT, LATE_LIMIT_WEEKLY
from digest.editions import coverage, late_risers, lifecycle
from digest.matching import load
from digest.matching.index import PaperIndex
from digest.matching.select import PIN, InterestQuery, Selection, select, to_json
from digest.models import Delivery, Edition, Skip
from subscriptions import services
from subscriptions.addresses import keyed_hash
from subscriptions.db_retry import retry_on_db_error
from subscriptions.mail import notices
from subscriptions.models import Consent, Frequency, Subscriber
from subscriptions.services import SCHEDULE
from subscriptions.when import schedule

CHUNK = 1000
CATCH_UP = 30  # editions: what a reader back from a long absence is caught up with, about a month
KEPT_WINDOWS = 8
MOST_REMEMBERED = 500_000  # answers and reasons that a window keeps, some 1 KB each

log = logging.getLogger(__name__)


@dataclass
class Planned:
    """How many letters wait to be sent, and how many readers got none, by reason."""

    planned: int = 0
    skipped: Counter[str] = field(default_factory=Counter)

    def add(self, other: Planned) -> None:
        self.planned += other.planned
        self.skipped += other.skipped


@dataclass(frozen=True)
class Window:
    """What a reader who was served up to `since` gets: the editions up to `newest`, ready to be matched."""

    since: int
    newest: Edition
    day: PaperIndex


class Windows:
    """The windows of one run, by cursor: built when first asked for, the last few kept.

    No window reaches back further than `CATCH_UP` editions, so that a long absence costs no more than a month.
    """

    def __init__(self, newest: Edition) -> None:
        self.newest = newest
        self._first = max(0, (newest.serial or 0) - CATCH_UP)
        self._kept: OrderedDict[int, Window] = OrderedDict()
        self.risers = late_risers.returning(self._editions(self._first))

    def since(self, cursor: int) -> Window:
        since = max(cursor, self._first)
        if since not in self._kept:
            day = PaperIndex.build(load.papers_of(self._editions(since)))
            self._kept[since] = Window(since, self.newest, day)
            if len(self._kept) > KEPT_WINDOWS:
                self._kept.popitem(last=False)
        window = self._kept[since]
        if window.day.remembered > MOST_REMEMBERED:
            window = self._kept[since] = replace(window, day=window.day.afresh())
        self._kept.move_to_end(since)
        return window

    def _editions(self, since: int) -> QuerySet[Edition]:
        released = Edition.objects.filter(state=Edition.State.RELEASED, serial__gt=since)
        return released.filter(serial__lte=self.newest.serial).order_by("serial")


def plan(now: datetime, chunk: int = CHUNK) -> Planned:
    """Plan every reader who is due. Safe to run twice, and in two places at once."""
    total = Planned()
    if restore_guard.check(traits.current(), now):
        return total  # what it would plan may have gone before the database was put back
    _end_pauses(now)
    newest = Edition.objects.filter(state=Edition.State.RELEASED).order_by("-serial").first()
    windows = Windows(newest) if newest else None
    for readers in _chunks(_due(now, newest), chunk):
        failpoint("plan.read")
        total.add(_plan_chunk(readers, windows, now))
    return total


def _end_pauses(now: datetime) -> None:
    """Readers whose pause is over are readers again."""
    over = Subscriber.objects.filter(state=Subscriber.State.PAUSED, next_digest_at__lte=now)
    for readers in _chunks(over, CHUNK):
        for reader in readers:
            services.resume(reader, now)


def _due(now: datetime, newest: Edition | None) -> QuerySet[Subscriber]:
    """Readers to plan now. Those with nothing new stay due while an edition may still come, up to `LATE_LIMIT`."""
    due = Subscriber.objects.filter(state=Subscriber.State.ACTIVE, next_digest_at__lte=now)
    if not due.exists() or awaited(now) is None:
        return due
    served = Q(cursor__gte=newest.serial if newest and newest.serial else 0)
    return due.exclude(served & Q(next_digest_at__gt=now - LATE_LIMIT))


def awaited(now: datetime) -> Edition | None:
    """An edition of today or yesterday that is not out yet but may still come; it may not be stored yet.

    After an outage today's papers have not been pulled, or not been put into an edition. Before the first
    edition of all, everybody waits for it.
    """
    today = now.date()
    stored = {one.date: one for one in Edition.objects.filter(date__range=(today - schedule.DAY, today))}
    stored.setdefault(today, Edition(date=today))
    unreleased = [one for _, one in sorted(stored.items()) if one.state != Edition.State.RELEASED]
    return next((one for one in unreleased if _may_come(one, now)), None)


def _may_come(edition: Edition, now: datetime) -> bool:
    if edition.pk and edition.entries.filter(is_hidden=False).exists():
        return True
    if edition.date != now.date():
        return False
    if edition.pk and now < lifecycle.deadline(edition.date):
        return True
    is_first = not Edition.objects.filter(state=Edition.State.RELEASED).exists()
    return is_first or lifecycle.has_unplaced(edition.date) or coverage.has_unasked(edition.date)


def _chunks(due: QuerySet[Subscriber], size: int) -> Iterable[list[Subscriber]]:
    """Readers in the order of their ids, a chunk at a time (keyset: no chunk is read twice)."""
    last = 0
    while rows := list(due.filter(pk__gt=last).order_by("pk")[:size]):
        yield rows
        last = rows[-1].pk


@retry_on_db_error
def _plan_chunk(readers: Sequence[Subscriber], windows: Windows | None, now: datetime) -> Planned:
    """Match outside the transaction, then write for those who are still as they were read."""
    newest = windows.newest.serial or 0 if windows else 0
    done = Planned()
    timely, late = _by_lateness(readers, now)
    fresh = [one for one in timely if one.cursor < newest]
    missed = [one for one in late if one.cursor < newest]
    idle = [one for one in readers if one.cursor >= newest]
    done.add(_write_skips(missed, {one.pk: reasons.TOO_LATE for one in missed}, now))
    if fresh and windows:
        carried = carry_over.waiting_for([one.pk for one in fresh])
        rows = _rows(fresh, windows, carried, now)
        chosen = [one for one in fresh if one.pk in rows]
        done.add(_write_deliveries(chosen, rows, carried, windows.newest, now))
    why = _why_nothing(now)
    done.add(_write_skips(idle, {one.pk: why for one in idle}, now))
    return done


def _by_lateness(readers: Sequence[Subscriber], now: datetime) -> tuple[list[Subscriber], list[Subscriber]]:
    """Readers whose last due moment can still be kept, and those for whom it is too late on their day."""
    timely: list[Subscriber] = []
    late: list[Subscriber] = []
    for one in readers:
        (timely if now - due_moment(one, now) <= late_limit(one) else late).append(one)
    return timely, late


def due_moment(reader: Subscriber, now: datetime) -> datetime:
    """The reader's last due moment up to now: after days of silence one merged letter is due, not many."""
    first = reader.next_digest_at
    last = schedule.last_due(services.times(reader), now)
    return max(first, last) if first else last


def late_limit(reader: Subscriber) -> timedelta:
    return LATE_LIMIT_WEEKLY if reader.frequency == Frequency.WEEKLY else LATE_LIMIT


def _why_nothing(now: datetime) -> str:
    edition = awaited(now)
    if edition is None:
        return reasons.NOTHING_NEW
    return reasons.EDITION_HELD if edition.state == Edition.State.HELD else reasons.EDITION_LATE


# -- what goes into the rows --------------------------------------------------------------------


def _rows(
    readers: Sequence[Subscriber],
    windows: Windows,
    carried: carry_over.Waiting,
    now: datetime,
) -> dict[int, Delivery]:
    """Reader id -> the row. Whoever breaks the choosing stays due, is named in the log, and stops nobody."""
    wants = load.interests_of([one.pk for one in readers])
    had = late_risers.already_had([one.pk for one in readers], windows.risers)
    rows = {}
    for one in readers:
        window = windows.since(one.cursor)
        try:
            chosen = _choose(one, window.day, wants[one.pk], had.get(one.pk, frozenset()))
        except Exception:
            log.exception("reader %s cannot be planned; tried again at the next turn", one.pk)
            continue
        rows[one.pk] = _row(one, window, wants[one.pk], chosen, carried.get(one.pk, ()), now)
    failpoint("plan.matched")
    return rows


def _choose(reader: Subscriber, day: PaperIndex, wants: Sequence[InterestQuery], had: frozenset[int]) -> Selection:
    without = day.standing(had) if had else 0
    return select(day, wants, reader.papers_per_day, reader.community_picks, reader.exploration, without)


def _row(
    reader: Subscriber,
    window: Window,
    wants: Sequence[InterestQuery],
    chosen: Selection,
    carried: Sequence[Delivery],
    now: datetime,
) -> Delivery:
    due = due_moment(reader, now)
    row = Delivery(
        edition=window.newest,
        subscriber=reader,
        since=reader.cursor,
        matched=chosen.matched,
        local_date=schedule.local_date(reader.zone, due),
        due_at=due,
        next_at=due,
        planned_at=now,
        address_hmac=keyed_hash(reader.email_key),
    )
    papers = to_json(chosen) if _is_worth_it(chosen, wants) else []
    row.papers = carry_over.add(papers, carried)
    _skip_if_empty(row, reasons.NO_MATCH if wants else reasons.NO_INTERESTS, now)
    return row


def _skip_if_empty(row: Delivery, reason: str, now: datetime) -> None:
    """A letter without papers is not sent, but to who wants a line on such days. One that was skipped stays so."""
    wants_a_line = row.subscriber.empty_day == Subscriber.EmptyDay.LINE
    if not row.papers and not wants_a_line and row.state == Delivery.State.PENDING:
        ledger.begin_skipped(row, reason, now)


def _is_worth_it(chosen: Selection, wants: Sequence[InterestQuery]) -> bool:
    """Community picks alone make a letter only for readers who asked for nothing in particular."""
    if chosen.matched or any(reason.kind == PIN for one in chosen.choices for reason in one.reasons):
        return True
    return bool(chosen.choices) and not wants


# -- the transaction ----------------------------------------------------------------------------


def _write_deliveries(
    readers: Sequence[Subscriber],
    rows: dict[int, Delivery],
    carried: carry_over.Waiting,
    newest: Edition,
    now: datetime,
) -> Planned:
    """Insert the rows and move the readers on, or neither."""
    done = Planned()
    with transaction.atomic():
        unchanged = _still_as_read(readers)
        new = [rows[one.pk] for one in unchanged]
        served = _served(unchanged, newest)
        carry_over.look_again(new, carried)
        for row in new:
            _skip_if_empty(row, reasons.NO_MATCH, now)
        inserted = Delivery.objects.bulk_create([row for row in new if row.subscriber_id not in served], batch_size=500)
        failpoint("plan.inserted")
        carry_over.mark([row for row in inserted if row.state == Delivery.State.PENDING], carried)
        _move(unchanged, newest.serial or 0, now)
        failpoint("plan.moved")
    failpoint("plan.committed")
    done.skipped.update(row.reason for row in inserted if row.state == Delivery.State.SKIPPED)
    done.planned = sum(row.state == Delivery.State.PENDING for row in inserted)
    done.skipped += Counter({reasons.ALREADY_SENT: len(served)} if served else {})
    return done


def _served(readers: Sequence[Subscriber], newest: Edition) -> set[int]:
    """Ids of the readers who have a letter of this edition, and of those at whose address another one had it.

    The second kind signed up anew at an address from which a reader moved away since the release.
    """
    letters = Delivery.objects.filter(edition=newest)
    served = set(letters.filter(subscriber__in=readers).values_list("subscriber_id", flat=True))
    since = newest.released_at
    hashes = {keyed_hash(one.email_key): one.pk for one in readers if _is_newer(one, since)}
    if not hashes:
        return served
    moved = Consent.objects.filter(act="moved", at__gte=since).values("subscriber")
    left_behind = letters.filter(address_hmac__in=hashes, subscriber__in=moved)
    return served | {hashes[one] for one in left_behind.values_list("address_hmac", flat=True)}


def _is_newer(reader: Subscriber, since: datetime | None) -> bool:
    return since is not None and reader.confirmed_at is not None and reader.confirmed_at >= since


def _still_as_read(readers: Sequence[Subscriber]) -> list[Subscriber]:
    """Those nobody changed or planned since they were read; locked until the transaction ends."""
    rows = Subscriber.objects.filter(pk__in=[one.pk for one in readers]).order_by("pk")
    if connection.features.has_select_for_update_skip_locked:
        rows = rows.select_for_update(skip_locked=True)
    current = {one.pk: one for one in rows}
    return [one for one in readers if one.pk in current and _same(one, current[one.pk])]


def _same(read: Subscriber, current: Subscriber) -> bool:
    """Neither served meanwhile nor with other wishes for when: both would make the plan a wrong one."""
    return all(
        getattr(read, name) == getattr(current, name) for name in ("state", "cursor", "next_digest_at", *SCHEDULE)
    )


def _move(readers: Sequence[Subscriber], serial: int | None, now: datetime) -> None:
    """Readers with the same moments are moved in one update."""
    by_moments: dict[tuple[datetime, datetime], list[int]] = defaultdict(list)
    for one in readers:
        due = due_moment(one, now)
        by_moments[due, services.next_due_after(one, now, due)].append(one.pk)
    for (due, at), ids in by_moments.items():
        values: dict[str, Any] = {"next_digest_at": at, "served_at": due}
        if serial is not None:
            values["cursor"] = serial
        Subscriber.objects.filter(pk__in=ids).update(**values)


def _write_skips(readers: Sequence[Subscriber], why: dict[int, str], now: datetime) -> Planned:
    """One reason for the reader's day; the cursor stays, so nothing is lost."""
    done = Planned()
    if not readers:
        return done
    with transaction.atomic():
        unchanged = _still_as_read(readers)
        rows = [
            Skip(
                subscriber=one,
                local_date=schedule.local_date(one.zone, due_moment(one, now)),
                reason=why[one.pk],
                at=now,
            )
            for one in unchanged
        ]
        Skip.objects.bulk_create(rows, batch_size=500, ignore_conflicts=True)
        notices.queue_quiet({row.subscriber: _line(row) for row in rows if _wants_a_line(row.subscriber)}, now)
        _move(unchanged, None, now)
    done.skipped.update(why[one.pk] for one in unchanged)
    return done


def _wants_a_line(reader: Subscriber) -> bool:
    return reader.empty_day == Subscriber.EmptyDay.LINE


def _line(skip: Skip) -> tuple[str, str]:
    """The day it is about, and the reason in the reader's own voice."""
    return str(skip.local_date), reasons.to_reader(reasons.sentence(skip.reason))
