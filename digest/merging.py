"""Two rows that turn out to be one paper become one; a curator may take them apart again.

No row is deleted: letters and editions already sent point at it. The row that gives way says where it
went (`merged_into`), and a new announcement finds the other one.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from digest.models import Announcement, Edition, EditionPaper, Identifier, Paper

_FILLED = ("doi", "arxiv_id", "pdf_url", "code_url", "project_url", "thumbnail_url", "comment", "journal_ref",
           "abstract", "categories", "primary_category", "authors", "published_on", "upvotes", "comments")  # fmt: skip
_PREPRINT_KINDS = ("arxiv", "arxiv-api", "arxiv-list", "oai-pmh", "huggingface")


class MergeError(ValueError):
    """These papers cannot be merged or split so; the message says why."""


def merge(one: Paper, two: Paper, now: datetime) -> Paper:
    """Make them one, and return the row that stays: one already in an edition, else the older."""
    if one.pk == two.pk:
        raise MergeError("That is the same paper twice. Choose two papers.")
    with transaction.atomic():
        keep, other = sorted((one, two), key=_seniority)
        Identifier.objects.filter(paper=other).update(paper=keep)
        _move_announcements(Announcement.objects.filter(paper=other), keep)
        _move_place(other, keep)
        _fill(keep, other)
        keep.updated_at = now
        keep.save(update_fields=[*_FILLED, "title", "url", "version", "is_withdrawn", "updated_at"])
        Paper.objects.filter(pk=other.pk).update(merged_into=keep)
        Paper.objects.filter(merged_into=other).update(merged_into=keep)
    return keep


def _move_place(other: Paper, keep: Paper) -> None:
    """A place in an open edition, with the curator's pin and note, goes to the row that stays, if that has none."""
    open_places = EditionPaper.objects.filter(paper=other, edition__state=Edition.State.COLLECTING)
    if EditionPaper.objects.filter(paper=keep).exists():
        open_places.delete()
    else:
        open_places.update(paper=keep)


def _seniority(paper: Paper) -> tuple[bool, int]:
    placed = EditionPaper.objects.filter(paper=paper).exclude(edition__state=Edition.State.COLLECTING).exists()
    return (not placed, paper.pk)


def _move_announcements(rows: object, to: Paper) -> None:
    taken = set(Announcement.objects.filter(paper=to).values_list("source_id", "day"))
    for row in rows:  # type: ignore[attr-defined]
        if (row.source_id, row.day) in taken:
            row.delete()
        else:
            Announcement.objects.filter(pk=row.pk).update(paper=to)


def _fill(keep: Paper, other: Paper) -> None:
    """The newer version's words; what only one of them has is kept."""
    if other.version > keep.version:
        keep.title, keep.version = other.title, other.version
        keep.abstract, keep.authors = other.abstract or keep.abstract, other.authors or keep.authors
    for name in _FILLED:
        if getattr(keep, name) in (None, "", []):
            setattr(keep, name, getattr(other, name))
    if other.arxiv_id and keep.arxiv_id == other.arxiv_id:
        keep.url = f"https://arxiv.org/abs/{keep.arxiv_id}"
    keep.is_withdrawn = keep.is_withdrawn or other.is_withdrawn


def split(paper: Paper, names: Collection[str], now: datetime) -> Paper:
    """Take the names `names` off `paper`, and give them a paper of their own, never merged through again.

    Announcements of arXiv and Hugging Face go with the arXiv id, those of journals with the rest.
    """
    rows = list(Identifier.objects.filter(paper=paper))
    going = [row for row in rows if row.value in set(names)]
    if not going or len(going) == len(rows):
        raise MergeError("Choose some of the paper's names, not none and not all of them.")
    with transaction.atomic():
        new = _revived(paper, going) or _copied(paper, going, now)
        Identifier.objects.filter(pk__in=[row.pk for row in going]).update(paper=new, is_apart=True)
        preprint = any(row.value.startswith("arxiv:") for row in going)
        moved = Announcement.objects.filter(paper=paper)
        ours = {"source__kind__in": _PREPRINT_KINDS}
        _move_announcements(moved.filter(**ours) if preprint else moved.exclude(**ours), new)
        gone = {"arxiv_id": ""} if preprint else {"doi": ""}
        Paper.objects.filter(pk=paper.pk).update(updated_at=now, **gone)
    return new


def _revived(paper: Paper, going: list[Identifier]) -> Paper | None:
    """The row that was merged away under one of these names, as it was."""
    row = Paper.objects.filter(merged_into=paper, identifier__in=[one.value for one in going]).first()
    if row:
        row.merged_into = None
        row.save(update_fields=["merged_into"])
    return row


def _copied(paper: Paper, going: list[Identifier], now: datetime) -> Paper:
    name = going[0].value
    new = Paper.objects.get(pk=paper.pk)
    new.pk, new._state.adding = None, True
    new.identifier, new.first_seen_at, new.updated_at = _free_identifier(name), now, now
    found = {row.value.partition(":")[0]: row.value.partition(":")[2] for row in going}
    new.arxiv_id, new.doi = found.get("arxiv", ""), found.get("doi", "")
    if new.arxiv_id:
        new.url = f"https://arxiv.org/abs/{new.arxiv_id}"
    elif new.doi:
        new.url = f"https://doi.org/{new.doi}"
    new.save()
    return new


def _free_identifier(name: str) -> str:
    """The name itself, or with a number where an older row still carries it."""
    number, wanted = 1, name[:290]
    while Paper.objects.filter(identifier=wanted).exists():
        number += 1
        wanted = f"{name[:290]}#{number}"
    return wanted
