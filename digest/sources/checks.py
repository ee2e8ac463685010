"""What to conclude about a batch, from its content and from the batches before: no clock, no rows.

A stale, empty, short or half batch looks exactly like success to anything that watches status codes.
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

STALE_SHARE = 0.9
ARXIV_CAP, ARXIV_NEARLY = 2_000, 1_900
_ENOUGH_DAYS = 3  # days before a median or a profile says anything
_LARGE = 40  # entries a day from which half of the usual is no accident
_WHOLE_DAY = 60  # entries from which an arXiv day always has both new papers and replacements
_CORE = ("abstract", "authors", "categories", "arxiv", "doi")


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
    """What is judged: a batch, what kind of source gave it, and what is known of the source.

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


def judge(case: CheckInput) -> CheckResult:
    """The first finding that applies, in the order of their weight."""
    verdict = next((found for check in _CHECKS if (found := check(case))), CheckResult(Outcome.OK, take=True))
    return replace(verdict, warnings=(*verdict.warnings, *case.batch.problems, *_rejected_note(case.batch)))


def _rejected_note(batch: Batch) -> tuple[str, ...]:
    return (
        (f"{batch.rejected:,} entries were left out: no title or text, or nothing to know them by.",)
        if batch.rejected
        else ()
    )


def _empty(case: CheckInput) -> CheckResult | None:
    if case.batch.entries or case.batch.rejected:
        return None
    if short := _announced(case):
        return CheckResult(Outcome.TRUNCATED, False, (short,))
    if calendar.is_holiday(case.kind, case.day):
        return CheckResult(Outcome.HOLIDAY, take=False)
    if case.kind not in calendar.ONE_DAY or calendar.is_blank(case.kind, case.day):
        return CheckResult(Outcome.EMPTY, take=False)
    return CheckResult(
        Outcome.EMPTY, False, (f"No entries on a working day ({case.day:%A %-d %B}): suspect, asked again later.",)
    )


def _garbled(case: CheckInput) -> CheckResult | None:
    """Guessed-at or half-rejected answers are trusted only if they hold about as much as usual."""
    read, usual = len(case.batch.entries), _usual(case.past)
    if case.batch.rejected > read:
        why = f"{case.batch.rejected:,} of {case.batch.rejected + read:,} entries could not be read."
        return CheckResult(Outcome.FORMAT_ERROR, False, (why,), hold=why)
    if case.batch.well_formed or not usual or read * 2 >= usual:
        return None
    return CheckResult(
        Outcome.FORMAT_ERROR, False, (f"Not well-formed, and only {read:,} entries where {usual:,.0f} are usual.",)
    )


def _drifted(case: CheckInput) -> CheckResult | None:
    """A field that was always there is gone, or papers go by another kind of name: hold, do not flood."""
    days = [past.profile for past in case.past if past.profile]
    if len(days) < _ENOUGH_DAYS or len(case.batch.entries) < 5 or case.is_backfill:
        return None
    now = profile(case.batch.entries)
    for name in _CORE:
        before = mean(day.get(name, 0.0) for day in days)
        if before >= 0.8 and now[name] < before / 2:
            why = f"{now[name]:.0%} of its entries have {_SAID[name]}; in the last 14 days {before:.0%} had."
            return CheckResult(Outcome.FORMAT_ERROR, False, (why,), hold=why)
    return None


_SAID = {
    "abstract": "an abstract",
    "authors": "authors",
    "categories": "categories",
    "arxiv": "an arXiv id",
    "doi": "a DOI",
}


def _stale(case: CheckInput) -> CheckResult | None:
    """The ids of the batch before, though a newer day claims or should have others."""
    if case.kind not in calendar.ONE_DAY or case.is_backfill or not case.past:
        return None
    last, ids = case.past[0], ids_of(case.batch)
    share = len(ids & last.ids) / len(ids)
    if share < STALE_SHARE or not (case.day > last.day or case.due > last.day):
        return None
    if calendar.is_blank(case.kind, max(case.day, case.due)) or (
        case.day > case.due and calendar.is_blank(case.kind, case.day)
    ):
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
    kept = read * 2 >= usual
    note = (
        "its whole entries were taken"
        if kept
        else f"only {read:,} whole entries where {usual:,.0f} are usual: not taken"
    )
    return CheckResult(Outcome.TRUNCATED, kept, (f"{case.cut} ({note})",))


