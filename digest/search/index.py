"""Keeps the index in step: what triggers noted in `digest_unindexed` is read, cut into words and written."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date

from django.db import DataError, OperationalError, connection, transaction
from psycopg.errors import ProgramLimitExceeded

from digest.models import Announcement, Paper
from digest.search import postgresql, sqlite
from digest.search.forms import Words, of_paper

log = logging.getLogger(__name__)

BATCH = 500
Row = tuple[int, date, Words]


def pending() -> int:
    """How many papers wait to be indexed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM digest_unindexed")
        return int(cursor.fetchone()[0])


def refresh(most: int = 100_000) -> int:
    """Index up to `most` waiting papers; returns how many. Safe to run at once in several processes."""
    done = 0
    while done < most:
        with transaction.atomic():
            taken = _take(min(BATCH, most - done))
            if not taken:
                break
            _write(taken)
        done += len(taken)
    return done


def _write(papers: Sequence[int]) -> None:
    """Index them; one that the database cannot take is named in the log and left out, not the others with it."""
    try:
        with transaction.atomic():
            _store().write(papers, _rows(papers))
    except (DataError, OperationalError) as error:
        if not _is_about_content(error):
            raise
        if len(papers) == 1:
            log.warning("paper %s cannot be searched: %s", papers[0], error)
            return
        for paper in papers:
            _write([paper])


def _is_about_content(error: Exception) -> bool:
    """True if the words are at fault (too long for the index), not the database (locked, gone, full)."""
    return isinstance(error, DataError) or isinstance(error.__cause__, ProgramLimitExceeded)


def _store() -> sqlite.Store | postgresql.Store:
    return postgresql.Store() if connection.vendor == "postgresql" else sqlite.Store()


_TAKING, _LOCKING = "SELECT paper_id FROM digest_unindexed ORDER BY paper_id LIMIT %s", " FOR UPDATE SKIP LOCKED"


def _take(most: int) -> list[int]:
    """Papers that are taken by nobody else; noted again if they change meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKING + _LOCKING if connection.vendor == "postgresql" else _TAKING, [most])
        taken = [row[0] for row in cursor.fetchall()]
        cursor.executemany("DELETE FROM digest_unindexed WHERE paper_id = %s", [(pk,) for pk in taken])
    return taken


def _rows(papers: Sequence[int]) -> list[Row]:
    """What to index of them; a paper that was merged into another is left out."""
    sources = _sources(papers)
    columns = ("id", "title", "abstract", "authors", "categories", "published_on", "first_seen_at")
    return [
        (pk, published or seen.date(), of_paper(title, abstract, authors, categories, sources[pk]))
        for pk, title, abstract, authors, categories, published, seen in Paper.objects.filter(
            pk__in=papers, merged_into=None
        ).values_list(*columns)
    ]


def _sources(papers: Iterable[int]) -> defaultdict[int, list[str]]:
    found: defaultdict[int, list[str]] = defaultdict(list)
    rows = Announcement.objects.filter(paper__in=papers).values_list("paper_id", "source__slug").distinct()
    for paper, slug in rows:
        found[paper].append(slug)
    return found
