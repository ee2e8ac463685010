"""Expand: a column with a default of the database's own, so that the version before can go on inserting."""

from __future__ import annotations

from django.db import migrations

TYPE = "varchar(10) NOT NULL DEFAULT ''"


class Migration(migrations.Migration):
    dependencies = [("digest", "__first__")]
    operations = [
        migrations.RunSQL(
            f"ALTER TABLE digest_delivery ADD COLUMN next_note {TYPE}",
            "ALTER TABLE digest_delivery DROP COLUMN next_note",
        )
    ]
