"""The stock admin's habits for every model: bounded counts, no deletion, read-only where no hand may touch."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Model
from django.http import HttpRequest

COUNTED = 10_000


class BoundedPaginator(Paginator):
    """Counts no further than `COUNTED` rows: nobody pages that far, and a full count of the ledger takes seconds."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return len(rows.order_by().values_list("pk")[:COUNTED]) if hasattr(rows, "order_by") else len(rows)


class Record(admin.ModelAdmin):
    """A list to read and search. Rows are neither added nor deleted here; subclasses say what may be edited."""

    list_per_page = 50
    show_full_result_count = False
    paginator = BoundedPaginator
    save_on_top = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnly(Record):
    """Proof and ledger: nothing here is changed by hand, by anyone."""

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def register_rest(app_label: str) -> None:
    """Shows every model of the app that nobody described, read-only, with its first plain columns."""
    for model in apps.get_app_config(app_label).get_models():
        if not admin.site.is_registered(model):
            admin.site.register(model, type(f"{model.__name__}Admin", (ReadOnly,), _plain_list(model)))


def _plain_list(model: type[Model]) -> dict[str, Any]:
    kinds = ("TextField", "JSONField", "BinaryField")
    columns = [field for field in model._meta.fields if field.get_internal_type() not in kinds]
    related = [field.name for field in columns[:8] if field.is_relation]
    return {"list_display": [field.name for field in columns[:8]], "list_select_related": related or False}
