"""Turns, pauses and failed sign-ins are counted by `subscriptions.limits`; pauses that still hold move there."""

from datetime import timedelta

from django.db import migrations
from django.utils import timezone


def move(apps, schema_editor):
    budgets = apps.get_model("subscriptions", "Budget").objects
    pauses = apps.get_model("digest", "DomainPause").objects.filter(until__gt=timezone.now())
    for one in pauses:
        _hold(budgets, f"destination:{one.domain}", one.until, one.reason)
    for one in apps.get_model("digest", "Host").objects.filter(waits_until__gt=timezone.now()):
        _hold(budgets, f"host:{one.name}", one.waits_until, "")


def _hold(budgets, key, until, reason):
    values = {"free_at": until, "expires_at": until + timedelta(days=1), "reason": reason, "taken": []}
    budgets.update_or_create(key=key, defaults=values)


class Migration(migrations.Migration):
    dependencies = [("digest", "0020_reports_wait"), ("subscriptions", "0013_one_limiter")]

    operations = [
        migrations.RunPython(move, migrations.RunPython.noop),
        migrations.DeleteModel("SignInBudget"),
        migrations.DeleteModel("Host"),
        migrations.DeleteModel("DomainPause"),
        migrations.RemoveField("channel", "tokens"),
        migrations.RemoveField("channel", "tokens_at"),
    ]
