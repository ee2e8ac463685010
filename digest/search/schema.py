"""The index's own tables and triggers, which are no models: made after every migration, where they are missing.

A trigger per way a paper's words can change notes it in `digest_unindexed`, so that the index follows whoever
writes (a pull, the admin, a merge of two papers, SQL). They are made anew each time, because SQLite drops a
table's triggers whenever a migration rebuilds it.
"""

from __future__ import annotations

from typing import Any

from django.db import connections

_NOTE = "INSERT INTO digest_unindexed (paper_id) VALUES ({row}.{column}) ON CONFLICT DO NOTHING;"
_WORDS = "title, abstract, authors, categories, published_on, merged_into_id"
# (name, when, table, what happens to the row)
_TRIGGERS = (
    ("paper_new", "AFTER INSERT", "digest_paper", _NOTE.format(row="NEW", column="id")),
    ("paper_changed", f"AFTER UPDATE OF {_WORDS}", "digest_paper", _NOTE.format(row="NEW", column="id")),
    ("announced", "AFTER INSERT", "digest_announcement", _NOTE.format(row="NEW", column="paper_id")),
    ("moved", "AFTER UPDATE OF paper_id, source_id", "digest_announcement", _NOTE.format(row="NEW", column="paper_id")),
)
_GONE = "DELETE FROM digest_archive WHERE {key} = OLD.id; DELETE FROM digest_unindexed WHERE paper_id = OLD.id;"
_TOKENS = "unicode61 remove_diacritics 0 categories 'L* N* M* Co' tokenchars '+#_'"

_SQLITE = (
    "CREATE TABLE IF NOT EXISTS digest_unindexed (paper_id integer PRIMARY KEY)",
    "CREATE VIRTUAL TABLE IF NOT EXISTS digest_archive "
    f'USING fts5(title, abstract, authors, marks, tokenize="{_TOKENS}")',
)
_POSTGRESQL = (
    "CREATE TABLE IF NOT EXISTS digest_unindexed (paper_id bigint PRIMARY KEY)",
    "CREATE TABLE IF NOT EXISTS digest_archive "
    "(paper_id bigint PRIMARY KEY, day date NOT NULL, vector tsvector NOT NULL)",
    "CREATE INDEX IF NOT EXISTS digest_archive_words ON digest_archive USING gin (vector)",
)


def install(using: str = "default", **_: Any) -> None:
    """Make what is missing, and note every paper that the index does not have. Connected to `post_migrate`."""
    connection = connections[using]
    if "digest_announcement" not in connection.introspection.table_names():
        return
    statements, key = _sqlite(), "rowid"
    if connection.vendor == "postgresql":
        statements, key = _postgresql(), "paper_id"
    missing = (
        "INSERT INTO digest_unindexed (paper_id) SELECT id FROM digest_paper "  # noqa: S608 - constants only
        f"WHERE merged_into_id IS NULL AND id NOT IN (SELECT {key} FROM digest_archive) ON CONFLICT DO NOTHING"
    )
    with connection.cursor() as cursor:
        for statement in (*statements, missing):
            cursor.execute(statement)


def _sqlite() -> list[str]:
    made = list(_SQLITE)
    gone = ("paper_gone", "AFTER DELETE", "digest_paper", _GONE.format(key="rowid"))
    for name, when, table, body in (*_TRIGGERS, gone):
        made.append(f"CREATE TRIGGER IF NOT EXISTS archive_{name} {when} ON {table} BEGIN {body} END")
    return made


def _postgresql() -> list[str]:
    made = list(_POSTGRESQL)
    gone = ("paper_gone", "AFTER DELETE", "digest_paper", _GONE.format(key="paper_id"))
    for name, when, table, body in (*_TRIGGERS, gone):
        made.append(
            f"CREATE OR REPLACE FUNCTION archive_{name}() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN {body} RETURN NULL; END $$"
        )
        made.append(
            f"CREATE OR REPLACE TRIGGER archive_{name} {when} ON {table} FOR EACH ROW EXECUTE FUNCTION archive_{name}()"
        )
    return made
