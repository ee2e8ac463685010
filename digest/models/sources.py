"""Where papers come from: each source, every fetch of it, and the limits of its host."""

from __future__ import annotations

from django.db import models


class Source(models.Model):
    """A publisher's feed: where it is, how it is read, and how it is doing."""

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=12)  # a slug of digest/sources/parsers/registry.py
    url = models.CharField(max_length=500, blank=True, help_text="{day} stands for the day asked for.")
    is_enabled = models.BooleanField(default=True)
    is_daily = models.BooleanField(default=True, help_text="Expected to bring papers every working day.")
    pull_every = models.PositiveIntegerField(default=3600, help_text="Seconds between two pulls.")
    created_at = models.DateTimeField(auto_now_add=True)

    # How it is doing: written by `sources`, one row at a time.
    etag = models.CharField(max_length=200, blank=True)
    last_modified = models.CharField(max_length=60, blank=True)
    next_pull_at = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0)
    last_outcome = models.CharField(max_length=14, blank=True)
    last_ok_at = models.DateTimeField(null=True, blank=True)
    held_reason = models.CharField(max_length=300, blank=True)
    kills = models.PositiveSmallIntegerField(default=0, help_text="Answers in a row whose reading had to be stopped.")
    fallbacks = models.JSONField(default=list, blank=True, help_text="[kind, address] pairs to ask when this one lags.")
    moved_to = models.CharField(max_length=500, blank=True, help_text="Where its publisher says it is now.")
    moved_since = models.DateTimeField(
        null=True, blank=True, help_text="When it was first redirected there for good (301, 308)."
    )
    is_sample = models.BooleanField(default=False, help_text="A bundled sample, not a publisher's address.")

    def __str__(self) -> str:
        return self.name


class Outcome(models.TextChoices):
    """What to conclude about a batch: judged by its content, not by a status code."""

    OK = "ok", "New papers"
    UNCHANGED = "unchanged", "Nothing new"
    EMPTY = "empty", "Empty"
    HOLIDAY = "holiday", "A blank day for the publisher"
    STALE = "stale", "Yesterday's papers again"
    TRUNCATED = "truncated", "Cut short"
    FORMAT_ERROR = "format_error", "Not what this source should answer"
    FAILED = "failed", "Could not be fetched"


class Fetch(models.Model):
    """One pull of one source: what came, and what was concluded. Raw bytes are kept for replay."""

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="fetches")
    at = models.DateTimeField(db_index=True)
    day = models.DateField(help_text="The publisher's day this batch speaks for.")
    outcome = models.CharField(max_length=14, choices=Outcome)
    http_status = models.PositiveSmallIntegerField(null=True, blank=True)
    entries = models.PositiveIntegerField(default=0)
    new = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)
    known = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)
    warnings = models.JSONField(default=list, blank=True)
    body_sha256 = models.CharField(max_length=64, blank=True)
    body = models.BinaryField(null=True, blank=True, help_text="zlib-compressed bytes as they came.")
    seconds = models.FloatField(default=0)
    kind = models.CharField(
        max_length=12, blank=True, help_text="How it was read; a fallback's differs from its source's."
    )
    url = models.CharField(max_length=500, blank=True)
    is_backfill = models.BooleanField(default=False)
    ids = models.JSONField(default=list, blank=True, help_text="The publisher's ids in this batch, for the next one.")
    profile = models.JSONField(default=dict, blank=True, help_text="Which share of the entries had which field.")

    class Meta:
        verbose_name_plural = "fetches"
        indexes = [models.Index(fields=["source", "-at"], name="fetch_latest")]

    def __str__(self) -> str:
        return f"{self.source_id} {self.day} {self.outcome}"
