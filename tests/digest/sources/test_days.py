"""Scripted bad days, each of which must be noticed, and many normal ones, none of which may be."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import pytest

from digest.models import Announcement, Fetch, Paper, Source
from digest.sources import calendar, checks, client
from digest.sources.ingest import ingest
from digest.sources.parsers import registry
from tests import make
from tests.digest.sources import feeds

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_process")]
BAD_DAY = date(2026, 6, 17)  # a Wednesday
YESTERDAY = BAD_DAY - timedelta(days=1)


def at(day: date) -> datetime:
    """When the day's batch is in: 06:00 UTC, the day after for Hugging Face."""
    return datetime.combine(day, time(6), tzinfo=UTC)


def pulled(source: Source, body: bytes, day: date, kind: str = "") -> Fetch:
    kind = kind or source.kind
    now = at(day + timedelta(days=1)) if kind in {"huggingface", "biorxiv"} else at(day)
    return ingest(source, client.read(kind, (body,), day), now)


def arxiv_source(count: int = 100) -> Source:
    """An arXiv category with eight good working days behind it."""
    days = enumerate(working_days(BAD_DAY, 8))
    return known("arxiv", [(day, feeds.atom(feeds.arxiv_day(day, count, 1 + n * 1_000), day)) for n, day in days])


def huggingface_source(count: int = 30) -> Source:
    days = enumerate(working_days(BAD_DAY, 8))
    return known("huggingface", [(day, feeds.huggingface_day(day, count, 1 + n * 100)) for n, day in days])


def journal_source() -> Source:
    days = enumerate(working_days(BAD_DAY, 8))
    return known("feed", [(day, journal(range(n, n + 20), day)) for n, day in days])


def known(kind: str, batches: list[tuple[date, bytes]]) -> Source:
    """A source whose past batches are written down as `conclude` does, without their papers, which take long."""
    source = make.source(f"{kind}-one", kind=kind)
    for day, body in batches:
        batch = registry.parser(kind).read(body, day)
        now = at(day + timedelta(days=1)) if kind == "huggingface" else at(day)
        Fetch.objects.create(
            source=source, at=now, day=day, outcome="ok", kind=kind, entries=len(batch.entries),
            ids=sorted(checks.ids_of(batch)), profile=checks.profile(batch.entries),
        )  # fmt: skip
    return source


def journal(numbers: range, day: date, **changes: str) -> bytes:
    found = feeds.rss([(f"On matter {n}", f"https://doi.org/10.1000/{n}", day) for n in numbers])
    for old, new in changes.items():
        found = found.replace(old.encode(), new.encode())
    return found


def working_days(end: date, count: int) -> list[date]:
    """The `count` working days before `end`."""
    days, day = [], end
    while len(days) < count:
        day -= timedelta(days=1)
        if not calendar.is_blank("arxiv", day):
            days.append(day)
    return days[::-1]


TODAYS = feeds.arxiv_day(BAD_DAY, 100, 50_000)
GOOD = feeds.atom(TODAYS, BAD_DAY)
PAGE = b"<!DOCTYPE html><html><head><title>Maintenance</title></head><body>Back soon.</body></html>"
YESTERDAYS = feeds.arxiv_day(YESTERDAY, 100, 7_001)
HF = feeds.huggingface_day(BAD_DAY, 30, 5_000)
HF_YESTERDAY = feeds.huggingface_day(YESTERDAY, 30, 701)


def without(field: str) -> bytes:
    return feeds.atom([{**i, field: [] if field == "categories" else ""} for i in TODAYS], BAD_DAY)


def only(*kinds: str) -> bytes:
    return feeds.atom([i for i in TODAYS if i["kind"] in kinds], BAD_DAY)


def some(count: int, of: list[feeds.Item] = TODAYS) -> bytes:
    return feeds.atom(of[:count], BAD_DAY)


def papers(change: Callable[[dict[str, object]], object], body: bytes = HF) -> bytes:
    rows = json.loads(body)
    for row in rows:
        change(row)
    return json.dumps(rows).encode()


