"""Readers found by the domain of their address; the index is built without keeping anybody from writing."""

from django.db import migrations, models

from subscriptions.domains import Domain
from subscriptions.migrations._quietly import AddIndexQuietly


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("subscriptions", "0011_chosen_days")]

    operations = [
        AddIndexQuietly(
            model_name="subscriber",
            index=models.Index(Domain("email_key"), "id", name="subscriber_domain"),
        ),
    ]
