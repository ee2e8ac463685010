"""Pulls the sources that are due, one source, a captured file or the bundled samples."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path

from django.db.models import F, Q
from django.utils.text import slugify

from digest import search
from digest.models import Fetch, Outcome, Source
from digest.sources import backfill, calendar, client, gap_backfill, host_limits, samples, schedule, vote_refresh
from digest.sources.ingest import KILLS_BEFORE_QUARANTINE, ingest
from digest.sources.parsers import registry, sandbox

log = logging.getLogger(__name__)

CLAIM = timedelta(minutes=10)  # how long a worker has before another may pull the same source
AT_ONCE = 4  # hosts asked at the same time


class PullError(ValueError):
    """It cannot be pulled as asked; the message says what to do."""


def pull(source: Source, now: datetime, day: date | None = None) -> Fetch:
    """Ask one source for its newest day (or for `day`), and write down what came."""
    if not source.url:
        raise PullError(f"{source.name} has no address. Give it one, or read a file with pull --file.")
    return _with_fallbacks(source, _ingest_reply(source, _ask(source, now, day), now), now)


_LATE = {Outcome.STALE, Outcome.EMPTY, Outcome.TRUNCATED, Outcome.FORMAT_ERROR, Outcome.FAILED}


def _with_fallbacks(source: Source, fetch: Fetch, now: datetime) -> Fetch:
    """Ask the source's other addresses for the day it is late with; the last word is the first that is ok."""
    if not _is_late(source, fetch):
        return fetch
    due = calendar.newest_due(source.kind, now)
    for kind, url in source.fallbacks:
        if host_limits.waits_until(url, now) or _is_down(source, fetch, url):
            break
        reply = backfill.response_for(source, kind, url, due)
        _keep_only_its_day(reply, source)
        again = ingest(source, reply, now)
        if again.outcome in {Outcome.OK, Outcome.UNCHANGED} and again.day >= due:
            return again
    return fetch


def _is_late(source: Source, fetch: Fetch) -> bool:
    if fetch.outcome == Outcome.EMPTY and calendar.is_blank(source.kind, fetch.day):
        return False
    return fetch.outcome in _LATE


def _is_down(source: Source, fetch: Fetch, url: str) -> bool:
    """True if the machines at `url` are those that gave the source's own address no answer at all."""
    has_answer = fetch.outcome != Outcome.FAILED or fetch.http_status
    return not has_answer and host_limits.name(url) == host_limits.name(source.url)


def _keep_only_its_day(reply: client.Response, source: Source) -> None:
    """Of a fallback's answer for several days of submission, keep what is announced on the day asked for."""
    if reply.batch and reply.kind != source.kind and registry.of(reply.kind).submitted_within:
        entries = [entry for entry in reply.batch.entries if entry.announced_on in {None, reply.asked}]
        reply.batch = replace(reply.batch, entries=tuple(entries), expected=None)


def _ask(source: Source, now: datetime, day: date | None = None) -> client.Response:
    """Ask over the network. The only rows read or written here are those of the host limits."""
    started = time.monotonic()
    asked = day or _day_to_ask(source, now)
    etag = last_modified = ""
    if day is None and "{" not in source.url:
        etag, last_modified = source.etag, source.last_modified
    reply = client.request(source.kind, source.url, asked, etag=etag, last_modified=last_modified)
    reply.seconds = time.monotonic() - started
    return reply


def _day_to_ask(source: Source, now: datetime) -> date:
    """The publisher's newest whole day; on the first look the last working one, so that a Sunday's start has papers."""
    if not registry.of(source.kind).is_one_day:
        return now.date()
    if source.last_ok_at:
        return calendar.day_at(source.kind, now)
    return calendar.newest_due(source.kind, now)


def _ingest_reply(source: Source, reply: client.Response, now: datetime) -> Fetch:
    fetch = ingest(source, reply, now)
    log.info("%s: %s, %d entries, %d new", source.slug, fetch.outcome, fetch.entries, fetch.new)
    return fetch


def pull_file(path: Path | str, kind: str, slug: str | None, now: datetime) -> Fetch:
    """Read a captured answer as if `kind`'s publisher had just given it. Raises PullError if it cannot be opened.

    Without `slug` the source is named after what the answer says it covers, and made if there is none.
    """
    if kind not in registry.KINDS:
        raise PullError(f"There is no kind {kind!r}. The kinds are {', '.join(sorted(registry.KINDS))}.")
    try:
        with Path(path).open("rb") as file:
            body = file.read(sandbox.MAX_BYTES + 1)
    except OSError as error:
        raise PullError(f"{path} cannot be read ({error.strerror}). Name a file with a captured answer.") from error
    started = time.monotonic()
    reply = client.read(kind, (body,), now.date(), url=Path(path).name)
    reply.seconds = time.monotonic() - started
    source = _source_for(slug or default_slug(kind, reply), kind)
    return _indexed([ingest(source, reply, now, is_file=True)])[0]


