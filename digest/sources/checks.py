"""Checks a batch by its content and by the batches before it. Pure: no clock, no rows.

The HTTP status of a stale, empty or short batch is that of a good one, so the content decides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from math import inf, sqrt
from statistics import mean, median

from digest.models import Outcome
from digest.papers.entry import CROSS, NEW, REPLACE, REPLACE_CROSS, Batch, Entry
from digest.sources import calendar
from digest.sources.parsers import registry

STALE_SHARE = 0.9
_NEARLY = 0.95  # of the publisher's limit of rows
_ENOUGH_DAYS = 3  # days before a median or a profile says anything
_LARGE = 40  # entries a day from which half of the usual is no accident
_WHOLE_DAY = 60  # entries from which an arXiv day always has both new papers and replacements
_CORE = {
    "abstract": "an abstract",
    "authors": "authors",
    "categories": "categories",
    "arxiv": "an arXiv id",
    "doi": "a DOI",
}


@dataclass(frozen=True, slots=True)
class History:
    """A batch that was stored before."""

    day: date
    at_day: date  # the day it was pulled
    ids: frozenset[str]
    count: int
    profile: Mapping[str, float]
    outcome: str = "ok"


@dataclass(frozen=True, slots=True)
class CheckInput:
    """What is checked: a batch, what kind of source gave it, and what is known of the source.

    `day` is the publisher's day the batch is taken for, `due` the newest day that should be out,
    `past` the stored batches of the last 14 days, newest first. `cut` says why it is known to break off, `short` that
    its publisher announces more than came.
    """

    kind: str
    batch: Batch
    day: date
    due: date
    past: Sequence[History] = ()
    cut: str = ""
    short: str = ""
    is_backfill: bool = False


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The outcome, whether the entries are taken, what to say, and why the source is held (if it is)."""

    outcome: Outcome
    take: bool
    warnings: tuple[str, ...] = ()
    hold: str = ""


def check(case: CheckInput) -> CheckResult:
    """The first finding that applies, in the order of their weight."""
    result = CheckResult(Outcome.OK, take=True)
    for one in _CHECKS:
        found = one(case)
        if found:
            result = found
            break
    notes = [*result.warnings, *case.batch.problems]
    if case.batch.rejected:
        notes.append(f"{case.batch.rejected:,} entries were left out: no title or text, or nothing to know them by.")
    return replace(result, warnings=tuple(notes))


def _empty(case: CheckInput) -> CheckResult | None:
    if case.batch.entries or case.batch.rejected:
        return None
    short = _announced(case)
    if short:
        return CheckResult(Outcome.TRUNCATED, False, (short,))
    if calendar.is_holiday(case.kind, case.day):
        return CheckResult(Outcome.HOLIDAY, take=False)
    if not registry.of(case.kind).is_one_day or calendar.is_blank(case.kind, case.day):
        return CheckResult(Outcome.EMPTY, take=False)
    why = f"No entries on a working day ({case.day:%A %-d %B}): suspect, asked again later."
    return CheckResult(Outcome.EMPTY, False, (why,))


def _garbled(case: CheckInput) -> CheckResult | None:
    """Guessed-at or half-rejected answers are trusted only if they hold about as much as usual."""
    read, usual = len(case.batch.entries), _usual(case.past)
    if case.batch.rejected > read:
        why = f"{case.batch.rejected:,} of {case.batch.rejected + read:,} entries could not be read."
        return CheckResult(Outcome.FORMAT_ERROR, False, (why,), hold=why)
    if case.batch.well_formed or not usual or read * 2 >= usual:
        return None
    why = f"Not well-formed, and only {read:,} entries where {usual:,.0f} are usual."
    return CheckResult(Outcome.FORMAT_ERROR, False, (why,))


def _drifted(case: CheckInput) -> CheckResult | None:
    """A field that was always there is gone, or papers go by another kind of name: hold, do not flood."""
    days = [past.profile for past in case.past if past.profile]
    if len(days) < _ENOUGH_DAYS or len(case.batch.entries) < 5 or case.is_backfill:
        return None
    now = profile(case.batch.entries)
    for name, words in _CORE.items():
        before = _mean(days, name)
        if before >= 0.8 and now[name] < before / 2:
            why = f"{now[name]:.0%} of its entries have {words}; in the last 14 days {before:.0%} had."
            return CheckResult(Outcome.FORMAT_ERROR, False, (why,), hold=why)
    return None


def _stale(case: CheckInput) -> CheckResult | None:
    """The ids of the batch before, though a newer day claims or should have others."""
    if not registry.of(case.kind).is_one_day or case.is_backfill or not case.past:
        return None
    last, ids = case.past[0], ids_of(case.batch)
    share = len(ids & last.ids) / len(ids)
    if share < STALE_SHARE or not (case.day > last.day or case.due > last.day):
        return None
    if calendar.is_blank(case.kind, max(case.day, case.due)):
        return CheckResult(Outcome.UNCHANGED, False, (f"The entries of {last.day} again, on a blank day.",))
    why = f"{share:.0%} of its entries were in the batch of {last.day}: yesterday's papers again, asked again later."
    return CheckResult(Outcome.STALE, False, (why,))


