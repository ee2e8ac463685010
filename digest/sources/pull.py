"""Conducts the pulling: who is due, one source after the other, and what was concluded."""

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
from digest.sources.parsers import sandbox
from digest.sources.parsers.registry import MODULES

log = logging.getLogger(__name__)

CLAIM = timedelta(minutes=10)  # how long a worker has before another may pull the same source
AT_ONCE = 4  # hosts asked at the same time


class PullError(ValueError):
    """It cannot be pulled as asked; the message says what to do."""


def pull(source: Source, now: datetime, day: date | None = None) -> Fetch:
    """Ask one source for its newest day (or for `day`), and write down what came."""
    if not source.url:
        raise PullError(f"{source.name} has no address. Give it one, or read a file with pull --file.")
    return _with_fallbacks(source, _concluded(source, _ask(source, now, day), now), now)


_LAGS = {Outcome.STALE, Outcome.EMPTY, Outcome.TRUNCATED, Outcome.FORMAT_ERROR, Outcome.FAILED}


def _with_fallbacks(source: Source, fetch: Fetch, now: datetime) -> Fetch:
    """Ask the source's other addresses for the day it is late with; the last word is the first that is ok."""
    due = calendar.newest_due(source.kind, now)
    blank = fetch.outcome == Outcome.EMPTY and calendar.is_blank(source.kind, fetch.day)
    for kind, url in source.fallbacks if fetch.outcome in _LAGS and not blank else ():
        if host_limits.waits_until(url, now):
            break  # the publisher asked us to stay away: that holds for all of its addresses
        if (
            fetch.outcome == Outcome.FAILED
            and host_limits.name(url) == host_limits.name(source.url)
            and not fetch.http_status
        ):
            break  # its machines do not answer: the others of the same publisher would not either
        again = ingest(source, _of_the_day(backfill.asked_for(source, kind, url, due), source), now)
        if again.outcome in {Outcome.OK, Outcome.UNCHANGED} and again.day >= due:
            return again
    return fetch


def _of_the_day(reply: client.Response, source: Source) -> client.Response:
    """Of what arXiv's API answers for several days of submission, what a feed's own day announces."""
    if reply.batch and reply.kind == Source.Kind.ARXIV_API and source.kind != reply.kind:
        entries = [entry for entry in reply.batch.entries if entry.announced_on in {None, reply.asked}]
        reply.batch = replace(reply.batch, entries=tuple(entries), expected=None)
    return reply


def _ask(source: Source, now: datetime, day: date | None = None) -> client.Response:
    """The network's part: no rows are read or written here but arXiv's turns."""
    started = time.monotonic()
    asked = day or _day_to_ask(source, now)
    conditional = day is None and "{" not in source.url
    reply = client.request(
        source.kind,
        source.url,
        asked,
        etag=source.etag if conditional else "",
        last_modified=source.last_modified if conditional else "",
    )
    reply.seconds = time.monotonic() - started
    return reply


def _day_to_ask(source: Source, now: datetime) -> date:
    """The publisher's newest whole day; on the first look the last working one, so that a Sunday's start has papers."""
    if source.kind not in calendar.ONE_DAY:
        return now.date()
    return calendar.day_at(source.kind, now) if source.last_ok_at else calendar.newest_due(source.kind, now)


def _concluded(source: Source, reply: client.Response, now: datetime) -> Fetch:
    fetch = ingest(source, reply, now)
    log.info("%s: %s, %d entries, %d new", source.slug, fetch.outcome, fetch.entries, fetch.new)
    return fetch


def pull_file(path: Path | str, kind: str, slug: str | None, now: datetime) -> Fetch:
    """Read a captured answer as if `kind`'s publisher had just given it. Raises PullError if it cannot be opened.

    Without `slug` the source is named after what the answer says it covers, and made if there is none.
    """
    if kind not in MODULES:
        raise PullError(f"There is no kind {kind!r}. The kinds are {', '.join(sorted(MODULES))}.")
    try:
        body = _bytes_of(Path(path))
    except OSError as error:
        raise PullError(f"{path} cannot be read ({error.strerror}). Name a file with a captured answer.") from error
    started = time.monotonic()
    reply = client.read(kind, (body,), now.date(), url=Path(path).name)
    reply.seconds = time.monotonic() - started
    source = _source_for(slug or default_slug(kind, reply), kind)
    return _indexed([ingest(source, reply, now, is_file=True)])[0]


def _bytes_of(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(sandbox.MAX_BYTES + 1)


def default_slug(kind: str, reply: client.Response) -> str:
    """The source a file belongs to: `huggingface`, `arxiv-cs-cl`, or the kind with the feed's title."""
    scope = reply.batch.scope if reply.batch else ""
    if kind == "huggingface":
        return kind
    if kind == "biorxiv":
        return scope or kind
    if kind == "arxiv":
        return slugify(f"arxiv {scope.replace('.', '-')}")[:60] or kind
    return slugify(f"{kind} {scope}" if kind == "feed" and scope else kind)[:60].strip("-") or kind


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

    No source waits for another's fault, and none fails because another did.
    """
    mine = [source for source in due(now) if _claim(source, now) and not _waits(source, now)]
    arxiv = [source for source in mine if host_limits.name(source.url) in host_limits.IN_TURN]
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="pull") as pool:
        asked = {pool.submit(_ask, source, now): source for source in mine if source not in arxiv}
        fetches = _one_by_one(arxiv, now)
        for future in as_completed(asked):
            fetches += _settled(future.result, asked[future], now)
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
        fetches += _settled(partial(_ask, source, now), source, now)
        if fetches and fetches[-1].outcome == Outcome.FAILED and not fetches[-1].http_status:
            later = now + schedule.FIRST_RETRY
            others = [other.pk for other in sources if other.pk not in {fetch.source_id for fetch in fetches}]
            Source.objects.filter(pk__in=others).update(next_pull_at=later)
            break
    return fetches


def _settled(reply: Callable[[], client.Response], source: Source, now: datetime) -> list[Fetch]:
    """The fetch of one source. This is the outermost loop: whatever befalls one must not befall the rest."""
    try:
        return [_with_fallbacks(source, _concluded(source, reply(), now), now)]
    except Exception:
        log.exception("%s could not be pulled", source.slug)
        Source.objects.filter(pk=source.pk).update(
            failures=F("failures") + 1, next_pull_at=now + schedule.LONGEST_RETRY
        )
        return []


def _claim(source: Source, now: datetime) -> bool:
    """True for one worker only: the moment it saw is moved on."""
    seen = {"next_pull_at": source.next_pull_at} if source.next_pull_at else {"next_pull_at__isnull": True}
    return bool(Source.objects.filter(pk=source.pk, **seen).update(next_pull_at=now + CLAIM))


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
