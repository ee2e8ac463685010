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
    found = _found(source, reply, past, now, is_backfill, _due(reply.kind, past, now, is_file))
    for tries_left in (2, 1, 0):
        try:
            with transaction.atomic():
                return _write(source, reply, found, now, is_backfill, is_file)
        except (IntegrityError, OperationalError):
            # Another worker stored one of the papers in the same moment: now it is known. (Or they waited for
            # each other, and the database ended this one.)
            if not tries_left:
                raise
    raise AssertionError("unreachable")


def _due(kind: str, past: list[History], now: datetime, is_file: bool) -> date:
    """The newest day that should be out. Who reads each day's file on that very day has today's due."""
    due = calendar.newest_due(kind, now)
    if is_file and past and past[0].at_day <= past[0].day and not calendar.is_blank(kind, now.date()):
        return max(due, now.date())
    return due


def _found(
    source: Source, reply: client.Response, past: list[History], now: datetime, is_backfill: bool, due: date
) -> Found:
    if isinstance(reply.fault, FormatError) and not isinstance(reply.fault, CutShortError):
        return Found(CheckResult(Outcome.FORMAT_ERROR, False, (str(reply.fault),)), reply.asked)
    if reply.fault and not isinstance(reply.fault, CutShortError):
        return Found(CheckResult(Outcome.FAILED, False, (str(reply.fault),)), reply.asked)
    if reply.unchanged or reply.batch is None or (not is_backfill and _same_body(source, reply, now)):
        return Found(_again(reply, past, due), past[0].day if past else reply.asked, reply.batch)
    return _checked(source, reply, reply.batch, past, now, is_backfill, due)


def _checked(
    source: Source,
    reply: client.Response,
    batch: Batch,
    past: list[History],
    now: datetime,
    is_backfill: bool,
    due: date,
) -> Found:
    batch = store.sane(batch, now.date())
    if (
        not registry.of(reply.kind).is_one_day
        and reply.kind == source.kind
        and not is_backfill
        and not source.is_sample
    ):
        batch = store.dated(batch, source, now.date())
    day = batch.day or reply.asked
    if day > now.date() + timedelta(days=1):
        day = reply.asked
    cut = str(reply.fault) if reply.fault else ""
    given = CheckInput(reply.kind, batch, day, due, past, cut, reply.short, is_backfill)
    return Found(checks.check(given), day, batch)


def _same_body(source: Source, reply: client.Response, now: datetime) -> bool:
    """The very bytes of the last answer, on the same day: nothing to check."""
    good = Fetch.objects.filter(source=source, outcome__in=_GOOD, at__lte=now, entries__gt=0)
    last = good.order_by("-at", "-id").values_list("at", "body_sha256").first()
    return last is not None and last[0].date() == now.date() and last[1] == _sha256(reply.pages) != ""


def _again(reply: client.Response, past: list[History], due: date) -> CheckResult:
    """The same as before: nothing new, or (when a newer day is due) yesterday's again."""
    if reply.unchanged and past and registry.of(reply.kind).is_one_day and due > past[0].day:
        why = f"Unchanged since {past[0].day}, though {due} is due: asked again later."
        return CheckResult(Outcome.STALE, False, (why,))
    return CheckResult(Outcome.UNCHANGED, False)


def _write(
    source: Source, reply: client.Response, found: Found, now: datetime, is_backfill: bool, is_file: bool
) -> Fetch:
    result, batch = found.result, found.batch
    stored = _untouched(result, batch)
    if batch and result.take:
        stored = store.store(batch, source, found.day, now, registry.of(source.kind).authority)
        if result.outcome == Outcome.OK and not stored.announced and not stored.updated:
            result = replace(result, outcome=Outcome.UNCHANGED)
    row = Fetch(
        source=source, at=now, day=found.day, outcome=result.outcome, http_status=reply.status, kind=reply.kind,
        entries=len(batch.entries) + batch.rejected if batch else 0,
        new=stored.new, updated=stored.updated, known=stored.known, rejected=stored.rejected,
        warnings=list(result.warnings), url=reply.url[:500], is_backfill=is_backfill, seconds=round(reply.seconds, 3),
    )  # fmt: skip
    _keep_evidence(row, reply, batch if result.take else None)
    if not is_file or result.outcome in _WELL:  # a bad file is no fault of the publisher's
        _update_source(source, reply, result, row, now, is_backfill or is_file)
    row.save()
    _forget_old_bodies(source)
    return row


def _untouched(result: CheckResult, batch: Batch | None) -> store.Stored:
    """The counts where nothing is stored: what came again is known, what is not trusted is neither."""
    known = len(batch.entries) if batch and result.outcome == Outcome.UNCHANGED else 0
    return store.Stored(known=known, rejected=batch.rejected if batch else 0)


def _sha256(pages: tuple[bytes, ...]) -> str:
    if not pages:
        return ""
    return hashlib.sha256(b"".join(pages)).hexdigest()


def _keep_evidence(row: Fetch, reply: client.Response, taken: Batch | None) -> None:
    row.body_sha256 = _sha256(reply.pages)
    if reply.pages:
        row.body = client.kept(reply.pages)
    if taken:
        row.ids = sorted(checks.ids_of(taken))
        row.profile = checks.profile(taken.entries)


def _update_source(
    source: Source, reply: client.Response, result: CheckResult, row: Fetch, now: datetime, is_aside: bool
) -> None:
    """Its state after this pull. A file or a backfill says nothing about when to ask the publisher again."""
    good = result.outcome in _GOOD
    killed = isinstance(reply.fault, KilledError)
    source.kills = source.kills + 1 if killed else 0
    source.failures = 0 if good else source.failures + 1
    source.last_outcome = result.outcome
    source.held_reason = _hold(source, result, str(reply.fault))[:300]
    if result.outcome in _WELL:
        source.last_ok_at = now
    if good and not is_aside:
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
