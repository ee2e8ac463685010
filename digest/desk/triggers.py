"""The database itself refuses to change or drop an act of the audit log, on SQLite and on PostgreSQL."""

from __future__ import annotations

from typing import Any

# SQLite's INSERT OR REPLACE takes away the row in its way, and tells no trigger of deletion
# (sqlite.org/lang_conflict.html), so an INSERT is looked at too.
SQLITE_NO_REPLACE = """
    CREATE TRIGGER IF NOT EXISTS act_no_replace BEFORE INSERT ON digest_act
    WHEN EXISTS (SELECT 1 FROM digest_act WHERE id = NEW.id OR hash = NEW.hash OR previous = NEW.previous)
    BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END
"""
SQLITE = [
    """
    CREATE TRIGGER act_no_update BEFORE UPDATE ON digest_act
    BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END
    """,
    """
    CREATE TRIGGER act_no_delete BEFORE DELETE ON digest_act
    BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END
    """,
    SQLITE_NO_REPLACE,
]
SQLITE_DROP = [f"DROP TRIGGER IF EXISTS act_no_{what}" for what in ("update", "delete", "replace")]

# An empty table may be truncated: that is how Django's test runner cleans up.
POSTGRESQL = [
    """
    CREATE OR REPLACE FUNCTION digest_act_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP <> 'TRUNCATE' OR EXISTS (SELECT 1 FROM digest_act) THEN
            RAISE EXCEPTION 'the audit log is append-only';
        END IF;
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER act_no_change BEFORE UPDATE OR DELETE ON digest_act
    FOR EACH ROW EXECUTE FUNCTION digest_act_is_append_only()
    """,
    """
    CREATE TRIGGER act_no_truncate BEFORE TRUNCATE ON digest_act
    FOR EACH STATEMENT EXECUTE FUNCTION digest_act_is_append_only()
    """,
]
POSTGRESQL_DROP = [
    "DROP TRIGGER IF EXISTS act_no_change ON digest_act",
    "DROP TRIGGER IF EXISTS act_no_truncate ON digest_act",
]


CREATE = {"sqlite": SQLITE, "postgresql": POSTGRESQL}
DROP = {"sqlite": SQLITE_DROP, "postgresql": POSTGRESQL_DROP}


def create(apps: Any, schema_editor: Any) -> None:
    """For a migration's RunPython: `apps` is not used."""
    for statement in CREATE.get(schema_editor.connection.vendor, []):
        schema_editor.execute(statement)


def forbid_replacing(apps: Any, schema_editor: Any) -> None:
    """For databases made before `SQLITE_NO_REPLACE` was written."""
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute(SQLITE_NO_REPLACE)


def drop(apps: Any, schema_editor: Any) -> None:
    for statement in DROP.get(schema_editor.connection.vendor, []):
        schema_editor.execute(statement)
