"""Plans letters: one delivery row for each due reader, or one reason why there is none.

A digest covers every edition released after the reader's cursor. The row, the moved cursor and the
next due moment are one transaction, so a reader is planned once however often this runs.
"""

from __future__ import annotations

import logging
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

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
from digest.matching.interest_query import PIN, InterestQuery
from digest.matching.select import Selection, select, to_json
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
        return total  # what it would plan may have gone before the database was restored
    over = Subscriber.objects.filter(state=Subscriber.State.PAUSED, next_digest_at__lte=now)
    for readers in _chunks(over, CHUNK):
        for reader in readers:
            services.resume(reader, now)
    newest = Edition.objects.filter(state=Edition.State.RELEASED).order_by("-serial").first()
    windows = None
    if newest:
        windows = Windows(newest)
    for readers in _chunks(_due(now, newest), chunk):
        failpoint("plan.read")
        total.add(_plan_chunk(readers, windows, now))
    return total


def _due(now: datetime, newest: Edition | None) -> QuerySet[Subscriber]:
    """Readers to plan now. Those with nothing new stay due while an edition may still come (`_waits`).

    Most of them are left out here already; only those whose first due moment is long past are read to be looked at.
    """
    due = Subscriber.objects.filter(state=Subscriber.State.ACTIVE, next_digest_at__lte=now)
    if not due.exists() or awaited(now) is None:
        return due
    served = Q(cursor__gte=_serial(newest))
    return due.exclude(served & Q(next_digest_at__gt=now - LATE_LIMIT))


def _serial(edition: Edition | None) -> int:
    if edition is None:
        return 0
    return edition.serial or 0


def awaited(now: datetime) -> Edition | None:
    """An edition of today or yesterday that is not out yet but may still come; it may not be stored yet.

    After an outage today's papers have not been pulled, or not been put into an edition. Before the first
    edition of all, everybody waits for it.
    """
    today = now.date()
    stored = {one.date: one for one in Edition.objects.filter(date__range=(today - schedule.DAY, today))}
    stored.setdefault(today, Edition(date=today))
    for _, edition in sorted(stored.items()):
        if edition.state != Edition.State.RELEASED and _may_come(edition, now):
            return edition
    return None


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
    """Match outside the transaction, then write for those who are still as they were read.

    A reader is fresh (a letter is due), missed (too late on their day) or idle (no edition since the last letter).
    """
    newest = 0
    if windows:
        newest = _serial(windows.newest)
    fresh, missed, idle = [], [], []
    for one in readers:
        if one.cursor >= newest:
            idle.append(one)
        elif now - due_moment(one, now) > late_limit(one):
            missed.append(one)
        else:
            fresh.append(one)
    done = Planned()
    done.add(_write_skips(missed, reasons.TOO_LATE, now))
    if fresh and windows:
        carried = carry_over.waiting_for([one.pk for one in fresh])
        rows = _rows(fresh, windows, carried, now)
        chosen = [one for one in fresh if one.pk in rows]
        done.add(_write_deliveries(chosen, rows, carried, windows.newest, now))
    why = _why_nothing(now)
    if why != reasons.NOTHING_NEW:
        idle = [one for one in idle if not _waits(one, now)]
    done.add(_write_skips(idle, why, now))
    return done


def due_moment(reader: Subscriber, now: datetime) -> datetime:
    """The reader's last due moment up to now: after days without a letter one merged letter is due, not many."""
    first = reader.next_digest_at
    last = schedule.last_due(services.times(reader), now)
    if first is None:
        return last
    return max(first, last)


def late_limit(reader: Subscriber) -> timedelta:
    """How long after their due moment a reader's letter may still go."""
    if reader.frequency == Frequency.WEEKLY:
        return LATE_LIMIT_WEEKLY
    return LATE_LIMIT


def _waits(reader: Subscriber, now: datetime) -> bool:
    """Whether an edition that comes now would still be in time. After days of silence the last due moment counts."""
    return now - due_moment(reader, now) < late_limit(reader)


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
    """Reader id -> the row. A reader whose choosing fails stays due and is named in the log; the others go on."""
    ids = [one.pk for one in readers]
    wants = load.interests_of(ids)
    had = late_risers.already_had(ids, windows.risers)
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
    without = 0
    if had:
        without = day.bits_of(had)
    return select(day, wants, reader.papers_per_day, reader.community_picks, reader.exploration, without)


def _row(
    reader: Subscriber,
    window: Window,
    wants: Sequence[InterestQuery],
    chosen: Selection,
    carried: Sequence[Delivery],
    now: datetime,
) -> Delivery:
    """The letter with its papers. Community picks alone make a letter only for readers who asked for nothing."""
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
    papers = []
    has_pin = any(reason.kind == PIN for one in chosen.choices for reason in one.reasons)
    if chosen.matched or has_pin or not wants:
        papers = to_json(chosen)
    row.papers = carry_over.add(papers, carried)
    reason = reasons.NO_MATCH
    if not wants:
        reason = reasons.NO_INTERESTS
    _skip_if_empty(row, reason, now)
    return row


