"""The stock admin for papers, editions and the ledger. The ledger is shown, never edited: it is the proof."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest

from digest.desk import access
from digest.models import (
    Announcement,
    Attempt,
    Delivery,
    Edition,
    EditionPaper,
    Fetch,
    Identifier,
    Paper,
    ProviderEvent,
    Skip,
    Source,
)
from digest.sources.parsers import registry
from subscriptions import admin_base


@admin.register(Source)
class SourceAdmin(admin_base.Record):
    """Where a feed is may be changed; how it is doing is written by the fetcher alone."""

    EDITABLE = frozenset({"name", "kind", "url", "is_enabled", "is_daily", "pull_every"})
    list_display = ("name", "kind", "is_enabled", "is_daily", "last_outcome", "failures", "last_ok_at", "next_pull_at")
    list_filter = ("kind", "is_enabled", "last_outcome")
    search_fields = ("name", "slug", "url")

    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        if db_field.name == "kind":
            return forms.ChoiceField(choices=registry.choices)
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super(admin_base.Record, self).has_add_permission(request)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """The slug is how commands name a source: fixed once it exists."""
        free = self.EDITABLE if obj else self.EDITABLE | {"slug"}
        return [field.name for field in Source._meta.fields if field.name not in free and field.name != "id"]


@admin.register(Fetch)
class FetchAdmin(admin_base.ReadOnly):
    list_display = ("at", "source", "day", "outcome", "http_status", "entries", "new", "updated", "known", "rejected")
    list_filter = ("outcome", "source")
    list_select_related = ("source",)
    search_fields = ("source__slug", "source__name", "=body_sha256")
    date_hierarchy = "at"
    exclude = ("body",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Fetch]:
        """Without the raw bytes, which may be megabytes a row."""
        return super().get_queryset(request).defer("body")


@admin.register(Paper)
class PaperAdmin(admin_base.Record):
    """A wrong title or abstract may be mended; what a paper is called by machines may not."""

    list_display = ("title", "identifier", "primary_category", "published_on", "upvotes", "comments", "is_withdrawn")
    list_filter = ("is_withdrawn", "published_on")
    search_fields = ("title", "=identifier", "=arxiv_id", "=doi")
    date_hierarchy = "published_on"
    readonly_fields = ("identifier", "arxiv_id", "version", "doi", "upvotes", "comments", "first_seen_at", "updated_at")


@admin.register(Identifier)
class IdentifierAdmin(admin_base.ReadOnly):
    list_display = ("value", "paper")
    list_select_related = ("paper",)
    search_fields = ("=value", "paper__title")


@admin.register(Announcement)
class AnnouncementAdmin(admin_base.ReadOnly):
    list_display = ("day", "source", "paper", "kind", "version", "upvotes", "comments", "announced_by")
    list_filter = ("kind", "source")
    list_select_related = ("source", "paper")
    search_fields = ("paper__title", "=paper__identifier")
    date_hierarchy = "day"


@admin.register(Edition)
class EditionAdmin(admin_base.Record):
    """The note may be written while the edition is open; its state moves on the desk only."""

    OPEN = (Edition.State.COLLECTING, Edition.State.HELD)
    list_display = ("date", "state", "serial", "papers", "curator", "frozen_at", "released_at")
    list_filter = ("state",)
    search_fields = ("=date", "note", "curator")
    date_hierarchy = "date"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Edition]:
        return super().get_queryset(request).annotate(paper_count=Count("entries"))

    @admin.display(description="papers", ordering="paper_count")
    def papers(self, edition: Any) -> int:
        return int(edition.paper_count)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        free = {"note", "curator"} if obj and obj.state in self.OPEN else set()
        return [field.name for field in Edition._meta.fields if field.name not in free and field.name != "id"]


@admin.register(EditionPaper)
class EditionPaperAdmin(admin_base.ReadOnly):
    list_display = ("edition", "position", "paper", "is_pinned", "is_hidden", "is_late_riser", "note")
    list_filter = ("is_pinned", "is_hidden", "is_late_riser")
    list_select_related = ("edition", "paper")
    search_fields = ("paper__title", "=paper__identifier", "note")
    date_hierarchy = "edition__date"


@admin.register(Delivery)
class DeliveryAdmin(admin_base.ReadOnly):
    """No date hierarchy: a range over the whole ledger would read every row. The edition narrows it."""

    list_display = ("id", "edition", "subscriber", "state", "reason", "matched", "due_at", "tries", "settled_at")
    list_filter = ("state", "edition")
    list_select_related = ("edition", "subscriber")
    search_fields = ("=uuid", "=subscriber__email_key", "=address_hmac")
    ordering = ("-id",)


@admin.register(Attempt)
class AttemptAdmin(admin_base.ReadOnly):
    list_display = ("key", "channel", "state", "outcome", "http_status", "worker", "started_at", "closed_at", "detail")
    list_filter = ("state", "outcome", "channel")
    search_fields = ("=key", "worker")
    ordering = ("-id",)


@admin.register(Skip)
class SkipAdmin(admin_base.ReadOnly):
    list_display = ("local_date", "subscriber", "reason", "at")
    list_filter = ("reason",)
    list_select_related = ("subscriber",)
    search_fields = ("=subscriber__email_key", "reason")
    date_hierarchy = "local_date"


@admin.register(ProviderEvent)
class ProviderEventAdmin(admin_base.ReadOnly):
    list_display = ("occurred_at", "channel", "type", "delivery", "message_id", "detail", "received_at", "applied_at")
    list_filter = ("type", "channel")
    list_select_related = ("delivery",)
    search_fields = ("=event_key", "=message_id", "=attempt_key", "=address_hmac")
    ordering = ("-id",)


admin_base.register_rest("digest")
admin.site.site_header = "Records"
admin.site.site_title = "Records"
admin.site.index_title = "What is kept"
access.guard_admin()
