"""Whether an edition has the papers of every source it waits for, and the receipt that says so."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypedDict

from django.db.models import Q, QuerySet

from digest.models import Announcement, EditionPaper, Fetch, Outcome, Source
from digest.sources import calendar

LATELY = timedelta(days=7)  # so far back an edition takes up what came late
_TAKEN = (Outcome.OK, Outcome.TRUNCATED, Outcome.UNCHANGED)
# Of several fetches of a day the best one counts.
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


class SourceRow(TypedDict):
    """What one source brought. `lately`: it brought something within a week, so what is late can be promised."""

    slug: str
    name: str
    day: str  # the publisher's day, ISO
    outcome: str  # of Outcome, or "none" if it was not asked
    entries: int
    complete: bool
    sample: bool
    lately: bool
    why: str  # why it is not complete, for curators


class Receipt(TypedDict):
    """JSON kept on the edition: what was looked at and what was missing."""

    sources: list[SourceRow]
    looked_at: int  # papers
    missing: list[str]  # names of sources
    samples: bool
    complete: bool


@dataclass(frozen=True, slots=True)
class Coverage:
    """Whether the edition has all it waits for, the names of the sources that are missing, and the receipt."""

    complete: bool
    missing: tuple[str, ...]
    receipt: Receipt


def coverage(day: date, now: datetime) -> Coverage:
    """Which sources the edition of `day` waited for, and what each brought.

    It is complete when every enabled daily source is ok for its day, or is known to have had a blank one.
    """
    expected = list(_expected())
    rows = [_row(source, calendar.awaited(source.kind, day), now) for source in expected]
    missing = [row["name"] for row in rows if not row["complete"]]
    others = [_other(fetch) for fetch in _other_fetches(day, expected)]
    receipt: Receipt = {
        "sources": [*rows, *others],
        "looked_at": _papers(day, [*rows, *others]),
        "missing": missing,
        "samples": any(row["sample"] for row in others),
        "complete": not missing,
    }
    return Coverage(not missing, tuple(missing), receipt)


def has_unasked(day: date) -> bool:
    """Whether a source was not asked yet for what the edition of `day` waits for, as after an outage."""
    for source in _expected().filter(held_reason=""):
        wanted = calendar.awaited(source.kind, day)
        if not calendar.is_blank(source.kind, wanted) and not source.fetches.filter(day=wanted).exists():
            return True
    return False


def _expected() -> QuerySet[Source]:
    """The sources that an edition waits for."""
    return Source.objects.filter(is_enabled=True, is_daily=True, is_sample=False).order_by("slug")


def _papers(day: date, rows: list[SourceRow]) -> int:
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


def _row(source: Source, day: date, now: datetime) -> SourceRow:
    fetches = list(source.fetches.filter(day=day).defer("body", "ids"))
    best = min(fetches, key=lambda fetch: _RANK.index(Outcome(fetch.outcome)), default=None)
    outcome = "none"
    if best:
        outcome = str(best.outcome)
    if outcome in {"none", "empty"} and calendar.is_holiday(source.kind, day):
        outcome = "holiday"
    is_done = calendar.is_blank(source.kind, day) or outcome in {"ok", "unchanged", "holiday"}
    is_held = bool(source.held_reason)
    return {
        "slug": source.slug,
        "name": source.name,
        "day": day.isoformat(),
        "outcome": outcome,
        "entries": max((fetch.entries for fetch in fetches if fetch.outcome in _TAKEN), default=0),
        "complete": is_done and not (is_held and best is None),
        "sample": False,
        "lately": not is_held and source.last_ok_at is not None and source.last_ok_at > now - LATELY,
        "why": "" if is_done else _why(source, best),
    }


def _why(source: Source, best: Fetch | None) -> str:
    if source.held_reason:
        return f"held: {source.held_reason}"
    if best is None:
        return "not pulled yet"
    if best.warnings:
        return str(best.warnings[0])
    return Outcome(best.outcome).label


def _other_fetches(day: date, expected: Sequence[Source]) -> list[Fetch]:
    """The last taken fetch of each source that no edition waits for: journals, samples, files."""
    fetches = Fetch.objects.filter(day__gt=day - timedelta(days=1), day__lte=day, outcome__in=_TAKEN)
    fetches = fetches.exclude(source__in=expected).defer("body", "ids").select_related("source").order_by("at")
    return list({fetch.source_id: fetch for fetch in fetches}.values())


def _other(fetch: Fetch) -> SourceRow:
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
