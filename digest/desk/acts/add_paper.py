"""A paper named by a curator: known already, fetched from arXiv by its id, or described by hand."""

from __future__ import annotations

import re
from datetime import date, datetime
from urllib.parse import urlsplit

from digest.desk.acts.paper_acts import CuratingError
from digest.models import Identifier, Paper, Source
from digest.papers import identifiers, store
from digest.papers.entry import Batch, Entry
from digest.sources import client
from digest.sources.parsers import registry

ARXIV = re.compile(
    r"(?:^|arxiv[.:/]|abs/|pdf/|papers/)\s*(\d{4}\.\d{4,5}|[a-z-]+(?:\.[A-Z]{2})?/\d{7})(?:v\d+)?(?:\.pdf)?/?$", re.I
)


FORM = ("what", "title", "authors", "abstract")


class NotKnownError(CuratingError):
    """Nobody has announced it and it could not be fetched: its title has to be given."""


def arxiv_id(text: str) -> str:
    """The arXiv id in an id or a link, without its version; empty where there is none. Pure."""
    found = ARXIV.search(text.strip())
    if found is None:
        return ""
    return found[1]


def find(what: str, now: datetime) -> Paper | None:
    """The paper that goes by this id or link: known, or fetched now. None where only a title will help."""
    what = what.strip()
    if not what:
        raise CuratingError("Write an arXiv id, such as 2504.02302, a DOI or a link.")
    number = arxiv_id(what)
    names = [f"arxiv:{number}"]
    if not number:
        names = store.names(entry_of(what, "-", "", ""))
    known = Identifier.objects.filter(value__in=names).select_related("paper__merged_into").first()
    if known is not None:
        return known.paper.merged_into or known.paper
    if not number:
        return None
    return fetch(number, now)


def fetch(number: str, now: datetime) -> Paper | None:
    """Ask arXiv for the paper of this id and store it; None if arXiv does not answer or does not know it."""
    kind = registry.by_ids()
    batch = client.request(kind.slug, registry.ids_url(kind.ids_address, [number]), now.date()).batch
    if batch is None:
        return None
    entries = [entry for entry in batch.entries if entry.arxiv_id == number]
    if not entries:
        return None
    store.store(Batch(tuple(entries)), desk_source(), now.date(), now)
    return Paper.objects.filter(identifiers__value=f"arxiv:{number}").first()


def make(form: dict[str, str], day: date, now: datetime) -> Paper:
    """A paper from what the curator wrote. Raises NotKnownError without a title."""
    if not form["title"]:
        raise NotKnownError("Nothing is known of it here, and arXiv did not tell. Give its title, then add it again.")
    entry = entry_of(form["what"], form["title"], form["authors"], form["abstract"])
    store.store(Batch((entry,)), desk_source(), day, now)
    found = Identifier.objects.filter(value__in=store.names(entry)).select_related("paper").first()
    if found is None:
        raise CuratingError("It could not be stored. Check the link.")
    return found.paper


def entry_of(what: str, title: str, authors: str, abstract: str) -> Entry:
    """An entry from what was typed. Raises CuratingError where `what` is neither an id nor a link."""
    number = arxiv_id(what)
    doi = identifiers.doi(what)
    url = what
    if number:
        url = f"https://arxiv.org/abs/{number}"
    if doi and "://" not in url:
        url = f"https://doi.org/{doi}"
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or "." not in (parts.hostname or ""):
        raise CuratingError(f"{what!r} is neither an arXiv id nor a DOI nor a link. Write 2504.02302 or https://…")
    names = [name.strip() for name in authors.replace(";", ",").split(",")]
    return Entry(
        source_id=url,
        title=" ".join(title.split())[:1000],
        url=url,
        abstract=" ".join(abstract.split()),
        authors=tuple(name for name in names if name),
        arxiv_id=number,
        doi=doi,
        kind="listed",
    )


def desk_source() -> Source:
    """Whose announcements a curator's own papers are."""
    values = {"name": "Added by a curator", "kind": registry.DEFAULT.slug, "is_enabled": False, "is_daily": False}
    return Source.objects.get_or_create(slug="desk", defaults=values)[0]
