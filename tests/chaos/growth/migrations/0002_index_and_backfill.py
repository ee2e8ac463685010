"""An index made beside the work, and old rows filled a few thousand at a time, each in a transaction of its own."""

from __future__ import annotations

from typing import Any

from django.db import migrations

CHUNK = 2000


def add_index(apps: Any, editor: Any) -> None:
    beside = "CONCURRENTLY" if editor.connection.vendor == "postgresql" else ""
    editor.execute(f"CREATE INDEX {beside} delivery_next_note ON digest_delivery (next_note)")


def fill(apps: Any, editor: Any) -> None:
    with editor.connection.cursor() as cursor:
        cursor.execute("SELECT MAX(id) FROM digest_delivery")
        last = cursor.fetchone()[0] or 0
        for start in range(0, last + 1, CHUNK):
            cursor.execute(
                "UPDATE digest_delivery SET next_note = 'filled' WHERE id > %s AND id <= %s", [start, start + CHUNK]
            )


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("growth", "0001_column")]
    operations = [migrations.RunPython(add_index), migrations.RunPython(fill)]
