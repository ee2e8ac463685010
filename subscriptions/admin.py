"""The stock admin for readers and what they want. Acts with consequences live on the desk, not here."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.forms import ModelForm
from django.http import HttpRequest

from subscriptions import admin_base, query
from subscriptions.models import Consent, Filter, Interest, Notice, Subscriber, Suppression, Topic
from subscriptions.wants import topic_editing


class TopicForm(ModelForm):
    class Meta:
        model = Topic
        fields = ("slug", "name", "group", "description", "query", "position", "is_active")

    def clean_query(self) -> str:
        text = str(self.cleaned_data["query"])
        try:
            query.canonical(text)
        except query.QueryError as error:
            raise ValidationError(f"{error.message} (column {error.column})") from error
        return text


@admin.register(Topic)
class TopicAdmin(admin_base.Record):
    """A topic's query is written here; its canonical filter follows by itself."""

    form = TopicForm
    list_display = ("name", "group", "query", "position", "is_active")
    list_filter = ("is_active", "group")
    search_fields = ("name", "slug", "query", "description")
    prepopulated_fields = {"slug": ("name",)}

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super(admin_base.Record, self).has_add_permission(request)

    def save_model(self, request: HttpRequest, obj: Topic, form: Any, change: bool) -> None:
        topic_editing.write(obj)


@admin.register(Filter)
class FilterAdmin(admin_base.ReadOnly):
    list_display = ("text", "created_at")
    search_fields = ("text",)
    date_hierarchy = "created_at"


class InterestInline(admin.TabularInline):
    model = Interest
    fields = ("kind", "topic", "text", "filter", "weight", "muted", "created_at")
    readonly_fields = fields
    extra = 0
    can_delete = False
    show_change_link = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("topic", "filter")


class ConsentInline(admin.TabularInline):
    model = Consent
    fields = ("act", "at", "wording", "network")
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Subscriber)
class SubscriberAdmin(admin_base.Record):
    """Only how letters look may be changed here: address, state and schedule have rules, and pages of their own."""

    EDITABLE = frozenset({"papers_per_day", "text_only", "empty_day", "community_picks"})
    list_display = ("id", "email", "state", "how_often", "hour", "zone", "next_digest_at", "cursor", "created_at")
    list_display_links = ("id", "email")
    list_filter = ("state", "frequency", "text_only")
    search_fields = ("=email_key", "email_key__startswith", "=uuid")
    search_help_text = "The address, or its beginning."
    date_hierarchy = "created_at"
    inlines = (InterestInline, ConsentInline)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """In the model's order, so that who it is comes first; the days in words."""
        names = [field.name for field in Subscriber._meta.fields if field.name != "id"]
        return ["how_often" if name == "frequency" else name for name in names if name != "days"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [name for name in self.get_fields(request, obj) if name not in self.EDITABLE]

    @admin.display(description="How often", ordering="frequency")
    def how_often(self, reader: Subscriber) -> str:
        return reader.rhythm


@admin.register(Interest)
class InterestAdmin(admin_base.ReadOnly):
    list_display = ("id", "subscriber", "kind", "topic", "text", "filter", "weight", "muted")
    list_filter = ("kind", "muted")
    list_select_related = ("subscriber", "topic", "filter")
    search_fields = ("text", "topic__name", "=subscriber__email_key")
    date_hierarchy = "created_at"


@admin.register(Consent)
class ConsentAdmin(admin_base.ReadOnly):
    list_display = ("id", "subscriber", "act", "at", "wording", "network")
    list_filter = ("act", "wording")
    list_select_related = ("subscriber",)
    search_fields = ("=subscriber__email_key",)
    date_hierarchy = "at"


@admin.register(Suppression)
class SuppressionAdmin(admin_base.ReadOnly):
    """Addresses are known by their keyed hash only; the desk looks one up by the address itself."""

    list_display = ("address_hmac", "reason", "detail", "since")
    list_filter = ("reason",)
    search_fields = ("=address_hmac",)
    date_hierarchy = "since"


@admin.register(Notice)
class NoticeAdmin(admin_base.ReadOnly):
    list_display = ("uuid", "kind", "subscriber", "state", "tries", "next_at", "created_at", "trouble")
    list_filter = ("kind", "state")
    list_select_related = ("subscriber",)
    search_fields = ("=uuid", "=subscriber__email_key", "=dedupe_key")
    date_hierarchy = "created_at"


admin_base.register_rest("subscriptions")