def default_slug(kind: str, reply: client.Response) -> str:
    """The source a file belongs to, such as `huggingface` or `arxiv-cs-cl`: by its kind's record."""
    record = registry.of(kind)
    scope = reply.batch.scope if reply.batch else ""
    if record.category_addresses:
        scope = scope.replace(".", "-")
    slug = slugify(record.file_slug.format(kind=kind, scope=scope))
    return slug[:60].strip("-") or kind


def _source_for(slug: str, kind: str) -> Source:
    """The source of that name; one made for files has no address and nobody waits for it."""
    values = {"name": slug, "kind": kind, "is_enabled": False, "is_daily": False}
    source, _ = Source.objects.get_or_create(slug=slug, defaults=values)
    return source


def pull_samples(now: datetime) -> list[Fetch]:
    """Read the bundled samples, dated to `now`'s day, so that an edition can go out where there is no net."""
    return _indexed([ingest(sample.source, sample.reply, now, is_file=True) for sample in samples.today(now)])


def due(now: datetime) -> list[Source]:
    """The sources to ask now, those that wait longest first."""
    wanted = Q(next_pull_at=None) | Q(next_pull_at__lte=now)
    sources = Source.objects.filter(wanted, is_enabled=True, is_sample=False, kills__lt=KILLS_BEFORE_QUARANTINE)
    return list(sources.exclude(url="").order_by("next_pull_at", "slug"))


def pull_due(now: datetime) -> list[Fetch]:
    """Pull every source that is due: hosts side by side, arXiv's one by one in its turns.

    A source that fails delays and stops no other.
    """
    mine = [source for source in due(now) if _claim(source, now) and not _waits(source, now)]
    in_turn: list[Source] = []
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="pull") as pool:
        asked = {}
        for source in mine:
            if host_limits.name(source.url) in host_limits.IN_TURN:
                in_turn.append(source)
            else:
                asked[pool.submit(_ask, source, now)] = source
        fetches = _one_by_one(in_turn, now)
        for future in as_completed(asked):
            fetches += _ingested(future.result, asked[future], now)
    return _indexed([*fetches, *vote_refresh.pull(now), *gap_backfill.pull(now)])


def _indexed(fetches: list[Fetch]) -> list[Fetch]:
    """Let what came be found by a search at once, not only after the next tick."""
    if any(fetch.new or fetch.updated for fetch in fetches):
        search.refresh()
    return fetches


def _one_by_one(sources: list[Source], now: datetime) -> list[Fetch]:
    """When the machines they share do not answer one of them, the others are not tried in this round."""
    fetches: list[Fetch] = []
    for source in sources:
        fetches += _ingested(partial(_ask, source, now), source, now)
        if fetches and fetches[-1].outcome == Outcome.FAILED and not fetches[-1].http_status:
            done = {fetch.source_id for fetch in fetches}
            others = [other.pk for other in sources if other.pk not in done]
            Source.objects.filter(pk__in=others).update(next_pull_at=now + schedule.FIRST_RETRY)
            break
    return fetches


def _ingested(reply: Callable[[], client.Response], source: Source, now: datetime) -> list[Fetch]:
    """The fetch of one source, none if it raised: an error in one source must not stop the others."""
    try:
        return [_with_fallbacks(source, _ingest_reply(source, reply(), now), now)]
    except Exception:
        log.exception("%s could not be pulled", source.slug)
        Source.objects.filter(pk=source.pk).update(
            failures=F("failures") + 1, next_pull_at=now + schedule.LONGEST_RETRY
        )
        return []


def _claim(source: Source, now: datetime) -> bool:
    """True for one worker only: the row changes only while it has the `next_pull_at` that was read."""
    rows = Source.objects.filter(pk=source.pk)
    if source.next_pull_at:
        rows = rows.filter(next_pull_at=source.next_pull_at)
    else:
        rows = rows.filter(next_pull_at__isnull=True)
    return bool(rows.update(next_pull_at=now + CLAIM))


def _waits(source: Source, now: datetime) -> bool:
    """True if the source's host asked for a pause; the source is moved to its end."""
    until = host_limits.waits_until(source.url, now)
    if until:
        Source.objects.filter(pk=source.pk).update(next_pull_at=until)
    return bool(until)


def replay(fetch: Fetch, now: datetime) -> Fetch:
    """Read the kept bytes of an earlier fetch again, with today's reading. Raises PullError if they are gone."""
    if not fetch.body:
        raise PullError("The bytes of this fetch are no longer kept. Pull the source instead.")
    reply = client.read(fetch.kind or fetch.source.kind, client.unkept(bytes(fetch.body)), fetch.day, fetch.url)
    return ingest(fetch.source, reply, now, is_file=True, is_backfill=True)
