"""A release to many readers may ask for a second person."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("digest", "0015_reports_reviewed_indexes")]

    operations = [
        migrations.AddField(
            model_name="edition",
            name="asked_by",
            field=models.CharField(
                max_length=150,
                blank=True,
                default="",
                db_default="",
                help_text="Who wants it released, where that takes two.",
            ),
        ),
        migrations.AddField(
            model_name="edition",
            name="asked_revision",
            field=models.PositiveIntegerField(null=True, blank=True, help_text="The revision they looked at."),
        ),
    ]
