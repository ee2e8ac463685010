"""Checks a response, and writes the papers, the fetch and the source's state in one transaction."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from django.db import IntegrityError, OperationalError, transaction

from digest.models import Fetch, Outcome, Source
from digest.papers import store
from digest.papers.entry import Batch, CutShortError, FormatError
from digest.sources import calendar, checks, client, history, host_limits, moves, schedule
from digest.sources.checks import CheckInput, CheckResult, History
from digest.sources.fetch import FetchError
from digest.sources.parsers import registry
from digest.sources.parsers.sandbox import KilledError

KEPT_BODIES = 10  # raw answers kept a source, for replay
KILLS_BEFORE_QUARANTINE = 3
_WELL = {Outcome.OK, Outcome.UNCHANGED}
_STATE = (
    "kills", "failures", "last_outcome", "held_reason", "last_ok_at", "etag", "last_modified", "next_pull_at",
)  # fmt: skip
_GOOD = {Outcome.OK, Outcome.UNCHANGED, Outcome.HOLIDAY, Outcome.EMPTY, Outcome.TRUNCATED}


@dataclass(frozen=True, slots=True)
class Arrival:
    """A response to one source, and how it came: asked for now, for a past day, or read from a file."""

    source: Source
    reply: client.Response
    now: datetime
    past: list[History]  # the batches stored before, the last pulled first
    is_backfill: bool = False
    is_file: bool = False

    def due(self) -> date:
        """The newest day that should be out. Who reads each day's file on that very day has today's due."""
        kind, today = self.reply.kind, self.now.date()
        due = calendar.newest_due(kind, self.now)
        is_same_day = bool(self.past) and self.past[0].at_day <= self.past[0].day
        if self.is_file and is_same_day and not calendar.is_blank(kind, today):
            return max(due, today)
        return due


@dataclass(frozen=True, slots=True)
class Found:
    """The result of the checks, the day it is about, and the batch that was checked."""

    result: CheckResult
    day: date
    batch: Batch | None = None


def ingest(
    source: Source, reply: client.Response, now: datetime, *, is_backfill: bool = False, is_file: bool = False
) -> Fetch:
    """Check the response, store what is trusted, and write the fetch. All of it happens or none of it."""
    past = history.history(source, now, reply.kind)
    arrival = Arrival(source, reply, now, past, is_backfill, is_file)
    found = _found(arrival)
    for tries_left in (2, 1, 0):
        try:
            with transaction.atomic():
                return _write(arrival, found)
        except (IntegrityError, OperationalError):
            # Another worker stored one of the papers in the same moment: now it is known. (Or they waited for
            # each other, and the database ended this one.)
            if not tries_left:
                raise
    raise AssertionError("unreachable")


def _found(arrival: Arrival) -> Found:
    reply, past = arrival.reply, arrival.past
    if reply.fault and not isinstance(reply.fault, CutShortError):
        outcome = Outcome.FORMAT_ERROR if isinstance(reply.fault, FormatError) else Outcome.FAILED
        return Found(CheckResult(outcome, False, (str(reply.fault),)), reply.asked)
    is_same = reply.unchanged or (not arrival.is_backfill and _is_same_body(arrival))
    if reply.batch is None or is_same:
        day = past[0].day if past else reply.asked
        return Found(_again(arrival), day, reply.batch)
    return _checked(arrival, reply.batch)


def _checked(arrival: Arrival, batch: Batch) -> Found:
    source, reply, today = arrival.source, arrival.reply, arrival.now.date()
    batch = store.sane(batch, today)
    is_window = reply.kind == source.kind and not registry.of(reply.kind).is_one_day
    if is_window and not arrival.is_backfill and not source.is_sample:
        batch = store.dated(batch, source, today)
    day = batch.day or reply.asked
    if day > today + timedelta(days=1):
        day = reply.asked
    cut = str(reply.fault or "")
    given = CheckInput(reply.kind, batch, day, arrival.due(), arrival.past, cut, reply.short, arrival.is_backfill)
    return Found(checks.check(given), day, batch)


def _is_same_body(arrival: Arrival) -> bool:
    """The very bytes of the last answer, on the same day: nothing to check."""
    source, now, digest = arrival.source, arrival.now, _sha256(arrival.reply.pages)
    good = Fetch.objects.filter(source=source, outcome__in=_GOOD, at__lte=now, entries__gt=0)
    last = good.order_by("-at", "-id").only("at", "body_sha256").first()
    if last is None or not digest:
        return False
    return last.at.date() == now.date() and last.body_sha256 == digest


def _again(arrival: Arrival) -> CheckResult:
    """The same as before: nothing new, or (when a newer day is due) yesterday's again."""
    reply, past, due = arrival.reply, arrival.past, arrival.due()
    if reply.unchanged and past and registry.of(reply.kind).is_one_day and due > past[0].day:
        why = f"Unchanged since {past[0].day}, though {due} is due: asked again later."
        return CheckResult(Outcome.STALE, False, (why,))
    return CheckResult(Outcome.UNCHANGED, False)


