"""Asks for past days, by date range or by ids, in the way that each kind's record says."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from urllib.parse import urlsplit

from digest.models import Fetch, Source
from digest.papers import identifiers
from digest.sources import client
from digest.sources.ingest import ingest
from digest.sources.parsers import registry

LONGEST = timedelta(days=3_700)
IDS_A_CALL = 100
Progress = Callable[[str], None]


class BackfillError(ValueError):
    """It cannot be asked for so; the message says what can."""


def days(source: Source, first: date, last: date, now: datetime, say: Progress) -> Iterator[Fetch]:
    """Ask for every day from `first` to `last`, telling `say` as it goes. Raises BackfillError before it begins.

    Each fetch stands for itself: what fails can be asked for again, what is known is stored once.
    """
    if first > last or last - first > LONGEST:
        raise BackfillError("Give the days from the earlier to the later, and no more than ten years of them.")
    if last > now.date():
        raise BackfillError(f"{last} is still to come. The last day that can be asked for is {now.date()}.")
    way = _way(source)
    return _asked(source, way, list(_spans(first, last, way.period)), now, say)


@dataclass(frozen=True, slots=True)
class _Way:
    """How a source's past is asked for: the kind of answer, the address, and the days of one request."""

    kind: str
    template: str
    period: str


def _asked(
    source: Source, way: _Way, spans: Sequence[tuple[date, date]], now: datetime, say: Progress
) -> Iterator[Fetch]:
    for n, (start, end) in enumerate(spans, 1):
        started = time.monotonic()
        reply = client.request(way.kind, way.template, start, until=end)
        reply.seconds = time.monotonic() - started
        fetch = ingest(source, reply, now, is_backfill=True)
        until = f" to {end}" if end > start else ""
        say(f"{n} of {len(spans)}: {start}{until}: {fetch.outcome}, {fetch.new} new")
        yield fetch


def _way(source: Source) -> _Way:
    kind = registry.of(source.kind)
    if kind.backfill_kind:
        return _Way(kind.backfill_kind, _address_of_kind(source, kind.backfill_kind), kind.backfill_period)
    if kind.backfill_period:
        template = source.url
        if f"{kind.backfill_until}=" not in template:
            template += f"&{kind.backfill_until}={{until}}"
        return _Way(source.kind, template, kind.backfill_period)
    for period in ("month", "week", "day", "compact"):
        if "{" + period + "}" in source.url:
            return _Way(source.kind, source.url, period)
    raise BackfillError(f"{source.name} shows only what is new; its publisher offers no past days to ask for.")


def missed_day(source: Source, day: date, now: datetime) -> Fetch:
    """Ask for one announcement day that was never got."""
    way = _way(source)
    return ingest(source, response_for(source, way.kind, way.template, day), now, is_backfill=True)


def response_for(source: Source, kind: str, template: str, day: date) -> client.Response:
    """The answer of one of a source's addresses for the announcement day `day`.

    A kind that goes by days of submission is asked for the days before, unless it is the source's own kind.
    """
    first = last = day
    submitted_within = registry.of(kind).submitted_within
    if submitted_within and source.kind != kind:
        first, last = day - timedelta(days=submitted_within), day - timedelta(days=1)
    started = time.monotonic()
    reply = client.request(kind, template, first, until=last)
    reply.asked, reply.seconds = day, time.monotonic() - started
    return reply


def _address_of_kind(source: Source, kind: str) -> str:
    """The source's fallback address of this kind, else one made from the categories its own address names."""
    for fallback, url in source.fallbacks:
        if fallback == kind:
            return str(url)
    categories = urlsplit(source.url).path.rpartition("/")[2].split("+")
    if not categories[0]:
        raise BackfillError(f"{source.name} has no address that names a category. Give it one.")
    return registry.of(kind).addresses_of(categories)[0]


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
    good = [_arxiv_id(text) for text in wanted or ("",)]
    kind = registry.by_ids()
    base, _, query = kind.ids_address.partition("?")
    if registry.of(source.kind).backfill_kind == kind.slug:
        base = _address_of_kind(source, kind.slug).partition("?")[0]
    return _by_ids(source, f"{base}?{query}", good, now, say)


def _arxiv_id(text: str) -> str:
    found, _ = identifiers.arxiv(text.removeprefix("arXiv:"))
    if not found:
        raise BackfillError(f"{text!r} is not an arXiv id such as 2504.02302 or hep-ex/0307015.")
    return found


def _by_ids(source: Source, template: str, wanted: Sequence[str], now: datetime, say: Progress) -> Iterator[Fetch]:
    for start in range(0, len(wanted), IDS_A_CALL):
        some = wanted[start : start + IDS_A_CALL]
        reply = client.request(registry.by_ids().slug, registry.ids_url(template, some), now.date())
        fetch = ingest(source, reply, now, is_backfill=True)
        say(f"{start + len(some)} of {len(wanted)} ids: {fetch.outcome}, {fetch.entries} found, {fetch.new} new")
        yield fetch
