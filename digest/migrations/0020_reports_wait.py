"""Reports that would end too many readers' letters wait until sending is resumed: one flag instead of a review."""

from typing import Any

from django.db import migrations, models


def keep_waiting(apps: Any, schema_editor: Any) -> None:
    """What had no word yet, or had not been applied after it, waits for the word that ends the hold."""
    events = apps.get_model("digest", "ProviderEvent").objects.filter(applied_at=None)
    events.filter(review__in=["waiting", "believed"]).update(waits=True)


class Migration(migrations.Migration):
    dependencies = [("digest", "0019_release_by_one")]

    operations = [
        migrations.AddField(
            model_name="providerevent",
            name="waits",
            field=models.BooleanField(
                default=False, db_default=False, help_text="Kept back until sending is resumed: a surge of reports."
            ),
        ),
        migrations.RunPython(keep_waiting, migrations.RunPython.noop),
        migrations.RemoveIndex("providerevent", "event_waiting"),
        migrations.RemoveIndex("providerevent", "event_ended"),
        migrations.RemoveField("providerevent", "review"),
        migrations.AddIndex(
            "providerevent",
            models.Index(fields=["channel", "applied_at"], name="event_ended", condition=models.Q(("ended", True))),
        ),
        migrations.AddIndex(
            "providerevent",
            models.Index(fields=["channel"], name="event_waiting", condition=models.Q(("waits", True))),
        ),
    ]
