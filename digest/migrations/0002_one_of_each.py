"""One limiter, one flag for reports that wait, a release by one person, a log of acts without a chain of hashes."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.utils import timezone

RENAMED = {
    "Sealed": "FrozenCopy",
    "Standing": "BounceScore",
    "Mark": "DatabaseMetadata",
    "Act": "AuditEntry",
    "Tally": "DayCount",
    "Signal": "VoteSnapshot",
    "Landscape": "StoredLsaModel",
    "Meaning": "PaperEmbedding",
}
SQLITE = [f"DROP TRIGGER IF EXISTS act_no_{what}" for what in ("update", "delete", "replace")]
POSTGRESQL = [
    "DROP TRIGGER IF EXISTS act_no_change ON digest_act",
    "DROP TRIGGER IF EXISTS act_no_truncate ON digest_act",
    "DROP FUNCTION IF EXISTS digest_act_is_append_only()",
]


def drop_triggers(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """The log of acts is kept append-only by its model: databases of before have triggers too."""
    statements = {"sqlite": SQLITE, "postgresql": POSTGRESQL}
    for statement in statements[schema_editor.connection.vendor]:
        schema_editor.execute(statement)


def keep_waiting(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """A report that nobody had reviewed, or that was not applied after its review, waits until sending is resumed."""
    events = apps.get_model("digest", "ProviderEvent").objects.using(schema_editor.connection.alias)
    events.filter(applied_at=None, review__in=["waiting", "believed"]).update(waits=True)


def move_pauses(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Pauses of mail domains and of publishers' machines that still hold move to the limiter's table."""
    alias, now = schema_editor.connection.alias, timezone.now()
    for pause in apps.get_model("digest", "DomainPause").objects.using(alias).filter(until__gt=now):
        _put_off(apps, alias, f"destination:{pause.domain}", pause.until, pause.reason)
    for host in apps.get_model("digest", "Host").objects.using(alias).filter(waits_until__gt=now):
        _put_off(apps, alias, f"host:{host.name}", host.waits_until, "")


def _put_off(apps: Apps, alias: str, key: str, until: datetime, reason: str) -> None:
    values = {"free_at": until, "expires_at": until + timedelta(days=1), "reason": reason, "taken": []}
    apps.get_model("subscriptions", "Budget").objects.using(alias).update_or_create(key=key, defaults=values)


def index_anew(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """The archive's index holds people's names in more forms: every paper waits to be indexed anew."""
    with schema_editor.connection.cursor() as cursor:
        if "digest_unindexed" not in schema_editor.connection.introspection.table_names(cursor):
            return  # a fresh database: the index is made after the migrations
        cursor.execute(
            "INSERT INTO digest_unindexed (paper_id) SELECT id FROM digest_paper "
            "WHERE merged_into_id IS NULL ON CONFLICT DO NOTHING"
        )


def rename_permissions(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Who might change a model under its former name may under its new one. Django renames content types only."""
    permissions = apps.get_model("auth", "Permission").objects.using(schema_editor.connection.alias)
    for old, new in RENAMED.items():
        for action in ("add", "change", "delete", "view"):
            before = permissions.filter(content_type__app_label="digest", codename=f"{action}_{old.lower()}")
            before.update(codename=f"{action}_{new.lower()}")


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("digest", "0001_initial"),
        ("subscriptions", "0002_one_limiter_one_mailbox"),
    ]

    operations = [
        migrations.RunPython(drop_triggers, migrations.RunPython.noop),
        migrations.RemoveField("act", "hash"),
        migrations.RemoveField("act", "previous"),
        migrations.RemoveField("edition", "asked_by"),
        migrations.RemoveField("edition", "asked_revision"),
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
        migrations.RunPython(move_pauses, migrations.RunPython.noop),
        migrations.DeleteModel("SignInBudget"),
        migrations.DeleteModel("Host"),
        migrations.DeleteModel("DomainPause"),
        migrations.RemoveField("channel", "tokens"),
        migrations.RemoveField("channel", "tokens_at"),
        migrations.AddField(
            model_name="source",
            name="moved_to",
            field=models.CharField(blank=True, help_text="Where its publisher says it is now.", max_length=500),
        ),
        migrations.AddField(
            model_name="source",
            name="moved_since",
            field=models.DateTimeField(
                blank=True, help_text="When it was first redirected there for good (301, 308).", null=True
            ),
        ),
        migrations.RunPython(index_anew, migrations.RunPython.noop),
        migrations.AlterModelTable("sealed", "digest_sealed"),
        migrations.AlterModelTable("standing", "digest_standing"),
        migrations.AlterModelTable("mark", "digest_mark"),
        migrations.AlterModelTable("act", "digest_act"),
        migrations.AlterModelTable("tally", "digest_tally"),
        migrations.AlterModelTable("signal", "digest_signal"),
        migrations.AlterModelTable("landscape", "digest_landscape"),
        migrations.AlterModelTable("meaning", "digest_meaning"),
        *(migrations.RenameModel(old, new) for old, new in RENAMED.items()),
        migrations.RunPython(rename_permissions, migrations.RunPython.noop),
    ]
