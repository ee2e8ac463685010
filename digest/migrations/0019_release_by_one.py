"""A release takes one person: who asked for it is no longer kept."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("digest", "0018_act_without_chain")]

    operations = [
        migrations.RemoveField("edition", "asked_by"),
        migrations.RemoveField("edition", "asked_revision"),
    ]