def _write(arrival: Arrival, found: Found) -> Fetch:
    source, reply, now = arrival.source, arrival.reply, arrival.now
    result, batch = found.result, found.batch
    stored = _counts(result, batch)
    if batch and result.take:
        stored = store.store(batch, source, found.day, now, registry.of(source.kind).authority)
        if result.outcome == Outcome.OK and not stored.announced and not stored.updated:
            result = replace(result, outcome=Outcome.UNCHANGED)
    row = Fetch(
        source=source,
        at=now,
        day=found.day,
        outcome=result.outcome,
        http_status=reply.status,
        kind=reply.kind,
        new=stored.new,
        updated=stored.updated,
        known=stored.known,
        rejected=stored.rejected,
        warnings=list(result.warnings),
        url=reply.url[:500],
        is_backfill=arrival.is_backfill,
        seconds=round(reply.seconds, 3),
    )
    if batch:
        row.entries = len(batch.entries) + batch.rejected
    if reply.pages:
        row.body_sha256 = _sha256(reply.pages)
        row.body = client.kept(reply.pages)
    if batch and result.take:
        row.ids = sorted(checks.ids_of(batch))
        row.profile = checks.profile(batch.entries)
    if not arrival.is_file or result.outcome in _WELL:  # a bad file is no fault of the publisher's
        _update_source(arrival, result, row)
    row.save()
    _forget_old_bodies(source)
    return row


def _counts(result: CheckResult, batch: Batch | None) -> store.Stored:
    """The counts where nothing is stored: what came again is known, what is not trusted is neither."""
    if batch is None:
        return store.Stored()
    if result.outcome == Outcome.UNCHANGED:
        return store.Stored(known=len(batch.entries), rejected=batch.rejected)
    return store.Stored(rejected=batch.rejected)


def _sha256(pages: tuple[bytes, ...]) -> str:
    if not pages:
        return ""
    return hashlib.sha256(b"".join(pages)).hexdigest()


def _update_source(arrival: Arrival, result: CheckResult, row: Fetch) -> None:
    """Its state after this pull. A file or a backfill says nothing about when to ask the publisher again."""
    source, reply, now = arrival.source, arrival.reply, arrival.now
    is_good = result.outcome in _GOOD
    is_aside = arrival.is_backfill or arrival.is_file
    source.kills = source.kills + 1 if isinstance(reply.fault, KilledError) else 0
    source.failures = 0 if is_good else source.failures + 1
    source.last_outcome = result.outcome
    source.held_reason = _hold(source, result, str(reply.fault))[:300]
    if result.outcome in _WELL:
        source.last_ok_at = now
    if is_good and not is_aside:
        source.etag = reply.etag or source.etag
        source.last_modified = reply.last_modified or source.last_modified
    changed: set[str] = set()
    if not is_aside:
        source.next_pull_at = _next(source, reply, result, row, now)
        changed = _follow(source, reply, row, now)
    source.save(update_fields=[*_STATE, *changed - {*_STATE}])


def _follow(source: Source, reply: client.Response, row: Fetch, now: datetime) -> set[str]:
    """What the publisher says of the address. Returns which fields it changed: a curator may be changing others."""
    before = {name: getattr(source, name) for name in moves.FIELDS}
    row.warnings = [*row.warnings, *moves.follow(source, reply, now)]
    return {name for name, value in before.items() if getattr(source, name) != value}


def _hold(source: Source, result: CheckResult, fault: str) -> str:
    """Why its batches are kept out. A batch that looks right again releases it; a quarantine only a curator."""
    if source.kills >= KILLS_BEFORE_QUARANTINE:
        return f"quarantined after {source.kills} answers that had to be stopped: {fault} A curator can try it again."
    if result.hold:
        return f"{result.hold} A batch that looks as before releases it, or a curator who accepts the new form."
    return source.held_reason if not result.take and result.outcome != Outcome.UNCHANGED else ""


def _next(source: Source, reply: client.Response, result: CheckResult, row: Fetch, now: datetime) -> datetime:
    wait = client.wait_of(reply.fault) or _throttled(source, reply)
    if wait:
        host_limits.back_off(reply.url, now + wait)
        return now + wait
    if isinstance(reply.fault, FetchError) and reply.fault.permanent:
        return now + timedelta(hours=24)
    told = result.outcome != Outcome.EMPTY or calendar.is_blank(source.kind, row.day)
    satisfied = told and row.day >= calendar.newest_due(source.kind, now)
    every = timedelta(seconds=source.pull_every)
    outcome, spread = Outcome(result.outcome), schedule.spread_of(source.slug)
    return schedule.next_pull(source.kind, outcome, source.failures, every, now, satisfied=satisfied, spread=spread)


def _throttled(source: Source, reply: client.Response) -> timedelta | None:
    """arXiv also throttles without saying for how long, with 403 as well as 429: longer each time."""
    if host_limits.name(reply.url) not in host_limits.IN_TURN or reply.status not in {403, 429, 503}:
        return None
    return min(schedule.FIRST_RETRY * 2 ** min(source.failures, 6), schedule.LONGEST_RETRY)


def _forget_old_bodies(source: Source) -> None:
    """Keep the raw bytes of the last batches only; the fetches themselves stay."""
    with_body = Fetch.objects.filter(source=source, body__isnull=False).order_by("-at", "-id")
    old = list(with_body.values_list("pk", flat=True)[KEPT_BODIES : KEPT_BODIES + 100])
    if old:
        Fetch.objects.filter(pk__in=old).update(body=None, ids=[])
