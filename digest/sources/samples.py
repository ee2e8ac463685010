"""The bundled sample feeds: read when the publishers cannot be reached, so that a first day has papers.

They are in the publishers' own formats and go through the same reading, judging and storing. Only their
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

FOLDER = Path(__file__).with_name("sample_feeds")
_NAMES = {
    "huggingface": "Hugging Face daily papers (bundled sample)",
    "nature": "Nature (bundled sample)",
}


@dataclass(frozen=True, slots=True)
class Sample:
    """One bundled file and the source it stands in for."""

    source: Source
    reply: client.Response


def today(now: datetime) -> Iterator[Sample]:
    """Each bundled feed as it would have come today."""
    for path in sorted(FOLDER.iterdir()):
        kind = _kind(path)
        if not kind:
            continue
        reply = client.read(kind, (path.read_bytes(),), now.date(), url=path.name)
        if reply.batch:
            reply.batch = _moved(reply.batch, now.date())
        yield Sample(_source(path.stem, kind), reply)


def _kind(path: Path) -> str:
    if path.suffix == ".json":
        return "huggingface"
    if path.suffix == ".rdf":
        return "feed"
    return "arxiv" if path.suffix == ".xml" else ""


def _source(stem: str, kind: str) -> Source:
    """Never pulled and never waited for: a stand-in."""
    name = _NAMES.get(stem) or f"arXiv {_category(stem)} (bundled sample)"
    values = {"name": name, "kind": kind, "is_enabled": False, "is_daily": False, "is_sample": True}
    return Source.objects.get_or_create(slug=f"sample-{stem}", defaults=values)[0]


def _category(stem: str) -> str:
    archive, _, subject = stem.removeprefix("arxiv-").partition("-")
    return f"{archive}.{subject.upper()}"


def _moved(batch: Batch, day: date) -> Batch:
    """Announced on `day`; published when it really was."""
    entries = (replace(e, announced_on=day, published_on=e.published_on or e.announced_on) for e in batch.entries)
    return replace(batch, entries=tuple(entries), day=day)
