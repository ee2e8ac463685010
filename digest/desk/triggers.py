"""The database itself refuses to change or drop an act of the audit log, on SQLite and on PostgreSQL."""

from __future__ import annotations

from typing import Any

TABLE = "digest_act"
REFUSAL = "the audit log is append-only"

SQLITE = [
    f"CREATE TRIGGER act_no_{verb.lower()} BEFORE {verb} ON {TABLE} BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
    for verb in ("UPDATE", "DELETE")
]
SQLITE_DROP = ["DROP TRIGGER IF EXISTS act_no_update", "DROP TRIGGER IF EXISTS act_no_delete"]

# An empty table may be truncated: that is how Django's test runner cleans up.
POSTGRESQL = [
    f"""
    CREATE OR REPLACE FUNCTION {TABLE}_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP <> 'TRUNCATE' OR EXISTS (SELECT 1 FROM {TABLE}) THEN
            RAISE EXCEPTION '{REFUSAL}';
        END IF;
        RETURN NULL;
    END $$
    """,  # noqa: S608 - constants only
    f"CREATE TRIGGER act_no_change BEFORE UPDATE OR DELETE ON {TABLE} "
    f"FOR EACH ROW EXECUTE FUNCTION {TABLE}_is_append_only()",
    f"CREATE TRIGGER act_no_truncate BEFORE TRUNCATE ON {TABLE} "
    f"FOR EACH STATEMENT EXECUTE FUNCTION {TABLE}_is_append_only()",
]
POSTGRESQL_DROP = [
    f"DROP TRIGGER IF EXISTS act_no_change ON {TABLE}",
    f"DROP TRIGGER IF EXISTS act_no_truncate ON {TABLE}",
]


CREATE = {"sqlite": SQLITE, "postgresql": POSTGRESQL}
DROP = {"sqlite": SQLITE_DROP, "postgresql": POSTGRESQL_DROP}


def create(apps: Any, schema_editor: Any) -> None:
    """For a migration's RunPython: `apps` is not used."""
    for statement in CREATE.get(schema_editor.connection.vendor, []):
        schema_editor.execute(statement)


def drop(apps: Any, schema_editor: Any) -> None:
    for statement in DROP.get(schema_editor.connection.vendor, []):
        schema_editor.execute(statement)
