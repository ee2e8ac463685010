"""An index of the few letters in doubt, built without keeping anybody from writing."""

from django.db import migrations, models

from subscriptions.migrations._quietly import AddIndexQuietly


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("digest", "0012_matching_meanings")]

    operations = [
        AddIndexQuietly(
            model_name="delivery",
            index=models.Index(
                fields=["due_at"],
                name="delivery_in_doubt",
                condition=models.Q(("state__in", ["uncertain", "ambiguous"])),
            ),
        ),
    ]
