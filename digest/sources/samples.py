"""The bundled sample feeds: read when the publishers cannot be reached, so that a first day has papers.

They are in the publishers' own formats and go through the same parsers, checks and storing. Only their
day is moved to today; the papers keep the dates they were published on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

from digest.models import Source
from digest.papers.entry import Batch
from digest.sources import client
from digest.sources.parsers import registry
from digest.sources.parsers.registry import Kind

FOLDER = Path(__file__).with_name("sample_feeds")


@dataclass(frozen=True, slots=True)
class Sample:
    """One bundled file and the source it stands in for."""

    source: Source
    reply: client.Response


def today(now: datetime) -> Iterator[Sample]:
    """Each bundled feed as it would have come today."""
    by_suffix = {kind.sample_suffix: kind for kind in registry.KINDS.values() if kind.sample_suffix}
    for path in sorted(FOLDER.iterdir()):
        kind = by_suffix.get(path.suffix)
        if kind is None:
            continue
        reply = client.read(kind.slug, (path.read_bytes(),), now.date(), url=path.name)
        if reply.batch:
            reply.batch = _moved(reply.batch, now.date())
        yield Sample(_source(path.stem, kind), reply)


def _source(stem: str, kind: Kind) -> Source:
    """Never pulled and never waited for: a stand-in."""
    values = {
        "name": f"{_title(stem, kind)} (bundled sample)",
        "kind": kind.slug,
        "is_enabled": False,
        "is_daily": False,
        "is_sample": True,
    }
    return Source.objects.get_or_create(slug=f"sample-{stem}", defaults=values)[0]


def _title(stem: str, kind: Kind) -> str:
    if kind.category_addresses:
        archive, _, subject = stem.removeprefix("arxiv-").partition("-")
        return f"arXiv {archive}.{subject.upper()}"
    if kind is registry.DEFAULT:
        return stem.capitalize()
    return kind.label


def _moved(batch: Batch, day: date) -> Batch:
    """Announced on `day`; published when it really was."""
    entries = []
    for entry in batch.entries:
        published = entry.published_on or entry.announced_on
        entries.append(replace(entry, announced_on=day, published_on=published))
    return replace(batch, entries=tuple(entries), day=day)
