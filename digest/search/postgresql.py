"""The index in PostgreSQL: one tsvector a paper under a GIN index.

A vector is long and kept out of line, which the planner does not count: a plan that reads the vectors looks
cheap and is not. So queries are written such that the GIN index alone decides (`tsquery`), plans that read
the whole table are switched off, and only the few papers to be ranked have their vectors read.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.db import OperationalError, connection, transaction
from psycopg.errors import QueryCanceled

from digest.search import limits, tsquery
from digest.search.forms import Words
from digest.search.limits import TooSlowError
from digest.search.visibility import WITHHELD
from subscriptions.query import Node
from subscriptions.query.tree import And, Not, Or, Term

VISIBLE = f"paper_id NOT IN ({WITHHELD})"
MATCHING = f"SELECT paper_id, day FROM digest_archive WHERE vector @@ %s::tsquery AND {VISIBLE}"  # noqa: S608
# Of a common word's papers not all are ranked: the newest that have it in the title, and the newest of all.
CANDIDATES = 500
WEIGHTS = "'{0.05, 0.3, 0.2, 1.0}'"
NEWEST = f"""
WITH matching AS MATERIALIZED ({MATCHING})
SELECT (SELECT count(*) FROM matching),
       array(SELECT paper_id FROM matching ORDER BY day DESC, paper_id DESC LIMIT %s OFFSET %s)
"""  # noqa: S608 - constants only
BEST = f"""
WITH matching AS MATERIALIZED ({MATCHING}),
     titled AS MATERIALIZED ({MATCHING}),
     candidates AS MATERIALIZED (
         (SELECT paper_id FROM titled ORDER BY day DESC, paper_id DESC LIMIT {CANDIDATES})
         UNION (SELECT paper_id FROM matching ORDER BY day DESC, paper_id DESC LIMIT {CANDIDATES}))
SELECT (SELECT count(*) FROM matching), (SELECT count(*) FROM candidates),
       array(SELECT paper_id FROM candidates JOIN digest_archive USING (paper_id)
             ORDER BY ts_rank({WEIGHTS}, vector, %s::tsquery, 1) DESC, paper_id DESC LIMIT %s OFFSET %s)
"""  # noqa: S608 - constants only
# A query of many words is planned word by word: what is withheld is asked for once, not with each of them.
ONCE = f"WITH withheld AS MATERIALIZED ({WITHHELD}) "
OPEN = "paper_id NOT IN (SELECT paper_id FROM withheld)"
HAVING = "SELECT {} FROM digest_archive WHERE vector @@ %s::tsquery"
COUNT = f"(SELECT count(*) FROM ({HAVING.format(1)} AND {OPEN} LIMIT %s) AS counted)"  # noqa: S608 - constants only
WEIGHED = HAVING.format("paper_id, %s::float AS weight")
HEAVIEST = f"GROUP BY paper_id HAVING {OPEN} ORDER BY sum(weight) DESC, paper_id DESC LIMIT %s"


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

    def newest(self, tree: Node, limit: int, offset: int) -> tuple[int, int, list[int]]:
        """How many match, how many of them can be paged through, and one page, newest first."""
        total, papers = _asked(NEWEST, [tsquery.expression(tree), limit, offset])
        return total, total, papers

    def best(self, tree: Node, limit: int, offset: int) -> tuple[int, int, list[int]]:
        """How many match, how many of them were ranked, and one page of these, best first."""
        query, titled = tsquery.expression(tree), tsquery.expression(_in_title(tree))
        total, ranked, papers = _asked(BEST, [query, titled, query, limit, offset])
        return total, ranked, papers

    def frequencies(self, words: Sequence[str], most: int) -> list[int]:
        """How many papers have each word, counted up to `most`."""
        if not words:
            return []
        values = [value for word in words for value in (tsquery.any_word([word]), most)]
        return list(_asked(f"{ONCE} SELECT " + ", ".join([COUNT] * len(words)), values))

    def loosely(self, words: Sequence[tuple[str, float]], limit: int) -> list[tuple[int, float]]:
        """Papers with the most weight of the words (a title's words twice), with it; each word is asked alone."""
        values = list[Any]()
        for word, weight in words:
            for field in ("", "title"):
                values += [weight, tsquery.any_word([word], field)]
        found = " UNION ALL ".join([WEIGHED] * (2 * len(words)))
        heaviest = f"SELECT paper_id, sum(weight) AS weight FROM ({found}) AS found {HEAVIEST}"  # noqa: S608
        sql = f"{ONCE} SELECT array_agg(paper_id), array_agg(weight) FROM ({heaviest}) AS heaviest"  # noqa: S608
        papers, weights = _asked(sql, [*values, limit])
        return list(zip(papers or (), weights or (), strict=True))


def _asked(sql: str, values: list[Any]) -> Any:
    """The one row of an answer that the GIN index gives. Raises TooSlowError."""
    within = connection.in_atomic_block  # then the settings would outlive this search
    most = max(1, int(limits.SECONDS * 1000))
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL enable_seqscan = off; SET LOCAL statement_timeout = {most}")
            cursor.execute(sql, values)
            row = cursor.fetchone()
            if within:
                cursor.execute("SET LOCAL enable_seqscan = DEFAULT; SET LOCAL statement_timeout = DEFAULT")
            return row
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise TooSlowError from error
        raise


def _in_title(tree: Node) -> Node:
    """The same query, its free words in the title only."""
    if isinstance(tree, Term):
        return tree if tree.field else Term(tree.words, "title", tree.exact, tree.prefix)
    if isinstance(tree, Not):
        return tree
    parts = tuple(_in_title(part) for part in tree.parts)
    return And(parts) if isinstance(tree, And) else Or(parts)
