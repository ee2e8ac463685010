"""Readers at Gmail are known by their mailbox: without dots and `+tag`, at gmail.com."""

from django.db import migrations
from django.db.models import Q

from subscriptions import addresses


def fold(apps, schema_editor):
    """Where two rows would become one, the one that came first takes the key; the other keeps its own and its letters."""
    rows = apps.get_model("subscriptions", "Subscriber").objects
    google = Q(email_key__endswith="@gmail.com") | Q(email_key__endswith="@googlemail.com")
    for pk, key in rows.filter(google).order_by("pk").values_list("pk", "email_key"):
        mailbox = addresses.canonical(key)
        if mailbox != key and not rows.filter(email_key=mailbox).exists():
            rows.filter(pk=pk).update(email_key=mailbox)


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0013_one_limiter")]

    operations = [migrations.RunPython(fold, migrations.RunPython.noop)]
