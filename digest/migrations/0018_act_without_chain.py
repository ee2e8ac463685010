"""The log of acts is kept append-only by its model: the triggers and the chain of hashes go."""

from typing import Any

from django.db import migrations

SQLITE = [f"DROP TRIGGER IF EXISTS act_no_{what}" for what in ("update", "delete", "replace")]
POSTGRESQL = [
    "DROP TRIGGER IF EXISTS act_no_change ON digest_act",
    "DROP TRIGGER IF EXISTS act_no_truncate ON digest_act",
    "DROP FUNCTION IF EXISTS digest_act_is_append_only()",
]


def drop_triggers(apps: Any, schema_editor: Any) -> None:
    statements = {"sqlite": SQLITE, "postgresql": POSTGRESQL}
    for statement in statements.get(schema_editor.connection.vendor, []):
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("digest", "0017_act_is_not_replaced")]

    operations = [
        migrations.RunPython(drop_triggers, migrations.RunPython.noop),
        migrations.RemoveField("act", "hash"),
        migrations.RemoveField("act", "previous"),
    ]
