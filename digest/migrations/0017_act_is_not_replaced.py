"""Once made triggers on the log of acts, which 0018 drops."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("digest", "0016_release_by_two")]

    operations: list[migrations.operations.base.Operation] = []
