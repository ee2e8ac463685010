"""A note of an edition that is written and not kept yet: it stays in the writer's session while pins are moved."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest

from digest.models import Edition


@dataclass(frozen=True)
class Draft:
    note: str
    curator: str


def keep(request: HttpRequest, edition: Edition, note: str, curator: str) -> None:
    """Remember what is written, if it is not what is kept."""
    if _plain(note) == edition.note:
        drop(request, edition)
    else:
        request.session[_key(edition)] = [note, curator]


def of(request: HttpRequest, edition: Edition) -> Draft | None:
    found = request.session.get(_key(edition))
    return Draft(*found) if found else None


def drop(request: HttpRequest, edition: Edition) -> None:
    request.session.pop(_key(edition), None)


def _plain(note: str) -> str:
    return note.replace("\r\n", "\n").strip()


def _key(edition: Edition) -> str:
    return f"note {edition.date}"
