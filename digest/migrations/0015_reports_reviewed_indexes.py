"""The few reports that ended readers' letters, and those that wait for a person, found at once."""

from django.db import migrations, models

from subscriptions.migrations._quietly import AddIndexQuietly


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("digest", "0014_reports_reviewed")]

    operations = [
        AddIndexQuietly(
            model_name="providerevent",
            index=models.Index(
                fields=["channel", "applied_at"],
                name="event_ended",
                condition=models.Q(("ended", True), ("review", "")),
            ),
        ),
        AddIndexQuietly(
            model_name="providerevent",
            index=models.Index(fields=["channel"], name="event_waiting", condition=models.Q(("review", "waiting"))),
        ),
    ]
