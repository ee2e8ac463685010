"""What readers do with a letter's papers: keep them, or say more or less of it."""

from __future__ import annotations

from django.db import models


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
