"""What matching keeps from night to night: the corpus's space, and each reader's profile in it. Rows only."""

from __future__ import annotations

from django.db import models


class Landscape(models.Model):
    """A `space.Space` over the papers that were stored on a night; profiles speak of exactly one."""

    built_at = models.DateTimeField()
    papers = models.PositiveIntegerField()
    encoder = models.CharField(max_length=120, blank=True, help_text="The sentence encoder it used, if any.")
    payload = models.BinaryField()

    def __str__(self) -> str:
        return f"landscape {self.pk} of {self.papers} papers"


class Profile(models.Model):
    """A reader's `taste.Taste`, fitted from the papers they like. Rebuilt every night, so losing it loses nothing."""

    subscriber = models.OneToOneField("subscriptions.Subscriber", on_delete=models.CASCADE, related_name="profile")
    landscape = models.ForeignKey(Landscape, on_delete=models.CASCADE, related_name="profiles")
    likes = models.PositiveIntegerField()
    payload = models.BinaryField()
    fitted_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"profile of reader {self.subscriber.pk}"


class Meaning(models.Model):
    """A paper's row from the sentence encoder, made once when the paper came in. Only where an encoder is set."""

    paper = models.OneToOneField("digest.Paper", on_delete=models.CASCADE, related_name="meaning")
    encoder = models.CharField(max_length=120, db_index=True)
    row = models.BinaryField(help_text="float16, one after the other.")

    def __str__(self) -> str:
        return f"meaning of paper {self.paper.pk}"
