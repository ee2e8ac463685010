"""The limiter's table also keeps turns, pauses and token buckets."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0012_readers_by_domain")]

    operations = [
        migrations.AlterField(
            model_name="budget",
            name="key",
            field=models.CharField(
                help_text="Kind, and a machine's name or a keyed hash.", max_length=300, unique=True
            ),
        ),
        migrations.AddField(
            model_name="budget",
            name="free_at",
            field=models.DateTimeField(blank=True, help_text="Put off, or not full again, until then.", null=True),
        ),
        migrations.AddField(
            model_name="budget",
            name="reason",
            field=models.CharField(blank=True, default="", help_text="Why it is put off.", max_length=300),
            preserve_default=False,
        ),
    ]
