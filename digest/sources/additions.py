"""What a curator does with sources: look at a feed before it is saved, add it, let a held one go on."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlsplit

from django.utils.text import slugify

from digest.models import Fetch, Source
from digest.papers.entry import Batch, CutShortError, Entry, FormatError
from digest.sources import client, discovery, starters
from digest.sources.fetch import Answer, FetchError
from digest.sources.host_limits import BusyError
from digest.sources.parsers import registry, sandbox

SHOWN = 5


class SourceError(ValueError):
    """The source cannot be added or changed so; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What a feed's address answers now: its kind, its own title, how many entries, and the last of them.

    `url` is the address to keep: where the asked one has moved for good, or the feed that a page there names.
    """

    url: str
    kind: str
    title: str
    count: int
    entries: tuple[Entry, ...]
    warnings: tuple[str, ...] = ()


def detect(body: bytes, now: datetime, address: str = "") -> tuple[str, Batch]:
    """The kind whose reading takes these bytes, and what it reads. Raises SourceError if none does."""
    said = ""
    for kind in _likely(body):
        try:
            return kind, sandbox.parse(kind, body, now.date(), address)
        except CutShortError as error:
            return kind, error.batch
        except FormatError as error:
            said = str(error)
    raise SourceError(f"This is not a feed that Offprint can read. {said}")


def _likely(body: bytes) -> list[str]:
    """The kinds worth trying, by what the bytes hold: each try costs a child process."""
    is_json = body[:4_000].lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"["))
    found = []
    for kind in registry.KINDS.values():
        if not kind.sign or (kind.is_json == is_json and kind.sign in body):
            found.append(kind.slug)
    return found


def preview(url: str, now: datetime) -> Preview:
    """Ask an address and show what it would bring. Nothing is saved. Raises SourceError.

    Of a page that is no feed and names some, the first of these that can be read is shown.
    """
    answer = _asked(url.strip())
    try:
        return _shown(answer, url.strip(), now)
    except SourceError:
        found = _named(answer, now)
        if found is None:
            raise
        return found


def _named(answer: Answer, now: datetime) -> Preview | None:
    """The first feed that a page names and that can be read."""
    named = discovery.feeds(answer.body or b"", answer.url)
    for address in named:
        with contextlib.suppress(SourceError):
            found = _shown(_asked(address), address, now)
            return replace(found, warnings=(_offer(answer.url, found.url, named), *found.warnings))
    return None


def _asked(url: str) -> Answer:
    try:
        return client.get(url)
    except (FetchError, BusyError) as error:
        raise SourceError(f"{error} Check the address in a browser.") from error


def _offer(page: str, feed: str, named: list[str]) -> str:
    note = f"{page} is a page; this is the feed that it names: {feed}."
    others = [address for address in named if address != feed]
    if others:
        note += f" It names others, too: {', '.join(others)}."
    return note


def _shown(answer: Answer, asked: str, now: datetime) -> Preview:
    kind, batch = detect(answer.body or b"", now, answer.url)
    newest = sorted(batch.entries, key=lambda one: one.announced_on or one.published_on or now.date(), reverse=True)
    notes = _notes(batch)
    if answer.moved_to:
        notes.insert(0, f"{asked} has moved for good, to {answer.moved_to}.")
    url = answer.moved_to or asked
    return Preview(url, kind, batch.scope, len(batch.entries), tuple(newest[:SHOWN]), tuple(notes))


def _notes(batch: Batch) -> list[str]:
    """What a curator should know before saving."""
    notes = list(batch.problems)
    if not batch.entries:
        notes.append("It has no entries now. That may be right: a weekend, or a quiet journal.")
    elif not any(entry.abstract for entry in batch.entries):
        notes.append("Its entries have no abstracts: only their titles can be matched.")
    elif not any(entry.doi or entry.arxiv_id for entry in batch.entries):
        notes.append("Its entries name no DOI or arXiv id: they are told apart by their addresses only.")
    return notes


def add(url: str, kind: str, name: str, *, is_daily: bool = False, pull_every: int = 14_400) -> Source:
    """Save a source, on from now. Raises SourceError if the address is one already."""
    url, name = url.strip(), name.strip()[:120] or (urlsplit(url).hostname or "feed")
    taken = Source.objects.filter(url=url).first()
    if taken:
        raise SourceError(f"This address is a source already: {taken.name}.")
    if kind not in registry.KINDS:
        raise SourceError(f"There is no kind {kind!r}. Preview the address first: it tells the kind.")
    return Source.objects.create(
        slug=_free_slug(name), name=name, kind=kind, url=url[:500], is_daily=is_daily, pull_every=pull_every,
        fallbacks=starters.fallbacks(kind, url),
    )  # fmt: skip


def _free_slug(name: str) -> str:
    stem = slugify(name)[:50] or "source"
    slug, number = stem, 1
    while Source.objects.filter(slug=slug).exists():
        number += 1
        slug = f"{stem}-{number}"
    return slug


def release_hold(source: Source, now: datetime) -> None:
    """Trust the source again as it is now: its earlier profile no longer counts, and it is asked at once."""
    Fetch.objects.filter(source=source).update(profile={})
    source.held_reason, source.kills, source.failures, source.next_pull_at = "", 0, 0, now
    source.save(update_fields=["held_reason", "kills", "failures", "next_pull_at"])


def set_enabled(source: Source, on: bool, now: datetime) -> None:
    """Switch a source on (it is asked at once) or off (nobody waits for it). A quarantine outlasts both."""
    source.is_enabled = on
    source.next_pull_at = now if on else None
    if not source.kills:
        source.held_reason = ""
    source.save(update_fields=["is_enabled", "next_pull_at", "held_reason"])
