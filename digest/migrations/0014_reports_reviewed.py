"""Reports that end readers' letters are counted, and wait for a person where they are too many."""

from django.db import migrations, models

REVIEWS = [
    ("waiting", "Waits until a person has looked"),
    ("believed", "Looked at: real"),
    ("refused", "Looked at: forged"),
]


class Migration(migrations.Migration):
    dependencies = [("digest", "0013_delivery_in_doubt")]

    operations = [
        migrations.AddField(
            model_name="providerevent",
            name="ended",
            field=models.BooleanField(default=False, db_default=False, help_text="It ended a reader's letters."),
        ),
        migrations.AddField(
            model_name="providerevent",
            name="review",
            field=models.CharField(max_length=8, blank=True, default="", db_default="", choices=REVIEWS),
        ),
    ]
