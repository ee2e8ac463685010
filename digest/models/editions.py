"""A day's papers, public, with the curator's changes."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from digest.models.papers import Paper


class Edition(models.Model):
    """One day's papers. `serial` is given at release and only grows: readers' cursors point at it."""

    class State(models.TextChoices):
        COLLECTING = "collecting", "Collecting"
        HELD = "held", "Held by a curator"
        FROZEN = "frozen", "Frozen"
        RELEASED = "released", "Released"

    date = models.DateField(unique=True)
    state = models.CharField(max_length=10, choices=State, default=State.COLLECTING)
    serial = models.PositiveBigIntegerField(null=True, blank=True, unique=True)
    note = models.TextField(blank=True, help_text="The curator's words at the head of every letter.")
    curator = models.CharField(max_length=120, blank=True)
    content_hash = models.CharField(max_length=64, blank=True)
    coverage = models.JSONField(default=dict, blank=True, help_text="Which sources it looked at, and what was missing.")
    frozen_at = models.DateTimeField(null=True, blank=True)
    released_at = models.DateTimeField(null=True, blank=True)
    release_at = models.DateTimeField(
        null=True, blank=True, help_text="A curator's time for it, instead of the gate's."
    )
    revision = models.PositiveIntegerField(
        default=0, help_text="Grows with every curator's change: who read an old one must look again."
    )

    def __str__(self) -> str:
        return f"{self.date:%Y-%m-%d}"


class EditionPaper(models.Model):
    """A paper's place in the edition it was first announced in; pins, hides and notes are the curator's."""

    edition = models.ForeignKey(Edition, on_delete=models.CASCADE, related_name="entries")
    paper = models.ForeignKey(Paper, on_delete=models.PROTECT, related_name="placements")
    position = models.PositiveIntegerField(default=0)
    is_pinned = models.BooleanField(default=False)
    is_hidden = models.BooleanField(default=False)
    is_late_riser = models.BooleanField(default=False, help_text="Back once, because its readers raised it.")
    note = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ("position", "id")
        constraints = [
            models.UniqueConstraint(fields=["edition", "paper"], name="paper_once_an_edition"),
            models.UniqueConstraint(
                fields=["paper"], condition=Q(is_late_riser=False), name="paper_in_its_first_edition_only"
            ),
        ]
        indexes = [models.Index(fields=["paper"], name="hidden_papers", condition=Q(is_hidden=True))]

    def __str__(self) -> str:
        return f"{self.edition_id}: {self.paper_id}"
