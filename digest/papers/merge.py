"""Merges two rows that are one paper, and splits them again.

No row is deleted: letters and editions already sent point at it. `merged_into` of the merged row is the row that
stays, and a new announcement finds that one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from urllib.parse import urlsplit

from django.db import transaction

from digest.models import Announcement, Edition, EditionPaper, Identifier, Paper

_FILLED = ("doi", "arxiv_id", "pdf_url", "code_url", "project_url", "thumbnail_url", "comment", "journal_ref",
           "abstract", "categories", "primary_category", "authors", "published_on", "upvotes", "comments")  # fmt: skip
_OPEN = (Edition.State.COLLECTING, Edition.State.HELD)


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
    """A place in an open edition goes to the row that stays; if that has one, the curator's pin and note go there."""
    open_places = EditionPaper.objects.filter(paper=other, edition__state__in=_OPEN)
    stays = EditionPaper.objects.filter(paper=keep, edition__state__in=_OPEN, is_late_riser=False).first()
    for place in open_places:
        if stays:
            _take_choices(stays, place)
    if EditionPaper.objects.filter(paper=keep).exists():
        open_places.delete()
    else:
        open_places.update(paper=keep)


def _take_choices(stays: EditionPaper, place: EditionPaper) -> None:
    """What a curator chose for either row holds for both; a pin outweighs a hiding."""
    stays.is_pinned = stays.is_pinned or place.is_pinned
    stays.is_hidden = (stays.is_hidden or place.is_hidden) and not stays.is_pinned
    stays.note = stays.note or place.note
    stays.save(update_fields=["is_pinned", "is_hidden", "note"])


def _seniority(paper: Paper) -> tuple[bool, int]:
    placed = EditionPaper.objects.filter(paper=paper).exclude(edition__state__in=_OPEN).exists()
    return (not placed, paper.pk)


def _move_announcements(rows: Iterable[Announcement], to: Paper) -> None:
    taken = set(Announcement.objects.filter(paper=to).values_list("source_id", "day"))
    for row in rows:
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


def split(paper: Paper, names: Collection[str], now: datetime, preprint_kinds: Collection[str]) -> Paper:
    """Take the names `names` off `paper`, and give them a paper of their own, never merged through again.

    Announcements of sources of `preprint_kinds` go with an arXiv id, those of others with any other name. Where
    both papers have such a name, both keep the announcement, for nobody can tell them apart any more.
    """
    rows = Identifier.objects.filter(paper=paper)
    going = list(rows.filter(value__in=names))
    staying = list(rows.exclude(value__in=names))
    if not going or not staying:
        raise MergeError("Choose some of the paper's names, not none and not all of them.")
    with transaction.atomic():
        new = _revived(paper, going) or _copied(paper, going, now)
        Identifier.objects.filter(pk__in=[row.pk for row in going]).update(paper=new, is_apart=True)
        _part_announcements(paper, new, _sorts(staying), _sorts(going), preprint_kinds)
        _renamed(new, going).save(update_fields=_NAMED)
        paper.updated_at = now
        _renamed(paper, staying).save(update_fields=[*_NAMED, "updated_at"])
    return new


_NAMED = ("arxiv_id", "doi", "url", "pdf_url")


def _sorts(rows: Collection[Identifier]) -> set[bool]:
    """Whether there are preprint's names among them (True), and others (False)."""
    return {row.value.startswith("arxiv:") for row in rows}


def _part_announcements(
    paper: Paper, new: Paper, staying: set[bool], going: set[bool], preprint_kinds: Collection[str]
) -> None:
    for row in Announcement.objects.filter(paper=paper).select_related("source"):
        sort = row.source.kind in preprint_kinds
        if sort not in going:
            continue
        if sort not in staying:
            _move_announcements([row], new)
        elif not Announcement.objects.filter(paper=new, source=row.source, day=row.day).exists():
            row.pk, row._state.adding, row.paper = None, True, new
            row.save()


def _renamed(paper: Paper, rows: Collection[Identifier]) -> Paper:
    """Its ids and addresses are those of the names it has; what pointed at the other paper is gone."""
    names = {row.value for row in rows}
    found = {}
    for row in rows:
        scheme, _, name = row.value.partition(":")
        found[scheme] = name
    if f"arxiv:{paper.arxiv_id}" not in names:
        paper.arxiv_id = found.get("arxiv", "")
    if f"doi:{paper.doi.lower()}" not in names:
        paper.doi = found.get("doi", "")
    if not paper.arxiv_id and _is_arxiv(paper.pdf_url):
        paper.pdf_url = ""
    paper.url = _address(paper, found.get("url", ""))
    return paper


def _address(paper: Paper, link: str) -> str:
    if paper.arxiv_id:
        return f"https://arxiv.org/abs/{paper.arxiv_id}"
    if not _is_arxiv(paper.url) and "//doi.org/" not in paper.url:
        return paper.url
    if paper.doi:
        return f"https://doi.org/{paper.doi}"
    if link:
        return f"https://{link}"
    return paper.url


def _is_arxiv(url: str) -> bool:
    return (urlsplit(url).hostname or "").endswith("arxiv.org")


def _revived(paper: Paper, going: list[Identifier]) -> Paper | None:
    """The row that was merged away under one of these names, as it was."""
    row = Paper.objects.filter(merged_into=paper, identifier__in=[one.value for one in going]).first()
    if row:
        row.merged_into = None
        row.save(update_fields=["merged_into"])
    return row


def _copied(paper: Paper, going: list[Identifier], now: datetime) -> Paper:
    new = Paper.objects.get(pk=paper.pk)
    new.pk, new._state.adding = None, True
    new.identifier, new.first_seen_at, new.updated_at = _free_identifier(going[0].value), now, now
    new.save()
    return new


def _free_identifier(name: str) -> str:
    """The name itself, or with a number where an older row still carries it."""
    number, wanted = 1, name[:290]
    while Paper.objects.filter(identifier=wanted).exists():
        number += 1
        wanted = f"{name[:290]}#{number}"
    return wanted