def _cut(case: CheckInput) -> CheckResult | None:
    """It breaks off: whole entries are taken if there are at least half as many as usual."""
    if not case.cut:
        return None
    usual, read = _usual(case.past), len(case.batch.entries)
    if not usual:
        why = f"{case.cut} ({read:,} whole entries, and no days before to measure them against: not taken)"
        return CheckResult(Outcome.TRUNCATED if read else Outcome.FORMAT_ERROR, False, (why,))
    if read * 2 >= usual:
        return CheckResult(Outcome.TRUNCATED, True, (f"{case.cut} (its whole entries were taken)",))
    why = f"{case.cut} (only {read:,} whole entries where {usual:,.0f} are usual: not taken)"
    return CheckResult(Outcome.TRUNCATED, False, (why,))


def _short(case: CheckInput) -> CheckResult | None:
    """At the publisher's cap, or far fewer entries than there should be."""
    why = _capped(case) or _announced(case) or _lopsided(case) or _few(case)
    if not why:
        return None
    return CheckResult(Outcome.TRUNCATED, True, (why,))


def _capped(case: CheckInput) -> str:
    count, limit = len(case.batch.entries) + case.batch.rejected, registry.of(case.kind).row_limit
    if not limit or count < _NEARLY * limit:
        return ""
    return f"{count:,} rows: arXiv cuts at {limit:,} and drops new papers first. Ask for fewer categories at once."


def _announced(case: CheckInput) -> str:
    """Fewer entries than the answer itself announces. (A rolling window's total is no promise for one page of it.)"""
    if case.short:
        return case.short
    count, wanted = len(case.batch.entries) + case.batch.rejected, case.batch.expected
    if registry.of(case.kind).total_is_whole:
        wanted = case.batch.total
    if wanted is None or wanted <= count:
        return ""
    if not count:
        wanted = max(wanted, case.batch.total or 0)
    return f"{count:,} of {wanted:,} entries came."


def _lopsided(case: CheckInput) -> str:
    """arXiv sorts new, cross, replace: a day with many of one sort and none of another lost its end or its head."""
    count = len(case.batch.entries)
    if not registry.of(case.kind).has_sections or count < _whole_day(case.past):
        return ""
    kinds = {entry.kind for entry in case.batch.entries}
    if not kinds & {NEW, CROSS}:
        return f"{count:,} replacements and not one new paper: the head is missing."
    if not kinds & {REPLACE, REPLACE_CROSS}:
        return f"{count:,} new papers and not one replacement: the end is missing."
    return ""


def _whole_day(past: Sequence[History]) -> float:
    """From how many entries this source's days have replacements: seven would be there by their usual share.

    By chance alone fewer than one day in a thousand of that size has none.
    """
    if not _usual(past):
        return _WHOLE_DAY
    profiles = [one.profile for one in past if one.profile]
    if not profiles:
        return inf
    share = min(_mean(profiles, "first"), _mean(profiles, "again"))
    return 7 / share if share else inf


def _mean(profiles: Sequence[Mapping[str, float]], name: str) -> float:
    return mean(profile.get(name, 0.0) for profile in profiles)


def _few(case: CheckInput) -> str:
    """Under half of what is usual and far below the least of late; or half of what the same day held before.

    Small sources scatter (Hugging Face's captured days go from 5 to 39 around 16): there it is a quarter.
    Days after an arXiv holiday are short by nature: they raise no alarm, and say nothing about other days.
    """
    if case.is_backfill or not registry.of(case.kind).is_one_day:
        return ""
    count = len(case.batch.entries)
    before = max((past.count for past in case.past if past.day == case.day), default=0)
    if before >= 4 and count * 2 <= before:
        return f"{count:,} entries; the same day had {before:,} when it was asked before."
    if calendar.is_thin(case.kind, case.day):
        return ""
    whole = [past for past in case.past if not calendar.is_thin(case.kind, past.day)]
    usual = _usual(whole)
    if not usual:
        return ""
    share = 2 if usual >= _LARGE else 4
    least = min(_counts(whole))
    if count * share < usual and count < 0.6 * least and usual - count > 2 * sqrt(usual):
        return f"{count:,} entries where {usual:,.0f} are usual."
    return ""


def _usual(past: Sequence[History]) -> float:
    """The median of the last days' counts; 0 while there are too few to tell."""
    counts = _counts(past)
    if len(counts) < _ENOUGH_DAYS:
        return 0.0
    return median(counts)


def _counts(past: Sequence[History]) -> list[int]:
    """What each of the last days held; days that were cut short say nothing about what is usual."""
    by_day: dict[date, int] = {}
    for one in reversed(past):
        if one.outcome != Outcome.TRUNCATED:
            by_day[one.day] = one.count
    return list(by_day.values())


_CHECKS = (_empty, _cut, _garbled, _drifted, _stale, _short)


def ids_of(batch: Batch) -> frozenset[str]:
    """What the publisher calls the batch's entries."""
    return frozenset(entry.source_id for entry in batch.entries)


def profile(entries: Sequence[Entry]) -> dict[str, float]:
    """Field -> the share (0 to 1) of the entries that have it; `again` are replacements, `first` all others."""
    have = dict.fromkeys([*_CORE, "again"], 0)
    for entry in entries:
        have["abstract"] += bool(entry.abstract)
        have["authors"] += bool(entry.authors)
        have["categories"] += bool(entry.categories)
        have["arxiv"] += bool(entry.arxiv_id)
        have["doi"] += bool(entry.doi)
        have["again"] += entry.kind in {REPLACE, REPLACE_CROSS}
    have["first"] = len(entries) - have["again"]
    return {name: round(count / max(1, len(entries)), 3) for name, count in have.items()}
