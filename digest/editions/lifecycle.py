"""The states of an edition: collect -> freeze -> release.

An edition of day D takes every paper announced up to D (and no more than a week before) that is in
no edition yet, so a late announcement comes with the next edition and a frozen one never changes.
Its `serial`, given at release, only grows: readers' cursors point at it.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Max, Q, QuerySet

from digest.editions import coverage, late_risers
from digest.models import Announcement, Edition, EditionPaper, Paper

log = logging.getLogger(__name__)

COLLECT_WINDOW = timedelta(days=7)
FRESH_KINDS = (Announcement.Kind.NEW, Announcement.Kind.CROSS, Announcement.Kind.LISTED)
State = Edition.State


class EditionError(Exception):
    """The edition cannot take this step; the message says why and what to do."""


class EmptyEditionError(EditionError):
    """There is nothing to release: a blank day, or sources that have not been pulled."""


def collect(day: date, now: datetime) -> Edition:
    """The edition of `day`, with every paper it may take so far. A frozen one comes back as it is."""
    edition, _ = Edition.objects.get_or_create(date=day)
    if edition.state in {State.COLLECTING, State.HELD}:
        with transaction.atomic():  # locked, so that it cannot be frozen between the look and the placing
            edition = Edition.objects.select_for_update().get(pk=edition.pk)
            if edition.state in {State.COLLECTING, State.HELD}:
                place(edition, unplaced(day))
    return edition


def unplaced(day: date) -> list[int]:
    """Ids of the papers announced in the window up to `day` that are in no edition, in their order of interest."""
    papers = _unplaced(day).order_by(F("upvotes").desc(nulls_last=True), "identifier")
    return list(dict.fromkeys(papers.values_list("id", flat=True)))


def waiting_day(day: date) -> date | None:
    """The newest day whose papers are in no edition, and which the edition of `day` does not take."""
    placed = EditionPaper.objects.filter(is_late_riser=False).values("paper")
    waiting = Announcement.objects.filter(kind__in=FRESH_KINDS, paper__is_withdrawn=False).exclude(paper__in=placed)
    elsewhere = waiting.exclude(day__gt=day - COLLECT_WINDOW, day__lte=day)
    return elsewhere.order_by("-day").values_list("day", flat=True).first()


def takes(edition_day: date, day: date) -> bool:
    """Whether an edition takes what was announced on `day`."""
    return edition_day - COLLECT_WINDOW < day <= edition_day


def open_day(day: date) -> date:
    """The first day whose edition can still take what was announced on `day`; that day itself where none can."""
    fixed = Edition.objects.filter(date__gte=day, state__in=[State.FROZEN, State.RELEASED])
    taken = set(fixed.values_list("date", flat=True))
    for n in range(COLLECT_WINDOW.days):
        if day + timedelta(days=n) not in taken:
            return day + timedelta(days=n)
    return day


def has_unplaced(day: date) -> bool:
    """Whether a paper announced in the window up to `day` is in no edition yet."""
    return _unplaced(day).exists()


def _unplaced(day: date) -> QuerySet[Paper]:
    return Paper.objects.filter(
        announcements__day__gt=day - COLLECT_WINDOW,
        announcements__day__lte=day,
        announcements__kind__in=FRESH_KINDS,
        is_withdrawn=False,
    ).exclude(placements__is_late_riser=False)


def place(edition: Edition, papers: Iterable[int]) -> None:
    """Put papers, by id, behind those the edition has."""
    last = edition.entries.aggregate(last=Max("position"))["last"]
    start = 0 if last is None else last + 1
    rows = [EditionPaper(edition=edition, paper_id=paper, position=start + n) for n, paper in enumerate(papers)]
    EditionPaper.objects.bulk_create(rows, batch_size=500, ignore_conflicts=True)


def freeze(edition: Edition, now: datetime) -> Edition:
    """Fix the content: from here on neither a source nor a curator changes what this edition says."""
    with transaction.atomic():
        collect(edition.date, now)
        changed = Edition.objects.filter(pk=edition.pk, state__in=[State.COLLECTING, State.HELD]).update(
            state=State.FROZEN, frozen_at=now
        )
        if changed:
            late_risers.bring_back(edition)
            _order(edition)
            Edition.objects.filter(pk=edition.pk).update(
                content_hash=content_hash(edition), coverage=coverage.coverage(edition.date, now).receipt
            )
    edition.refresh_from_db()
    return edition


def _order(edition: Edition) -> None:
    """Papers the community raised come first; the curator's own order of pins is kept."""
    entries = list(
        edition.entries.select_related("paper").only("position", "is_pinned", "is_late_riser", "paper__upvotes")
    )
    entries.sort(key=_rank)
    for position, entry in enumerate(entries):
        entry.position = position
    EditionPaper.objects.bulk_update(entries, ["position"], batch_size=500)


