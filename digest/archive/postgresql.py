"""The index in PostgreSQL: one tsvector a paper under a GIN index."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.db import connection

from digest.archive import tsquery
from digest.archive.forms import Words
from subscriptions.query import Node
from subscriptions.query.tree import And, Not, Or, Term

VISIBLE = "paper_id NOT IN (SELECT paper_id FROM digest_editionpaper WHERE is_hidden)"
# Ranking reads every candidate's vector, so a common word's papers are not all ranked: those that have it
# in the title, and the newest.
CANDIDATES = 1_000
COUNT = (
    "(SELECT count(*) FROM (SELECT 1 FROM digest_archive "  # noqa: S608 - constants only
    f"WHERE vector @@ %s::tsquery AND {VISIBLE} LIMIT %s) AS counted)"
)
WEIGHTS = "'{0.05, 0.3, 0.2, 1.0}'"


class Store:
    def write(self, papers: Sequence[int], rows: Sequence[tuple[int, date, Words]]) -> None:
        """Replace what the index has of `papers` by `rows`."""
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM digest_archive WHERE paper_id = ANY(%s)", [list(papers)])
            cursor.executemany(
                "INSERT INTO digest_archive (paper_id, day, vector) VALUES (%s, %s, %s::tsvector) "
                "ON CONFLICT (paper_id) DO UPDATE SET day = excluded.day, vector = excluded.vector",
                [(pk, day, tsquery.vector(found)) for pk, day, found in rows],
            )

    def newest(self, tree: Node, limit: int, offset: int) -> list[int]:
        return self._ids(
            f"SELECT paper_id FROM digest_archive WHERE vector @@ %s::tsquery AND {VISIBLE} "  # noqa: S608
            "ORDER BY day DESC, paper_id DESC LIMIT %s OFFSET %s",
            [tsquery.expression(tree), limit, offset],
        )

    def best(self, tree: Node, limit: int, offset: int) -> list[int]:
        query = tsquery.expression(tree)
        some = f"SELECT paper_id, vector FROM digest_archive WHERE vector @@ %s::tsquery AND {VISIBLE}"  # noqa: S608
        some += " ORDER BY day DESC, paper_id DESC LIMIT %s"
        return self._ids(
            f"SELECT paper_id FROM (({some}) UNION ALL ({some})) AS candidates "  # noqa: S608 - constants only
            f"GROUP BY paper_id ORDER BY max(ts_rank({WEIGHTS}, vector, %s::tsquery, 1)) DESC, paper_id DESC "
            "LIMIT %s OFFSET %s",
            [tsquery.expression(_in_title(tree)), CANDIDATES, query, CANDIDATES, query, limit, offset],
        )

    def count(self, tree: Node, most: int) -> int:
        return self._count(tsquery.expression(tree), most)

    def frequencies(self, words: Sequence[str], most: int) -> list[int]:
        """How many papers have each word, counted up to `most`."""
        if not words:
            return []
        values = [value for word in words for value in (tsquery.any_word([word]), most)]
        with connection.cursor() as cursor:
            cursor.execute("SELECT " + ", ".join([COUNT] * len(words)), values)
            return [int(count) for count in cursor.fetchone()]

    def loosely(self, words: Sequence[tuple[str, float]], rare: Sequence[str], limit: int) -> list[int]:
        """Papers with any of the `rare` words, those with the most weight of `words` first (a title's words twice)."""
        weight = " + ".join(["%s * ((vector @@ %s::tsquery)::int + (vector @@ %s::tsquery)::int)"] * len(words))
        weights: list[Any] = []
        for word, value in words:
            weights += [value, tsquery.any_word([word]), tsquery.any_word([word], "A")]
        return self._ids(
            f"SELECT paper_id FROM (SELECT paper_id, vector FROM digest_archive "  # noqa: S608 - constants only
            f"WHERE vector @@ %s::tsquery AND {VISIBLE} ORDER BY day DESC LIMIT %s) AS candidates "
            f"ORDER BY {weight} DESC, paper_id DESC LIMIT %s",
            [tsquery.any_word(rare), 5 * CANDIDATES, *weights, limit],
        )

    def _ids(self, sql: str, values: list[Any]) -> list[int]:
        with connection.cursor() as cursor:
            cursor.execute(sql, values)
            return [row[0] for row in cursor.fetchall()]

    def _count(self, query: str, most: int) -> int:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {COUNT}", [query, most])
            return int(cursor.fetchone()[0])


def _in_title(tree: Node) -> Node:
    """The same query, its free words in the title only."""
    if isinstance(tree, Term):
        return tree if tree.field else Term(tree.words, "title", tree.exact, tree.prefix)
    if isinstance(tree, Not):
        return tree
    parts = tuple(_in_title(part) for part in tree.parts)
    return And(parts) if isinstance(tree, And) else Or(parts)
