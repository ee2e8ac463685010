"""Indexes on large tables, built without keeping anybody from writing."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db.migrations.operations import AddIndex


class AddIndexQuietly(AddIndexConcurrently):
    """On PostgreSQL without a lock on writes, taking away what a build that broke off left; elsewhere as always."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor != "postgresql":
            return AddIndex.database_forwards(self, app_label, schema_editor, from_state, to_state)
        self._ensure_not_in_transaction(schema_editor)
        model = to_state.apps.get_model(app_label, self.model_name)
        schema_editor.remove_index(model, self.index, concurrently=True)
        schema_editor.add_index(model, self.index, concurrently=True)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        how = super() if schema_editor.connection.vendor == "postgresql" else super(AddIndexConcurrently, self)
        how.database_backwards(app_label, schema_editor, from_state, to_state)