def _skip_if_empty(row: Delivery, reason: str, now: datetime) -> None:
    """A letter without papers is sent only to readers who want a line on such days. One that was skipped stays so."""
    if row.papers or _wants_a_line(row.subscriber):
        return
    if row.state == Delivery.State.PENDING:
        ledger.begin_skipped(row, reason, now)


def _wants_a_line(reader: Subscriber) -> bool:
    return reader.empty_day == Subscriber.EmptyDay.LINE


# -- the transaction ----------------------------------------------------------------------------


def _write_deliveries(
    readers: Sequence[Subscriber],
    rows: dict[int, Delivery],
    carried: carry_over.Waiting,
    newest: Edition,
    now: datetime,
) -> Planned:
    """Insert the rows and move the readers on, or neither."""
    with transaction.atomic():
        unchanged = _still_as_read(readers)
        served = _served(unchanged, newest)
        new = [rows[one.pk] for one in unchanged]
        carry_over.look_again(new, carried)
        for row in new:
            _skip_if_empty(row, reasons.NO_MATCH, now)
        unserved = [row for row in new if row.subscriber_id not in served]
        inserted = Delivery.objects.bulk_create(unserved, batch_size=500)
        failpoint("plan.inserted")
        waiting = [row for row in inserted if row.state == Delivery.State.PENDING]
        carry_over.mark(waiting, carried)
        _move(unchanged, _serial(newest), now)
        failpoint("plan.moved")
    failpoint("plan.committed")
    done = Planned(planned=len(waiting))
    done.skipped.update(row.reason for row in inserted if row.state == Delivery.State.SKIPPED)
    if served:
        done.skipped[reasons.ALREADY_SENT] += len(served)
    return done


def _served(readers: Sequence[Subscriber], newest: Edition) -> set[int]:
    """Ids of the readers who have a letter of this edition, and of those at whose address another one had it.

    The second kind signed up anew at an address from which a reader moved away since the release.
    """
    letters = Delivery.objects.filter(edition=newest)
    served = set(letters.filter(subscriber__in=readers).values_list("subscriber_id", flat=True))
    since = newest.released_at
    hashes = {}
    for one in readers:
        if since and one.confirmed_at and one.confirmed_at >= since:
            hashes[keyed_hash(one.email_key)] = one.pk
    if not hashes:
        return served
    moved = Consent.objects.filter(act="moved", at__gte=since).values("subscriber")
    left_behind = letters.filter(address_hmac__in=hashes, subscriber__in=moved)
    for address in left_behind.values_list("address_hmac", flat=True):
        served.add(hashes[address])
    return served


def _still_as_read(readers: Sequence[Subscriber]) -> list[Subscriber]:
    """Those nobody changed or planned since they were read; locked until the transaction ends.

    A reader who was served meanwhile, or who changed when letters come, would be planned wrongly.
    """
    rows = Subscriber.objects.filter(pk__in=[one.pk for one in readers]).order_by("pk")
    if connection.features.has_select_for_update_skip_locked:
        rows = rows.select_for_update(skip_locked=True)
    current = {one.pk: one for one in rows}
    names = ("state", "cursor", "next_digest_at", *SCHEDULE)
    unchanged = []
    for one in readers:
        stored = current.get(one.pk)
        if stored and all(getattr(one, name) == getattr(stored, name) for name in names):
            unchanged.append(one)
    return unchanged


def _move(readers: Sequence[Subscriber], serial: int | None, now: datetime) -> None:
    """Write the next due moment, and the cursor if `serial` is given. Readers with the same moments share an update."""
    by_moments: dict[tuple[datetime, datetime], list[int]] = defaultdict(list)
    for one in readers:
        due = due_moment(one, now)
        next_due = services.next_due_after(one, now, due)
        by_moments[due, next_due].append(one.pk)
    for (due, next_due), ids in by_moments.items():
        rows = Subscriber.objects.filter(pk__in=ids)
        if serial is None:
            rows.update(next_digest_at=next_due, served_at=due)
        else:
            rows.update(next_digest_at=next_due, served_at=due, cursor=serial)


def _write_skips(readers: Sequence[Subscriber], reason: str, now: datetime) -> Planned:
    """Write one reason for the reader's day; the cursor stays, so no paper is lost."""
    done = Planned()
    if not readers:
        return done
    sentence = reasons.to_reader(reasons.sentence(reason))
    with transaction.atomic():
        unchanged = _still_as_read(readers)
        rows = []
        lines = {}
        for one in unchanged:
            day = schedule.local_date(one.zone, due_moment(one, now))
            rows.append(Skip(subscriber=one, local_date=day, reason=reason, at=now))
            if _wants_a_line(one):
                lines[one] = (str(day), sentence)
        Skip.objects.bulk_create(rows, batch_size=500, ignore_conflicts=True)
        notices.queue_quiet(lines, now)
        _move(unchanged, None, now)
    if unchanged:
        done.skipped[reason] += len(unchanged)
    return done
