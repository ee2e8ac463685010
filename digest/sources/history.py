"""How the sources are doing: what was stored before, and whether an edition has all it waits for."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet

from digest.models import Announcement, EditionPaper, Fetch, Outcome, Source
from digest.sources import calendar
from digest.sources.checks import History

PROFILE_DAYS = 14
LATELY = timedelta(days=7)  # so far back an edition takes up what came late
_NEWS = (Outcome.OK, Outcome.TRUNCATED)
_TAKEN = (Outcome.OK, Outcome.TRUNCATED, Outcome.UNCHANGED)
_RANK = (
    Outcome.OK,
    Outcome.UNCHANGED,
    Outcome.HOLIDAY,
    Outcome.TRUNCATED,
    Outcome.STALE,
    Outcome.EMPTY,
    Outcome.FORMAT_ERROR,
    Outcome.FAILED,
)


@dataclass(frozen=True, slots=True)
class Coverage:
    """Has the edition all it waits for? `receipt` is JSON for the edition: what was looked at, what was missing."""

    complete: bool
    missing: tuple[str, ...]
    receipt: dict[str, Any]


def history(source: Source, now: datetime, kind: str = "") -> list[History]:
    """The batches stored in the 14 days before `now`, the last pulled first; profiles are compared within a kind."""
    rows = Fetch.objects.filter(
        source=source, outcome__in=_NEWS, at__gt=now - timedelta(days=PROFILE_DAYS), at__lte=now, is_backfill=False
    ).order_by("-at", "-id")
    rows = rows.filter(entries__gt=0)
    newest = rows.values_list("ids", flat=True).first() or []  # only the last batch's ids are compared
    wanted = rows.values_list("day", "at", "entries", "profile", "outcome", "kind")[:60]
    return [
        History(day, at.date(), frozenset(newest if n == 0 else ()), count, shares if same else {}, outcome)
        for n, (day, at, count, shares, outcome, how) in enumerate(wanted)
        for same in [how == (kind or source.kind)]
    ]


def coverage(day: date, now: datetime) -> Coverage:
    """Which sources the edition of `day` waited for, and what each brought.

    It is complete when every enabled daily source is ok for its day, or is known to have had a blank one.
    """
    expected = list(_expected())
    rows = [_row(source, calendar.awaited(source.kind, day), now) for source in expected]
    others = [_other(fetch) for fetch in _others(day, {source.pk for source in expected})]
    missing = tuple(row["name"] for row in rows if not row["complete"])
    receipt = {
        "sources": [*rows, *others],
        "looked_at": _papers(day, [*rows, *others]),
        "missing": list(missing),
        "samples": any(row["sample"] for row in others),
        "complete": not missing,
    }
    return Coverage(not missing, missing, receipt)


def has_unasked(day: date) -> bool:
    """Whether a source was not asked yet for what the edition of `day` waits for, as after an outage."""
    for source in _expected():
        wanted = calendar.awaited(source.kind, day)
        is_off = calendar.is_blank(source.kind, wanted) or calendar.is_holiday(source.kind, wanted)
        if not source.held_reason and not is_off and not source.fetches.filter(day=wanted).exists():
            return True
    return False


def _expected() -> QuerySet[Source]:
    """The sources that an edition waits for."""
    return Source.objects.filter(is_enabled=True, is_daily=True, is_sample=False).order_by("slug")


def _papers(day: date, rows: list[dict[str, Any]]) -> int:
    """How many papers the edition of `day` has looked at: one that several sources announce counts once."""
    slugs = defaultdict(list)
    for row in rows:
        slugs[row["day"]].append(row["slug"])
    announced = Q(pk__in=[])
    for on, some in slugs.items():
        announced |= Q(day=on, source__slug__in=some)
    papers = Announcement.objects.filter(announced).order_by().values_list("paper_id")
    placed = EditionPaper.objects.filter(edition__date=day).order_by().values_list("paper_id")
    return papers.union(placed).count()


def _row(source: Source, day: date, now: datetime) -> dict[str, Any]:
    """What one source brought for its day. `lately`: it is working, so that what is late can be promised."""
    fetches = list(source.fetches.filter(day=day).defer("body", "ids"))
    best = min(fetches, key=lambda fetch: _RANK.index(Outcome(fetch.outcome)), default=None)
    outcome = str(best.outcome) if best else "none"
    blank = calendar.is_blank(source.kind, day)
    if outcome in {"none", "empty"} and calendar.is_holiday(source.kind, day):
        outcome = "holiday"
    done = blank or outcome in {"ok", "unchanged", "holiday"}
    return {
        "slug": source.slug,
        "name": source.name,
        "day": day.isoformat(),
        "outcome": outcome,
        "entries": max((fetch.entries for fetch in fetches if fetch.outcome in _TAKEN), default=0),
        "complete": done and not (source.held_reason and not best),
        "sample": False,
        "lately": not source.held_reason and bool(source.last_ok_at and source.last_ok_at > now - LATELY),
        "why": "" if done else _why(source, best),
    }


def _why(source: Source, best: Fetch | None) -> str:
    if source.held_reason:
        return f"held: {source.held_reason}"
    if best is None:
        return "not pulled yet"
    return str(best.warnings[0]) if best.warnings else Outcome(best.outcome).label


def _others(day: date, expected: set[int]) -> list[Fetch]:
    """The last taken batch of each source that nobody waits for: journals, samples, files."""
    fetches = Fetch.objects.filter(day__gt=day - timedelta(days=1), day__lte=day, outcome__in=_TAKEN)
    fetches = fetches.exclude(source__in=expected).defer("body", "ids").select_related("source").order_by("at")
    return list({fetch.source_id: fetch for fetch in fetches}.values())


def _other(fetch: Fetch) -> dict[str, Any]:
    return {
        "slug": fetch.source.slug,
        "name": fetch.source.name,
        "day": fetch.day.isoformat(),
        "outcome": str(fetch.outcome),
        "entries": fetch.entries,
        "complete": True,
        "sample": fetch.source.is_sample,
        "lately": True,
        "why": "",
    }
