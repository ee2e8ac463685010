from django.db import migrations

from digest.desk import triggers


class Migration(migrations.Migration):
    dependencies = [("digest", "0016_release_by_two")]

    operations = [migrations.RunPython(triggers.forbid_replacing, migrations.RunPython.noop)]