def _rank(entry: EditionPaper) -> tuple[bool, bool, int]:
    """Pins in the curator's order, then the day's papers by votes, then those that come back."""
    votes = entry.paper.upvotes or 0
    if entry.is_pinned:
        votes = 0
    return not entry.is_pinned, entry.is_late_riser, -votes


def content_hash(edition: Edition) -> str:
    """SHA-256 over what readers may be sent, in order: any later change shows."""
    digest = hashlib.sha256(edition.note.encode())
    for row in edition.entries.order_by("position", "id").values_list(
        "paper__identifier", "is_pinned", "is_hidden", "is_late_riser", "note"
    ):
        digest.update(repr(row).encode())
    return digest.hexdigest()


def release(edition: Edition, now: datetime, force: bool = False) -> Edition:
    """Freeze it if it is not frozen, give it the next serial, and release it. Releasing twice changes nothing.

    Raises EmptyEditionError when it has no papers and EditionError when it is held (`force` releases both).
    """
    edition.refresh_from_db()
    if edition.state == State.RELEASED:
        return edition
    if edition.state == State.HELD and not force:
        raise EditionError(
            f"The edition of {edition.date} is held by a curator. Let it go at the desk, or use --force."
        )
    collect(edition.date, now)
    if not force and not edition.entries.filter(is_hidden=False).exists():
        raise EmptyEditionError(f"The edition of {edition.date} has no papers yet. Pull first, or use --force.")
    freeze(edition, now)
    _give_serial(edition, now)
    edition.refresh_from_db()
    log.info("released the edition of %s as number %s", edition.date, edition.serial)
    return edition


def _give_serial(edition: Edition, now: datetime) -> None:
    """Two releases at once cannot share a serial: the later one sees the other's and takes the next."""
    for _ in range(5):
        last = Edition.objects.aggregate(last=Max("serial"))["last"] or 0
        try:
            with transaction.atomic():
                Edition.objects.filter(pk=edition.pk, state=State.FROZEN).update(
                    state=State.RELEASED, serial=last + 1, released_at=now
                )
            return
        except IntegrityError:
            continue
    raise EditionError(f"The edition of {edition.date} could not be numbered; others are being released. Try again.")


def hold(edition: Edition) -> bool:
    """Keep it back until a curator lets it go; True if it was not already on its way."""
    return bool(
        Edition.objects.filter(pk=edition.pk, state__in=[State.COLLECTING, State.FROZEN]).update(state=State.HELD)
    )


def let_go(edition: Edition) -> bool:
    """Undo `hold`: it collects again and is released by the gate or by hand."""
    return bool(Edition.objects.filter(pk=edition.pk, state=State.HELD).update(state=State.COLLECTING, frozen_at=None))


def release_due(now: datetime) -> list[Edition]:
    """Release the editions whose sources are complete or whose deadline has passed, the earliest day first.

    The edition of a day to come is released only at the time that a curator gave it.
    """
    collect(now.date(), now)
    open_ones = Edition.objects.filter(state__in=[State.COLLECTING, State.FROZEN])
    waiting = open_ones.filter(Q(date__lte=now.date()) | Q(release_at__lte=now))
    with_papers = waiting.filter(entries__is_hidden=False).distinct().order_by("date")
    released = []
    for edition in [one for one in with_papers if _is_time(one, now)]:
        edition.refresh_from_db()  # a curator may have held it, or taken its release back, since it was looked at
        if edition.state != State.HELD and _is_time(edition, now):
            released.append(release(edition, now))
    return released


def _is_time(edition: Edition, now: datetime) -> bool:
    """A time given by a curator counts instead of the deadline and the coverage."""
    if edition.release_at is not None:
        return now >= edition.release_at
    return now >= deadline(edition.date) or coverage.coverage(edition.date, now).complete


def deadline(day: date) -> datetime:
    """When the edition of `day` goes out even though a source is missing (UTC)."""
    return datetime.combine(day, settings.EDITION_DEADLINE, tzinfo=UTC)
