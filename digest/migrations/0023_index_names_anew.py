from typing import Any

from django.db import migrations


def note_all(apps: Any, editor: Any) -> None:
    """The archive's index holds people's names in more forms: every paper waits to be indexed anew."""
    with editor.connection.cursor() as cursor:
        if "digest_unindexed" not in editor.connection.introspection.table_names(cursor):
            return
        cursor.execute(
            "INSERT INTO digest_unindexed (paper_id) SELECT id FROM digest_paper "
            "WHERE merged_into_id IS NULL ON CONFLICT DO NOTHING"
        )


class Migration(migrations.Migration):
    dependencies = [("digest", "0022_source_moved")]

    operations = [migrations.RunPython(note_all, migrations.RunPython.noop)]
