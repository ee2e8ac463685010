"""Papers, the names they go by, who announced them, and what matching keeps of them."""

from __future__ import annotations

from django.db import models

from digest.models.sources import Source


class Paper(models.Model):
    """One paper, however many sources announce it. `identifier` is arXiv id, else DOI, else link."""

    identifier = models.CharField(max_length=300, unique=True)
    arxiv_id = models.CharField(max_length=30, blank=True, db_index=True)
    version = models.PositiveSmallIntegerField(default=1)
    doi = models.CharField(max_length=200, blank=True, db_index=True)
    url = models.CharField(max_length=1000)
    pdf_url = models.CharField(max_length=1000, blank=True)
    code_url = models.CharField(max_length=1000, blank=True)
    project_url = models.CharField(max_length=1000, blank=True)
    thumbnail_url = models.CharField(max_length=1000, blank=True)
    title = models.CharField(max_length=1000)
    abstract = models.TextField(blank=True)
    authors = models.JSONField(default=list, help_text="Names in order, as printed.")
    categories = models.JSONField(default=list, help_text="Publisher's categories, primary first.")
    primary_category = models.CharField(max_length=120, blank=True, db_index=True)
    comment = models.CharField(max_length=1000, blank=True)
    journal_ref = models.CharField(max_length=500, blank=True)
    published_on = models.DateField(null=True, blank=True, db_index=True)
    upvotes = models.PositiveIntegerField(null=True, blank=True)
    comments = models.PositiveIntegerField(null=True, blank=True)
    is_withdrawn = models.BooleanField(default=False)
    first_seen_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    merged_into = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="merged", help_text="The same paper."
    )

    def __str__(self) -> str:
        return self.title


class Identifier(models.Model):
    """A name one paper goes by (`arxiv:2504.02302`, `doi:10…`, `url:…`): how sources are merged."""

    value = models.CharField(max_length=1000, unique=True)
    paper = models.ForeignKey(Paper, on_delete=models.CASCADE, related_name="identifiers")
    is_apart = models.BooleanField(default=False, help_text="A curator split it off: never merge papers through it.")

    def __str__(self) -> str:
        return self.value


class Announcement(models.Model):
    """Who announced a paper, when, and what its readers said: one row per paper, source and day."""

    class Kind(models.TextChoices):
        NEW = "new", "New"
        CROSS = "cross", "Cross-listed"
        REPLACE = "replace", "Replaced"
        REPLACE_CROSS = "replace-cross", "Replaced, cross-listed"
        LISTED = "listed", "Listed"

    paper = models.ForeignKey(Paper, on_delete=models.CASCADE, related_name="announcements")
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="announcements")
    day = models.DateField(db_index=True, help_text="The publisher's day.")
    kind = models.CharField(max_length=14, choices=Kind, default=Kind.NEW)
    version = models.PositiveSmallIntegerField(default=1)
    upvotes = models.PositiveIntegerField(null=True, blank=True)
    comments = models.PositiveIntegerField(null=True, blank=True)
    announced_by = models.CharField(max_length=120, blank=True)
    seen_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["paper", "source", "day"], name="announced_once_a_day")]

    def __str__(self) -> str:
        return f"{self.paper_id} by {self.source_id} on {self.day}"


class VoteSnapshot(models.Model):
    """What readers elsewhere said of a paper, read again on days 1, 3 and 7 after it was announced."""

    announcement = models.ForeignKey(Announcement, on_delete=models.CASCADE, related_name="signals")
    age = models.PositiveSmallIntegerField(help_text="Days after the announcement's day.")
    upvotes = models.PositiveIntegerField(null=True, blank=True)
    comments = models.PositiveIntegerField(null=True, blank=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["announcement", "age"], name="one_signal_an_age")]

    def __str__(self) -> str:
        return f"{self.announcement_id} after {self.age} days"


class StoredLsaModel(models.Model):
    """A `space.Space` over the papers that were stored on a night; profiles speak of exactly one."""

    built_at = models.DateTimeField()
    papers = models.PositiveIntegerField()
    encoder = models.CharField(max_length=120, blank=True, help_text="The sentence encoder it used, if any.")
    payload = models.BinaryField()

    def __str__(self) -> str:
        return f"landscape {self.pk} of {self.papers} papers"


class PaperEmbedding(models.Model):
    """A paper's row from the sentence encoder, made once when the paper came in. Only where an encoder is set."""

    paper = models.OneToOneField("digest.Paper", on_delete=models.CASCADE, related_name="meaning")
    encoder = models.CharField(max_length=120, db_index=True)
    row = models.BinaryField(help_text="float16, one after the other.")

    def __str__(self) -> str:
        return f"meaning of paper {self.paper.pk}"
