"""The index in SQLite: an FTS5 table whose rowid is the paper."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date

from django.db import OperationalError, connection

from digest.search import fts5, limits
from digest.search.forms import Words
from digest.search.limits import TooSlowError
from digest.search.visibility import WITHHELD
from subscriptions.query import Node

VISIBLE = f"rowid NOT IN ({WITHHELD})"
COUNT = (
    "(SELECT count(*) FROM (SELECT 1 FROM digest_archive "  # noqa: S608 - constants only
    f"WHERE digest_archive MATCH %s AND {VISIBLE} LIMIT %s))"
)
WEIGHTS = "4.0, 1.0, 2.0, 0.0"
STEPS = 1_000  # of SQLite's machine, between two looks at the clock
BEST = f"bm25(digest_archive, {WEIGHTS}), rowid DESC"
NEWEST = "(SELECT coalesce(published_on, date(first_seen_at)) FROM digest_paper WHERE id = digest_archive.rowid)"

WEIGHED = "SELECT rowid AS paper_id, %s AS weight FROM digest_archive WHERE digest_archive MATCH %s"
HEAVIEST = f"GROUP BY paper_id HAVING paper_id NOT IN ({WITHHELD}) ORDER BY sum(weight) DESC, paper_id DESC LIMIT %s"


class Store:
    def write(self, papers: Sequence[int], rows: Sequence[tuple[int, date, Words]]) -> None:
        """Replace what the index has of `papers` by `rows`."""
        with connection.cursor() as cursor:
            cursor.executemany("DELETE FROM digest_archive WHERE rowid = %s", [(pk,) for pk in papers])
            cursor.executemany(
                "INSERT INTO digest_archive (rowid, title, abstract, authors, marks) VALUES (%s, %s, %s, %s, %s)",
                [(pk, *fts5.columns(found)) for pk, _, found in rows],
            )

    def newest(self, tree: Node, limit: int, offset: int) -> tuple[int, int, list[int]]:
        """How many match, how many of them can be paged through, and one page, newest first."""
        return self._found(fts5.expression(tree), f"{NEWEST} DESC, rowid DESC", limit, offset)

    def best(self, tree: Node, limit: int, offset: int) -> tuple[int, int, list[int]]:
        """The same, best first."""
        return self._found(fts5.expression(tree), BEST, limit, offset)

    def frequencies(self, words: Sequence[str], most: int) -> list[int]:
        """How many papers have each word, counted up to `most`."""
        if not words:
            return []
        values = [value for word in words for value in (fts5.any_word([word]), most)]
        with connection.cursor() as cursor:
            cursor.execute("SELECT " + ", ".join([COUNT] * len(words)), values)
            return [int(count) for count in cursor.fetchone()]

    def loosely(self, words: Sequence[tuple[str, float]], limit: int) -> list[tuple[int, float]]:
        """Papers with the most weight of the words (a title's words twice), with it."""
        values = [value for word, weight in words for field in ("", "title")
                  for value in (weight, fts5.any_word([word], field))]  # fmt: skip
        found = " UNION ALL ".join([WEIGHED] * (2 * len(words)))
        with _limited(), connection.cursor() as cursor:
            cursor.execute(f"SELECT paper_id, sum(weight) FROM ({found}) {HEAVIEST}", [*values, limit])  # noqa: S608
            return [(paper, float(weight)) for paper, weight in cursor.fetchall()]

    def _found(self, expression: str, order: str, limit: int, offset: int) -> tuple[int, int, list[int]]:
        with _limited(), connection.cursor() as cursor:
            cursor.execute(f"SELECT {COUNT}", [expression, -1])
            total = int(cursor.fetchone()[0])
            cursor.execute(
                "SELECT rowid FROM digest_archive WHERE digest_archive MATCH %s "  # noqa: S608 - constants only
                f"AND {VISIBLE} ORDER BY {order} LIMIT %s OFFSET %s",
                [expression, limit, offset],
            )
            return total, total, [row[0] for row in cursor.fetchall()]


@contextmanager
def _limited() -> Iterator[None]:
    """Gives up what takes longer than `limits.SECONDS`. Raises TooSlowError."""
    connection.ensure_connection()
    end = time.monotonic() + limits.SECONDS
    connection.connection.set_progress_handler(lambda: time.monotonic() > end, STEPS)
    try:
        yield
    except OperationalError as error:
        if str(error) == "interrupted":
            raise TooSlowError from error
        raise
    finally:
        connection.connection.set_progress_handler(None, 0)
