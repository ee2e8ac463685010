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
    return found[1] if found else ""


def find(what: str, now: datetime) -> Paper | None:
    """The paper that goes by this id or link: known, or fetched now. None where only a title will help."""
    what = what.strip()
    if not what:
        raise CuratingError("Write an arXiv id, such as 2504.02302, a DOI or a link.")
    number = arxiv_id(what)
    names = [f"arxiv:{number}"] if number else store.names(_entry(what, "-", "", ""))
    known = Identifier.objects.filter(value__in=names).select_related("paper__merged_into").first()
    if known is not None:
        return known.paper.merged_into or known.paper
    return _fetched(number, now) if number else None


def _fetched(number: str, now: datetime) -> Paper | None:
    """Asked of arXiv itself; None if it does not answer or does not know it."""
    kind = registry.by_ids()
    reply = client.request(kind.slug, registry.ids_url(kind.ids_address, [number]), now.date())
    entries = [entry for entry in (reply.batch.entries if reply.batch else ()) if entry.arxiv_id == number]
    if not entries:
        return None
    store.store(Batch(tuple(entries)), desk_source(), now.date(), now)
    return Paper.objects.filter(identifiers__value=f"arxiv:{number}").first()


def make(form: dict[str, str], day: date, now: datetime) -> Paper:
    """A paper from what the curator wrote. Raises NotKnownError without a title."""
    if not form["title"]:
        raise NotKnownError("Nothing is known of it here, and arXiv did not tell. Give its title, then add it again.")
    entry = _entry(form["what"], form["title"], form["authors"], form["abstract"])
    store.store(Batch((entry,)), desk_source(), day, now)
    found = Identifier.objects.filter(value__in=store.names(entry)).select_related("paper").first()
    if found is None:
        raise CuratingError("It could not be stored. Check the link.")
    return found.paper


def _entry(what: str, title: str, authors: str, abstract: str) -> Entry:
    """Raises CuratingError where the link is none."""
    number, doi = arxiv_id(what), identifiers.doi(what)
    url = f"https://arxiv.org/abs/{number}" if number else what
    if doi and "://" not in url:
        url = f"https://doi.org/{doi}"
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or "." not in (parts.hostname or ""):
        raise CuratingError(f"{what!r} is neither an arXiv id nor a DOI nor a link. Write 2504.02302 or https://…")
    named = tuple(name.strip() for name in authors.replace(";", ",").split(",") if name.strip())
    plain = " ".join(title.split())
    return Entry(url, plain[:1000], url, " ".join(abstract.split()), named, arxiv_id=number, doi=doi, kind="listed")


def desk_source() -> Source:
    """Whose announcements a curator's own papers are."""
    values = {"name": "Added by a curator", "kind": registry.DEFAULT.slug, "is_enabled": False, "is_daily": False}
    return Source.objects.get_or_create(slug="desk", defaults=values)[0]
