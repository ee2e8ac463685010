"""Keeps the index in step: what triggers noted in `digest_unindexed` is read, cut into words and written."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence
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
            store().write(papers, _rows(papers))
    except (DataError, OperationalError) as error:
        # The words are at fault (too long for the index), not the database (locked, gone, full).
        if not isinstance(error, DataError) and not isinstance(error.__cause__, ProgramLimitExceeded):
            raise
        if len(papers) == 1:
            log.warning("paper %s cannot be searched: %s", papers[0], error)
            return
        for paper in papers:
            _write([paper])


def store() -> sqlite.Store | postgresql.Store:
    """The index of the database in use."""
    if connection.vendor == "postgresql":
        return postgresql.Store()
    return sqlite.Store()


def _take(most: int) -> list[int]:
    """Papers that are taken by nobody else; noted again if they change meanwhile."""
    sql = "SELECT paper_id FROM digest_unindexed ORDER BY paper_id LIMIT %s"
    if connection.vendor == "postgresql":
        sql += " FOR UPDATE SKIP LOCKED"
    with connection.cursor() as cursor:
        cursor.execute(sql, [most])
        taken = [row[0] for row in cursor.fetchall()]
        cursor.executemany("DELETE FROM digest_unindexed WHERE paper_id = %s", [(pk,) for pk in taken])
    return taken


def _rows(papers: Sequence[int]) -> list[Row]:
    """What to index of them; a paper that was merged into another is left out."""
    sources: defaultdict[int, list[str]] = defaultdict(list)
    announced = Announcement.objects.filter(paper__in=papers).values_list("paper_id", "source__slug")
    for paper, slug in announced.distinct():
        sources[paper].append(slug)
    columns = ("id", "published_on", "first_seen_at", "title", "abstract", "authors", "categories")
    rows: list[Row] = []
    stored = Paper.objects.filter(pk__in=papers, merged_into=None).values_list(*columns)
    for pk, published, seen, title, abstract, authors, categories in stored:
        words = of_paper(title, abstract, authors, categories, sources[pk])
        rows.append((pk, published or seen.date(), words))
    return rows
