"""One limiter keeps every allowance; readers at Gmail are known by their mailbox."""

from __future__ import annotations

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import Q

RENAMED = {
    "Ask": "SignupRequest",
}


def mailbox(key: str) -> str:
    """Google ignores dots, a `+tag` and the second domain (support.google.com/mail/answer/7436150 and answer/10313)."""
    local = key.rpartition("@")[0].partition("+")[0]
    return f"{local.replace('.', '')}@gmail.com"


def fold_gmail(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Where two rows would become one, the oldest takes the key; the others keep their own and their letters."""
    rows = apps.get_model("subscriptions", "Subscriber").objects.using(schema_editor.connection.alias)
    google = Q(email_key__endswith="@gmail.com") | Q(email_key__endswith="@googlemail.com")
    for pk, key in rows.filter(google).order_by("pk").values_list("pk", "email_key"):
        folded = mailbox(key)
        if folded != key and not rows.filter(email_key=folded).exists():
            rows.filter(pk=pk).update(email_key=folded)


def rename_permissions(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Who might change a model under its former name may under its new one. Django renames content types only."""
    permissions = apps.get_model("auth", "Permission").objects.using(schema_editor.connection.alias)
    for old, new in RENAMED.items():
        for action in ("add", "change", "delete", "view"):
            before = permissions.filter(content_type__app_label="subscriptions", codename=f"{action}_{old.lower()}")
            before.update(codename=f"{action}_{new.lower()}")


class Migration(migrations.Migration):
    dependencies = [("auth", "0012_alter_user_first_name_max_length"), ("subscriptions", "0001_initial")]

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
        migrations.AlterField(
            model_name="topic",
            name="is_starter",
            field=models.BooleanField(default=False, help_text="Kept in step with subscriptions/wants/topics.toml."),
        ),
        migrations.RunPython(fold_gmail, migrations.RunPython.noop),
        migrations.AlterModelTable("ask", "subscriptions_ask"),
        *(migrations.RenameModel(old, new) for old, new in RENAMED.items()),
        migrations.RunPython(rename_permissions, migrations.RunPython.noop),
    ]
