"""Once made triggers on the log of acts, which 0018 drops."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("digest", "0002_desk_records")]

    operations: list[migrations.operations.base.Operation] = []