def _short(case: CheckInput) -> CheckResult | None:
    """At the publisher's cap, or far fewer entries than there should be."""
    why = _capped(case) or _lopsided(case) or (_few(case) if not case.is_backfill else "")
    return CheckResult(Outcome.TRUNCATED, True, (why,)) if why else None


def _capped(case: CheckInput) -> str:
    count = len(case.batch.entries) + case.batch.rejected
    if case.kind == "arxiv" and count >= ARXIV_NEARLY:
        return (
            f"{count:,} rows: arXiv cuts at {ARXIV_CAP:,} and drops new papers first. Ask for fewer categories at once."
        )
    return _announced(case)


def _announced(case: CheckInput) -> str:
    """Fewer entries than the answer itself announces. (A rolling window's total is no promise for one page of it.)"""
    count, total, expected = len(case.batch.entries) + case.batch.rejected, case.batch.total, case.batch.expected
    wanted = total if case.kind in {"biorxiv", "arxiv-list"} else expected
    if case.short or wanted is None or wanted <= count:
        return case.short
    return f"{count:,} of {max(wanted, total or 0) if not count else wanted:,} entries came."


def _lopsided(case: CheckInput) -> str:
    """arXiv sorts new, cross, replace: a day with many of one sort and none of another lost its end or its head."""
    if case.kind != "arxiv" or len(case.batch.entries) < (_WHOLE_DAY if not _usual(case.past) else _telling(case.past)):
        return ""
    kinds = {entry.kind for entry in case.batch.entries}
    if not kinds & {NEW, CROSS}:
        return f"{len(case.batch.entries):,} replacements and not one new paper: the head is missing."
    if not kinds & {REPLACE, REPLACE_CROSS}:
        return f"{len(case.batch.entries):,} new papers and not one replacement: the end is missing."
    return ""


def _telling(past: Sequence[History]) -> float:
    """From how many entries this source's days have replacements: seven would be there by their usual share.

    By chance alone fewer than one day in a thousand of that size has none.
    """
    profiles = [one.profile for one in past if one.profile]
    share = min(mean(one.get(name, 0.0) for one in profiles) for name in ("first", "again")) if profiles else 0.0
    return 7 / share if share else inf


def _few(case: CheckInput) -> str:
    """Under half of what is usual and far below the least of late; or half of what the same day held before.

    Small sources scatter (Hugging Face's captured days go from 5 to 39 around 16): there it is a quarter.
    Days after an arXiv holiday are short by nature: they raise no alarm, and say nothing about other days.
    """
    if case.kind not in calendar.ONE_DAY:
        return ""
    whole = [past for past in case.past if not calendar.is_thin(case.kind, past.day)]
    count, usual = len(case.batch.entries), _usual(whole)
    before = max((past.count for past in case.past if past.day == case.day), default=0)
    if before >= 4 and count * 2 <= before:
        return f"{count:,} entries; the same day had {before:,} when it was asked before."
    share = 2 if usual >= _LARGE else 4
    if calendar.is_thin(case.kind, case.day):
        return ""
    if usual and count * share < usual and count < 0.6 * min(_counts(whole)) and usual - count > 2 * sqrt(usual):
        return f"{count:,} entries where {usual:,.0f} are usual."
    return ""


def _usual(past: Sequence[History]) -> float:
    """The median of the last days' counts; 0 while there are too few to tell."""
    counts = _counts(past)
    return median(counts) if len(counts) >= _ENOUGH_DAYS else 0.0


def _counts(past: Sequence[History]) -> list[int]:
    """What each of the last days held; days that were cut short say nothing about what is usual."""
    return list({one.day: one.count for one in reversed(past) if one.outcome != Outcome.TRUNCATED}.values())


_CHECKS = (_empty, _cut, _garbled, _drifted, _stale, _short)


def ids_of(batch: Batch) -> frozenset[str]:
    """What the publisher calls the batch's entries."""
    return frozenset(entry.source_id for entry in batch.entries)


def profile(entries: Sequence[Entry]) -> dict[str, float]:
    """Which share of the entries has which field."""
    total = max(1, len(entries))
    have = {
        "abstract": sum(bool(e.abstract) for e in entries),
        "authors": sum(bool(e.authors) for e in entries),
        "categories": sum(bool(e.categories) for e in entries),
        "arxiv": sum(bool(e.arxiv_id) for e in entries),
        "doi": sum(bool(e.doi) for e in entries),
    }
    have["again"] = sum(e.kind in {REPLACE, REPLACE_CROSS} for e in entries)
    have["first"] = len(entries) - have["again"]
    return {name: round(count / total, 3) for name, count in have.items()}