def gone(*names: str) -> bytes:
    def drop(row: dict[str, object]) -> None:
        for name in names:
            row.pop(name, None)
            row["paper"].pop(name, None)  # type: ignore[attr-defined]

    return papers(drop)


@dataclass(frozen=True)
class Bad:
    """What came, and what must be concluded from it."""

    body: bytes
    outcome: str
    said: str = ""


ARXIV: dict[str, Bad] = {
    "stale: yesterday's papers with today's date": Bad(feeds.atom(YESTERDAYS, BAD_DAY), "stale"),
    "stale: yesterday's feed as it was": Bad(feeds.atom(YESTERDAYS, YESTERDAY), "stale"),
    "stale: yesterday's with a few new ones": Bad(feeds.atom(YESTERDAYS[:95] + TODAYS[:5], BAD_DAY), "stale"),
    "stale: yesterday's in another order": Bad(feeds.atom(YESTERDAYS[::-1], BAD_DAY), "stale"),
    "stale: a part of yesterday's": Bad(feeds.atom(YESTERDAYS[:50], BAD_DAY), "stale"),
    "stale: nine in ten": Bad(feeds.atom(YESTERDAYS[:90] + TODAYS[90:], BAD_DAY), "stale"),
    "empty on a working day": Bad(feeds.atom([], BAD_DAY), "empty", "suspect"),
    "cut in half": Bad(some(50), "truncated", "end is missing"),
    "cut to a third": Bad(some(33), "truncated"),
    "five entries": Bad(some(5), "truncated"),
    "one entry": Bad(some(1), "truncated"),
    "the second half": Bad(feeds.atom(TODAYS[65:], BAD_DAY), "truncated"),
    "new papers only": Bad(only("new", "cross"), "truncated", "end is missing"),
    "replacements only, many": Bad(
        feeds.atom(feeds.arxiv_day(BAD_DAY, 300, 50_000)[195:], BAD_DAY), "truncated", "head"
    ),
    "cut in the middle of the bytes": Bad(GOOD[: int(len(GOOD) * 0.7)], "truncated", "ends in the middle"),
    "cut after a third of the bytes": Bad(GOOD[: len(GOOD) // 3], "truncated", "not taken"),
    "cut before the end tag": Bad(GOOD[:-7], "truncated"),
    "at arXiv's cap": Bad(feeds.atom(feeds.arxiv_day(BAD_DAY, 2_000, 50_000), BAD_DAY), "truncated", "2,000"),
    "nearly at arXiv's cap": Bad(feeds.atom(feeds.arxiv_day(BAD_DAY, 1_900, 50_000), BAD_DAY), "truncated", "1,900"),
    "a page in place of the feed": Bad(PAGE, "format_error", "HTML page"),
    "JSON in place of the feed": Bad(b'{"error": "try later"}', "format_error"),
    "nothing but words": Bad(b"Service Unavailable", "format_error"),
    "an error feed": Bad(
        GOOD.replace(b"cs.CL updates on arXiv.org", b"Feed error for query: cs.XX"), "format_error", "Feed error"
    ),
    "another publisher's feed": Bad(journal(range(20), BAD_DAY), "format_error", "not one of arXiv"),
    "titles gone": Bad(without("title"), "format_error"),
    "half the titles gone": Bad(
        feeds.atom([{**i, "title": i["title"] if n % 5 == 0 else ""} for n, i in enumerate(TODAYS)], BAD_DAY),
        "format_error",
    ),
    "abstracts gone": Bad(
        GOOD.replace(b"<summary>", b"<other>").replace(b"</summary>", b"</other>"), "format_error", "abstract"
    ),
    "authors gone": Bad(without("authors"), "format_error", "authors"),
    "categories gone": Bad(without("categories"), "format_error", "categories"),
    "a doctype with entities": Bad(b'<!DOCTYPE r [<!ENTITY a "b">]>' + GOOD, "format_error"),
    "UTF-16": Bad(GOOD.decode().encode("utf-16"), "format_error"),
}
HUGGINGFACE: dict[str, Bad] = {
    "stale: yesterday's papers": Bad(HF_YESTERDAY, "stale"),
    "stale: yesterday's with today's date": Bad(
        HF_YESTERDAY.replace(str(YESTERDAY).encode(), str(BAD_DAY).encode()), "stale"
    ),
    "empty on a working day": Bad(b"[]", "empty", "suspect"),
    "five papers": Bad(feeds.huggingface_day(BAD_DAY, 5, 5_000), "truncated"),
    "two papers": Bad(feeds.huggingface_day(BAD_DAY, 2, 5_000), "truncated"),
    "cut early": Bad(HF[: int(len(HF) * 0.4)], "truncated", "not taken"),
    "cut late": Bad(HF[: int(len(HF) * 0.8)], "truncated", "whole entries were taken"),
    "a page": Bad(PAGE, "format_error"),
    "an error": Bad(b'{"error": "Internal Error"}', "format_error", "Internal Error"),
    "strings": Bad(json.dumps(["{'paper': {}}"] * 20).encode(), "format_error"),
    "wrapped in an object": Bad(b'{"data": ' + HF + b"}", "format_error"),
    "ids gone": Bad(gone("id"), "format_error"),
    "titles gone": Bad(gone("title"), "format_error"),
    "abstracts gone": Bad(gone("summary"), "format_error"),
    "authors gone": Bad(gone("authors"), "format_error"),
    "null": Bad(b"null", "format_error"),
}
JOURNAL: dict[str, Bad] = {
    "a page": Bad(PAGE, "format_error"),
    "DOIs gone, addresses new": Bad(
        journal(range(8, 28), BAD_DAY, **{"https://doi.org/10.1000/": "https://new.example/"}), "format_error", "DOI"
    ),
    "abstracts gone": Bad(journal(range(8, 28), BAD_DAY, description="other"), "format_error", "abstract"),
    "broken and short": Bad(
        journal(range(8, 12), BAD_DAY).replace(b"<channel>", b"<channel>&broken <b>"), "format_error"
    ),
}


def test_f57_f58_f59_at_least_forty_bad_days_are_scripted() -> None:
    assert len(ARXIV) + len(HUGGINGFACE) + len(JOURNAL) >= 40


def judged(source: Source, bad: Bad) -> None:
    """The outcome is the one wanted; what is not trusted left nothing behind; the next good day is ok again."""
    before, announced = Paper.objects.count(), Announcement.objects.count()
    fetch = pulled(source, bad.body, BAD_DAY)
    assert fetch.outcome == bad.outcome, fetch.warnings
    assert bad.said in " ".join(fetch.warnings)
    assert fetch.warnings
    if bad.outcome != "truncated":
        assert (Paper.objects.count(), Announcement.objects.count()) == (before, announced)
    source.refresh_from_db()
    assert source.next_pull_at is not None
    assert source.next_pull_at <= fetch.at + timedelta(hours=12)


@pytest.mark.thorough
@pytest.mark.parametrize("name", ARXIV)
def test_f54_f57_f58_f59_a_bad_day_of_arxiv_is_noticed(name: str) -> None:
    judged(arxiv_source(), ARXIV[name])


@pytest.mark.parametrize("name", HUGGINGFACE)
def test_f54_f57_f58_f59_a_bad_day_of_hugging_face_is_noticed(name: str) -> None:
    judged(huggingface_source(), HUGGINGFACE[name])


@pytest.mark.parametrize("name", JOURNAL)
def test_f54_f57_a_bad_day_of_a_journal_is_noticed(name: str) -> None:
    judged(journal_source(), JOURNAL[name])


@pytest.mark.parametrize("body", [GOOD[: len(GOOD) // 2], HF[: len(HF) // 2]])
def test_f54_half_an_answer_of_a_source_without_history_is_truncated_and_not_taken(body: bytes) -> None:
    kind = "arxiv" if body.startswith(b"<") else "huggingface"
    fetch = pulled(make.source(kind, kind=kind), body, BAD_DAY)
    assert (fetch.outcome, fetch.new, Paper.objects.count()) == ("truncated", 0, 0)


@pytest.mark.thorough
def test_f57_a_drifting_source_is_held_and_released_by_a_batch_that_looks_right() -> None:
    source = arxiv_source()
    pulled(source, without("authors"), BAD_DAY)
    source.refresh_from_db()
    assert "authors" in source.held_reason
    assert "releases it" in source.held_reason
    later = BAD_DAY + timedelta(days=1)
    assert pulled(source, feeds.atom(feeds.arxiv_day(later, 100, 60_000), later), later).outcome == "ok"
    source.refresh_from_db()
    assert source.held_reason == ""


def test_f57_a_new_scheme_of_names_is_no_flood_of_new_papers() -> None:
    source = journal_source()
    before = Paper.objects.count()
    moved = journal(range(8, 28), BAD_DAY, **{"https://doi.org/10.1000/": "https://new.example/"})
    assert pulled(source, moved, BAD_DAY).new == 0
    assert Paper.objects.count() == before


def test_f59_a_304_on_a_day_with_news_due_is_stale() -> None:
    source = arxiv_source()
    reply = client.Response("arxiv", "https://rss.arxiv.org/atom/cs.CL", BAD_DAY, status=304)
    assert ingest(source, reply, at(BAD_DAY)).outcome == "stale"
    assert ingest(source, reply, at(YESTERDAY) + timedelta(hours=5)).outcome == "unchanged"


def test_the_same_bytes_on_the_same_day_are_unchanged() -> None:
    source = arxiv_source()
    assert pulled(source, GOOD, BAD_DAY).outcome == "ok"
    again = pulled(source, GOOD, BAD_DAY)
    assert (again.outcome, again.entries, again.known) == ("unchanged", 100, 100)


def test_a_day_asked_again_that_has_shrunk_is_truncated() -> None:
    source = make.source("arxiv-cs-cl")
    assert pulled(source, some(20), BAD_DAY).outcome == "ok"
    assert pulled(source, some(9), BAD_DAY).outcome == "truncated"


@pytest.mark.parametrize(
    ("day", "outcome"), [(date(2026, 6, 19), "holiday"), (date(2026, 6, 20), "empty"), (date(2026, 6, 21), "empty")]
)
def test_f58_a_blank_day_is_no_failure(day: date, outcome: str) -> None:
    source = arxiv_source()
    fetch = pulled(source, feeds.atom([], day), day)
    assert (fetch.outcome, fetch.warnings) == (outcome, [])


def huggingface_days(end: date, count: int) -> Source:
    days = enumerate(working_days(end, count))
    return known("huggingface", [(day, feeds.huggingface_day(day, 30, 1 + n * 100)) for n, day in days])


@pytest.mark.parametrize(
    "day", ["2026-11-26", "2026-11-27", "2026-06-19", "2026-06-22", "2026-09-08", "2026-12-28", "2026-12-30"]
)
def test_hugging_faces_short_day_after_arxivs_holiday_is_no_alarm(day: str) -> None:
    """On the holiday itself, the working day after it, and the Monday after a Friday's."""
    short = date.fromisoformat(day)
    fetch = pulled(huggingface_days(short, 8), feeds.huggingface_day(short, 4, 5_000), short)
    assert (fetch.outcome, fetch.warnings) == ("ok", [])


@pytest.mark.parametrize("day", ["2026-11-25", "2026-11-30", "2026-06-23", "2026-06-18", "2026-09-09"])
def test_hugging_faces_short_day_at_any_other_time_is_one(day: str) -> None:
    short = date.fromisoformat(day)
    fetch = pulled(huggingface_days(short, 8), feeds.huggingface_day(short, 4, 5_000), short)
    assert (fetch.outcome, fetch.warnings) == ("truncated", ["4 entries where 30 are usual."])


def test_a_short_day_after_a_holiday_does_not_make_short_days_usual() -> None:
    friday, monday = date(2026, 11, 27), date(2026, 11, 30)
    source = huggingface_days(friday, 8)
    pulled(source, feeds.huggingface_day(friday, 4, 5_000), friday)
    assert pulled(source, feeds.huggingface_day(monday, 4, 6_000), monday).outcome == "truncated"


SEASONS = {0: 0.85, 1: 1.35, 2: 1.0, 3: 1.0, 4: 0.9}  # arXiv's Tuesday has a weekend's submissions


def counts(chance: random.Random, usual: int, day: date) -> int:
    """A day's count as publishers have them: by weekday, and scattered more than chance alone would; small
    ones more so (cs.SD's captured April has days of 5 and of 28 around a median of 13)."""
    spread = 0.35 if usual < 30 else 0.14
    low = 0.4 if usual < 30 else 0.7
    return max(3, round(usual * SEASONS[day.weekday()] * min(1.9, max(low, chance.lognormvariate(0, spread)))))


@pytest.mark.thorough
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(("kind", "usual"), [("arxiv", 14), ("arxiv", 70), ("huggingface", 22), ("biorxiv", 60)])
def test_normal_days_raise_no_alarm(kind: str, usual: int, seed: int) -> None:
    """Ten months each: weekends and arXiv's holidays blank, every working day as uneven as publishers' are."""
    chance, number, past = random.Random(f"{kind}{usual}{seed}"), 1, list[checks.History]()
    alarms, working, day = [], 0, date(2026, 1, 2)
    while day < date(2026, 11, 1):
        blank = calendar.is_blank(kind, day)
        count = 0 if blank else counts(chance, usual, day)
        batch = registry.parser(kind).read(day_of(kind, day, count, number), day)
        recent = [one for one in past if one.at_day > day - timedelta(days=14)]
        verdict = checks.check(checks.CheckInput(kind, batch, day, calendar.newest_due(kind, after(kind, day)), recent))
        wanted = ("holiday" if calendar.is_holiday(kind, day) else "empty") if blank else "ok"
        if verdict.outcome != wanted or verdict.warnings:
            alarms.append((str(day), count, verdict.outcome, verdict.warnings))
        if count:
            past.insert(0, checks.History(day, day, checks.ids_of(batch), count, checks.profile(batch.entries)))
        number, working, day = number + count, working + (not blank), day + timedelta(days=1)
    assert alarms == []
    assert working >= 200


def after(kind: str, day: date) -> datetime:
    return at(day) if kind == "arxiv" else at(day + timedelta(days=1))


@pytest.mark.slow
def test_two_hundred_normal_days_pulled_and_stored_raise_no_alarm() -> None:
    """The same all the way through the database, for a small category."""
    source, chance, number, outcomes, days = make.source("arxiv-cs-sd"), random.Random(7), 1, set(), 0
    day = date(2026, 1, 2)
    while days < 200:
        count = 0 if calendar.is_blank("arxiv", day) else counts(chance, 8, day)
        outcomes.add((pulled(source, feeds.atom(feeds.arxiv_day(day, count, number), day), day).outcome, bool(count)))
        number, day, days = number + count, day + timedelta(days=1), days + bool(count)
    assert outcomes == {("ok", True), ("empty", False), ("holiday", False)}


def day_of(kind: str, day: date, count: int, first: int) -> bytes:
    if kind == "huggingface":
        return feeds.huggingface_day(day, count, first)
    if kind == "biorxiv":
        same = {"authors": "A, B.", "date": str(day), "version": "1", "abstract": "A cell.", "server": "bioRxiv"}
        named = [(f"Cell {n}", f"10.64898/{day:%Y.%m.%d}.{n}") for n in range(first, first + count)]
        rows = [same | {"title": title, "doi": doi, "category": "cell biology"} for title, doi in named]
        return json.dumps({"messages": [{"status": "ok", "total": str(count)}], "collection": rows}).encode()
    return feeds.atom(feeds.arxiv_day(day, count, first), day)
