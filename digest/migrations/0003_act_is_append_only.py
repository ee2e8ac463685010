from django.db import migrations

from digest.desk import triggers


class Migration(migrations.Migration):
    dependencies = [("digest", "0002_desk_records")]

    operations = [migrations.RunPython(triggers.create, triggers.drop)]
