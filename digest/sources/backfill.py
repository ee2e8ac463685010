"""Days gone by, asked for again: by date range or by ids, each kind in the way its publisher offers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from urllib.parse import urlsplit

from digest.models import Fetch, Source
from digest.papers import identifiers
from digest.sources import client
from digest.sources.ingest import ingest

LONGEST = timedelta(days=3_700)
IDS_A_CALL = 100
API = "https://export.arxiv.org/api/query"
Progress = Callable[[str], None]


class BackfillError(ValueError):
    """It cannot be asked for so; the message says what can."""


def api_address(category: str) -> str:
    """arXiv's API for what was submitted to a category from {day} to {until}, page by page."""
    window = "submittedDate:[{compact}0000+TO+{compact_until}2359]"
    words = "&start={cursor}&max_results={rows}&sortBy=submittedDate&sortOrder=ascending"
    return f"{API}?search_query=cat:{category}+AND+{window}{words}"


def days(source: Source, first: date, last: date, now: datetime, say: Progress) -> Iterator[Fetch]:
    """Ask for every day from `first` to `last`, telling `say` as it goes. Raises BackfillError before it begins.

    Each fetch stands for itself: what fails can be asked for again, what is known is stored once.
    """
    if first > last or last - first > LONGEST:
        raise BackfillError("Give the days from the earlier to the later, and no more than ten years of them.")
    if last > now.date():
        raise BackfillError(f"{last} is still to come. The last day that can be asked for is {now.date()}.")
    kind, template, period = _way(source)
    return _asked(source, kind, template, list(_spans(first, last, period)), now, say)


def _asked(
    source: Source, kind: str, template: str, spans: Sequence[tuple[date, date]], now: datetime, say: Progress
) -> Iterator[Fetch]:
    for n, (start, end) in enumerate(spans, 1):
        started = time.monotonic()
        reply = client.request(kind, template, start, until=end)
        reply.seconds = time.monotonic() - started
        fetch = ingest(source, reply, now, is_backfill=True)
        say(f"{n} of {len(spans)}: {start}{f' to {end}' if end > start else ''}: {fetch.outcome}, {fetch.new} new")
        yield fetch


def _way(source: Source) -> tuple[str, str, str]:
    """How this source's past is asked for: the kind of answer, the address, and what one request covers."""
    if source.kind == Source.Kind.ARXIV:
        return Source.Kind.ARXIV_API, _api_of(source), "day"
    if source.kind == Source.Kind.OAI:
        return source.kind, _until_too(source.url), "week"
    for period in ("month", "week", "day", "compact"):
        if "{" + period + "}" in source.url:
            return source.kind, source.url, period
    raise BackfillError(f"{source.name} shows only what is new; its publisher offers no past days to ask for.")


def missed_day(source: Source, day: date, now: datetime) -> Fetch:
    """Ask for one announcement day that was never got."""
    kind, template, _ = _way(source)
    return ingest(source, asked_for(source, kind, template, day), now, is_backfill=True)


def asked_for(source: Source, kind: str, template: str, day: date) -> client.Response:
    """What one of a source's addresses answers for its day.

    arXiv's API knows days of submission: a feed's day announces what was submitted up to four days before.
    """
    by_submission = kind == Source.Kind.ARXIV_API and source.kind != kind
    first, last = (day - timedelta(days=4), day - timedelta(days=1)) if by_submission else (day, day)
    started = time.monotonic()
    reply = client.request(kind, template, first, until=last)
    reply.asked, reply.seconds = day, time.monotonic() - started
    return reply


def _api_of(source: Source) -> str:
    """The API's address among the source's fallbacks, else made from the category its address names."""
    listed = next((url for kind, url in source.fallbacks if kind == Source.Kind.ARXIV_API), "")
    categories = urlsplit(source.url).path.rpartition("/")[2].split("+")
    if not listed and not categories[0]:
        raise BackfillError(f"{source.name} has no address that names a category. Give it one.")
    return listed or api_address(categories[0] if len(categories) == 1 else f"({'+OR+cat:'.join(categories)})")


def _until_too(url: str) -> str:
    return url if "until=" in url else f"{url}&until={{until}}"


def _spans(first: date, last: date, period: str) -> Iterator[tuple[date, date]]:
    """The days from `first` to `last` in calendar days, ISO weeks or months."""
    while first <= last:
        end = min(last, _end(first, period))
        yield first, end
        first = end + timedelta(days=1)


def _end(day: date, period: str) -> date:
    if period == "week":
        return day + timedelta(days=6 - day.weekday())
    if period == "month":
        return (day.replace(day=1) + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    return day


def ids(source: Source, wanted: Sequence[str], now: datetime, say: Progress) -> Iterator[Fetch]:
    """Ask arXiv's API for papers by their ids, a hundred a call."""
    good = [identifiers.arxiv(text.removeprefix("arXiv:"))[0] for text in wanted]
    if not wanted or not all(good):
        bad = next((text for text, found in zip(wanted, good, strict=True) if not found), "")
        raise BackfillError(f"{bad!r} is not an arXiv id such as 2504.02302 or hep-ex/0307015.")
    base = _api_of(source).partition("?")[0] if source.kind == Source.Kind.ARXIV else API
    return _by_ids(source, base, good, now, say)


def _by_ids(source: Source, base: str, wanted: Sequence[str], now: datetime, say: Progress) -> Iterator[Fetch]:
    for start in range(0, len(wanted), IDS_A_CALL):
        some = wanted[start : start + IDS_A_CALL]
        reply = client.request(
            Source.Kind.ARXIV_API, f"{base}?id_list={','.join(some)}&max_results={len(some)}", now.date()
        )
        fetch = ingest(source, reply, now, is_backfill=True)
        say(f"{start + len(some)} of {len(wanted)} ids: {fetch.outcome}, {fetch.entries} found, {fetch.new} new")
        yield fetch
