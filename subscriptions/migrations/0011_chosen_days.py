"""Readers may choose their days; what still runs of the version before adds rows without saying any."""

import django.core.validators
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


class AddColumnInPlace(migrations.AddField):
    """SQLite adds a column that has a constant default at once; Django would write the whole table anew for it."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor != "sqlite":
            return super().database_forwards(app_label, schema_editor, from_state, to_state)
        model = to_state.apps.get_model(app_label, self.model_name)
        BaseDatabaseSchemaEditor.add_field(schema_editor, model, model._meta.get_field(self.name))


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0010_moved_notices")]

    operations = [
        AddColumnInPlace(
            model_name="subscriber",
            name="days",
            field=models.SmallIntegerField(
                default=0,
                db_default=0,
                validators=[
                    django.core.validators.MinValueValidator(0),
                    django.core.validators.MaxValueValidator(127),
                ],
                help_text="The days chosen, added up: Monday 1, Tuesday 2, Wednesday 4 and so on to Sunday 64.",
            ),
        ),
        migrations.AlterField(
            model_name="subscriber",
            name="frequency",
            field=models.CharField(
                choices=[
                    ("daily", "Every day"),
                    ("weekdays", "Monday to Friday"),
                    ("weekly", "Once a week"),
                    ("chosen", "On the days I choose"),
                ],
                default="daily",
                max_length=8,
            ),
        ),
    ]
