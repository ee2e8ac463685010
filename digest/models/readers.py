"""What is learnt and kept of a reader: profile, saved papers, feedback."""

from __future__ import annotations

from django.db import models

from digest.models.papers import StoredLsaModel


class Profile(models.Model):
    """A reader's `taste.Taste`, fitted from the papers they like. Rebuilt every night, so losing it loses nothing."""

    subscriber = models.OneToOneField("subscriptions.Subscriber", on_delete=models.CASCADE, related_name="profile")
    landscape = models.ForeignKey(StoredLsaModel, on_delete=models.CASCADE, related_name="profiles")
    likes = models.PositiveIntegerField()
    payload = models.BinaryField()
    fitted_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"profile of reader {self.subscriber.pk}"


class Saved(models.Model):
    """A paper a reader keeps, for their list and its BibTeX and RIS files."""

    subscriber = models.ForeignKey("subscriptions.Subscriber", on_delete=models.CASCADE, related_name="saved")
    paper = models.ForeignKey("digest.Paper", on_delete=models.CASCADE, related_name="saved")
    at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "saved papers"
        constraints = [models.UniqueConstraint(fields=["subscriber", "paper"], name="saved_once")]

    def __str__(self) -> str:
        return f"{self.subscriber_id} keeps {self.paper_id}"


class Feedback(models.Model):
    """More like this, or less: one value a reader and paper, the last one counts."""

    class Value(models.IntegerChoices):
        MORE = 1, "More like this"
        LESS = -1, "Less like this"

    subscriber = models.ForeignKey("subscriptions.Subscriber", on_delete=models.CASCADE, related_name="feedback")
    paper = models.ForeignKey("digest.Paper", on_delete=models.CASCADE, related_name="feedback")
    value = models.SmallIntegerField(choices=Value)
    at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "feedback"
        constraints = [models.UniqueConstraint(fields=["subscriber", "paper"], name="feedback_once")]

    def __str__(self) -> str:
        return f"{self.subscriber_id} on {self.paper_id}: {self.value:+d}"
