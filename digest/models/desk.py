"""What the desk keeps: the audit log, heartbeats, the counts of a day, and tries to sign in."""

from __future__ import annotations

from typing import Any, NoReturn

from django.db import models


class AppendOnlyError(Exception):
    """A row of the log cannot be changed or deleted."""


class AuditEntryQuerySet(models.QuerySet["AuditEntry"]):
    """Rows can be read and added. Changing and deleting raise AppendOnlyError."""

    def update(self, **values: Any) -> NoReturn:
        raise AppendOnlyError("The log of acts cannot be changed.")

    def delete(self) -> NoReturn:
        raise AppendOnlyError("The log of acts cannot be deleted.")


class AuditEntry(models.Model):
    """One act of a person at the desk. Rows are only added."""

    at = models.DateTimeField(db_index=True)
    actor = models.CharField(max_length=150, db_index=True, help_text="The name they signed in with.")
    network = models.CharField(max_length=45, blank=True, help_text="Truncated address (/24 or /48).")
    verb = models.CharField(max_length=40, db_index=True)
    subject = models.CharField(max_length=200, help_text="What it was done to, such as `edition 2026-06-03`.")
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)

    objects = AuditEntryQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.actor}: {self.verb} {self.subject}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnlyError("The log of acts cannot be changed.")
        super().save(*args, **{**kwargs, "force_insert": True})

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError("The log of acts cannot be deleted.")


class Heartbeat(models.Model):
    """When a part of the machine last did its work."""

    name = models.CharField(max_length=80, unique=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class DayCount(models.Model):
    """A number kept, so that no page counts millions of rows: `name` on `day`, split by `key`."""

    name = models.CharField(max_length=30)
    day = models.DateField()
    key = models.CharField(max_length=120, blank=True)
    value = models.BigIntegerField(default=0)
    counted_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "tallies"
        constraints = [models.UniqueConstraint(fields=["name", "day", "key"], name="tally_once")]

    def __str__(self) -> str:
        return f"{self.name} {self.day} {self.key}: {self.value}"
