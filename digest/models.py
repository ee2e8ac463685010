"""What is new, what is chosen, what was sent. Rows only: the rules live in the rooms beside."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from digest.desk.models import Act as Act
from digest.desk.models import Heartbeat as Heartbeat
from digest.desk.models import SignInBudget as SignInBudget
from digest.desk.models import Tally as Tally
from digest.matching.models import Landscape as Landscape
from digest.matching.models import Meaning as Meaning
from digest.matching.models import Profile as Profile
from digest.rendering.models import Feedback as Feedback
from digest.rendering.models import Saved as Saved


class Source(models.Model):
    """A publisher's feed: where it is, how it is read, and how it is doing."""

    class Kind(models.TextChoices):
        HUGGINGFACE = "huggingface", "Hugging Face daily papers"
        ARXIV = "arxiv", "arXiv feed (Atom or RSS)"
        ARXIV_API = "arxiv-api", "arXiv API"
        BIORXIV = "biorxiv", "bioRxiv or medRxiv API"
        FEED = "feed", "RSS, Atom, RDF or JSON feed"
        ARXIV_LIST = "arxiv-list", "arXiv listing page"
        OAI = "oai-pmh", "OAI-PMH (bulk backfill)"

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=12, choices=Kind)
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


class Signal(models.Model):
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


class Host(models.Model):
    """A publisher's machine: when it may be asked next, counted over all our workers."""

    name = models.CharField(max_length=100, unique=True)
    free_at = models.DateTimeField(null=True, blank=True)
    waits_until = models.DateTimeField(null=True, blank=True, help_text="It asked us to stay away until then.")

    def __str__(self) -> str:
        return self.name


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
    asked_by = models.CharField(
        max_length=150, blank=True, default="", db_default="", help_text="Who wants it released, where that takes two."
    )
    asked_revision = models.PositiveIntegerField(null=True, blank=True, help_text="The revision they looked at.")

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


class Delivery(models.Model):
    """One reader's letter for one edition: committed before it is sent, unique, with what was chosen and why."""

    class State(models.TextChoices):
        PENDING = "pending", "Waiting"
        CLAIMED = "claimed", "Being sent"
        AMBIGUOUS = "ambiguous", "Waiting for evidence"
        ACCEPTED = "accepted", "Accepted by the provider"
        REJECTED = "rejected", "Refused by the provider"
        UNCERTAIN = "uncertain", "Perhaps sent"
        SKIPPED = "skipped", "Nothing to send"
        EXPIRED = "expired", "Too late to send"
        DEAD = "dead", "Given up"

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    edition = models.ForeignKey(Edition, on_delete=models.PROTECT, related_name="deliveries")
    subscriber = models.ForeignKey("subscriptions.Subscriber", on_delete=models.PROTECT, related_name="deliveries")
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    reason = models.CharField(max_length=40, blank=True, help_text="Why it was skipped, refused or given up.")
    since = models.PositiveBigIntegerField(default=0, help_text="The reader's cursor before: covers (since, edition].")
    papers = models.JSONField(default=list, help_text="The chosen papers in order, each with its reasons.")
    matched = models.PositiveIntegerField(default=0, help_text="How many papers matched in all.")
    local_date = models.DateField(help_text="The reader's own date when it fell due.")
    due_at = models.DateTimeField()
    next_at = models.DateTimeField(help_text="Not to be tried before.")
    tries = models.PositiveSmallIntegerField(default=0)
    attempt = models.ForeignKey("Attempt", null=True, blank=True, on_delete=models.PROTECT, related_name="deliveries")
    carried_by = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="carries",
        help_text="The later letter that brings these papers, because this one may not have arrived.",
    )
    fate = models.CharField(max_length=12, blank=True, help_text="What the provider reported since.")
    address_hmac = models.CharField(max_length=64)
    planned_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [models.UniqueConstraint(fields=["edition", "subscriber"], name="one_letter_per_edition")]
        indexes = [
            models.Index(fields=["next_at", "id"], name="delivery_waiting", condition=Q(state="pending")),
            models.Index(fields=["subscriber", "-planned_at"], name="delivery_of_reader"),
            models.Index(fields=["edition", "state"], name="delivery_accounting"),
            models.Index(fields=["settled_at"], name="delivery_settled"),
            models.Index(
                fields=["subscriber"],
                name="delivery_to_carry",
                condition=Q(state__in=["uncertain", "expired", "dead"], carried_by=None),
            ),
            models.Index(
                fields=["due_at"], name="delivery_in_doubt", condition=Q(state__in=["uncertain", "ambiguous"])
            ),
        ]

    def __str__(self) -> str:
        return f"{self.edition_id} to {self.subscriber_id}: {self.state}"


class Attempt(models.Model):
    """An intent to hand letters to the provider, committed before the first byte leaves; append-only but for state."""

    class State(models.TextChoices):
        OPEN = "open", "Claimed, nothing sent"
        SENDING = "sending", "Being handed over"
        AMBIGUOUS = "ambiguous", "Waiting for evidence"
        CLOSED = "closed", "Closed"

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    channel = models.CharField(max_length=40)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    lease_until = models.DateTimeField()
    intent_at = models.DateTimeField(null=True, blank=True, help_text="Committed before the first byte leaves.")
    ambiguous_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=20, blank=True)
    detail = models.CharField(max_length=300, blank=True)
    http_status = models.PositiveSmallIntegerField(null=True, blank=True)
    provider_ids = models.JSONField(default=dict, blank=True, help_text="Delivery id -> provider's message id.")
    body_sha256 = models.CharField(max_length=64, blank=True)
    worker = models.CharField(max_length=80)
    started_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            # One literal each: SQLite uses a partial index only where the query names the very condition.
            models.Index(fields=["lease_until"], name="attempt_open", condition=Q(state="open")),
            models.Index(fields=["lease_until"], name="attempt_sending", condition=Q(state="sending")),
            models.Index(fields=["id"], name="attempt_ambiguous", condition=Q(state="ambiguous")),
            models.Index(fields=["channel", "started_at"], name="attempt_recent"),
        ]

    def __str__(self) -> str:
        return f"{self.key} {self.state}"


class Sealed(models.Model):
    """The very letter that was offered under a key, kept until its attempt is closed: a repeat must be identical."""

    delivery = models.OneToOneField(Delivery, on_delete=models.CASCADE, related_name="sealed")
    attempt = models.ForeignKey(Attempt, on_delete=models.CASCADE, related_name="sealed")
    body = models.BinaryField(help_text="The letter as JSON, zlib-compressed.")
    sha256 = models.CharField(max_length=64)

    class Meta:
        verbose_name_plural = "sealed letters"

    def __str__(self) -> str:
        return self.sha256[:12]


class Channel(models.Model):
    """One way out: whether it is held and why, how fast it may go, and up to when its evidence is complete."""

    name = models.CharField(max_length=40, unique=True)
    held_reason = models.CharField(max_length=300, blank=True)
    held_by = models.CharField(max_length=20, blank=True, help_text="operator, breaker or restore")
    held_at = models.DateTimeField(null=True, blank=True)
    probe_at = models.DateTimeField(null=True, blank=True, help_text="When a breaker's hold tries one letter again.")
    rate = models.FloatField(null=True, blank=True, help_text="Letters a second; empty means without limit.")
    tokens = models.FloatField(default=0)
    tokens_at = models.DateTimeField(null=True, blank=True)
    watermark_at = models.DateTimeField(null=True, blank=True, help_text="Evidence is complete up to here.")
    watched_at = models.DateTimeField(null=True, blank=True, help_text="Rates of trouble are counted from here.")
    streak = models.PositiveIntegerField(default=0, help_text="Letters in a row that did not go.")
    accepted_at = models.DateTimeField(null=True, blank=True, help_text="When a letter last went.")

    def __str__(self) -> str:
        return self.name


class DomainPause(models.Model):
    """A destination that asked for less mail: the others go on."""

    domain = models.CharField(max_length=255, unique=True)
    until = models.DateTimeField()
    reason = models.CharField(max_length=300, blank=True)

    def __str__(self) -> str:
        return self.domain


class Standing(models.Model):
    """How well an address takes mail: soft bounces wear it down, time and deliveries restore it."""

    address_hmac = models.CharField(max_length=64, unique=True)
    bounces = models.FloatField(default=0, help_text="Soft bounces, fading with time.")
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.address_hmac[:8]}… {self.bounces:.1f}"


class Mark(models.Model):
    """One remembered word about the database itself, such as the epoch that fences a restored copy."""

    name = models.CharField(max_length=60, unique=True)
    value = models.CharField(max_length=300)

    def __str__(self) -> str:
        return self.name


class Skip(models.Model):
    """Why a reader who was due got no letter and no edition was there to say it: one reason a local day."""

    subscriber = models.ForeignKey("subscriptions.Subscriber", on_delete=models.CASCADE, related_name="skips")
    local_date = models.DateField()
    reason = models.CharField(max_length=40)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["subscriber", "local_date"], name="one_reason_a_day")]

    def __str__(self) -> str:
        return f"{self.subscriber_id} {self.local_date}: {self.reason}"


class ProviderEvent(models.Model):
    """What the mail provider reported, stored once (`event_key`) and applied once (`applied_at`)."""

    class Review(models.TextChoices):
        """Where too many reports would end readers' letters at once (`digest/delivery/flood.py`)."""

        WAITING = "waiting", "Waits until a person has looked"
        BELIEVED = "believed", "Looked at: real"
        REFUSED = "refused", "Looked at: forged"

    event_key = models.CharField(max_length=200, unique=True)
    channel = models.CharField(max_length=40)
    type = models.CharField(max_length=30)
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField()
    attempt_key = models.CharField(max_length=40, blank=True, db_index=True)
    delivery = models.ForeignKey(Delivery, null=True, blank=True, on_delete=models.SET_NULL, related_name="events")
    message_id = models.CharField(max_length=300, blank=True, db_index=True)
    address_hmac = models.CharField(max_length=64, blank=True)
    detail = models.CharField(max_length=300, blank=True)
    raw = models.JSONField(default=dict)
    applied_at = models.DateTimeField(null=True, blank=True)
    ended = models.BooleanField(default=False, db_default=False, help_text="It ended a reader's letters.")
    review = models.CharField(max_length=8, blank=True, default="", db_default="", choices=Review)

    class Meta:
        indexes = [
            models.Index(fields=["id"], name="event_unapplied", condition=Q(applied_at=None)),
            models.Index(fields=["channel", "applied_at"], name="event_ended", condition=Q(ended=True, review="")),
            models.Index(fields=["channel"], name="event_waiting", condition=Q(review="waiting")),
            models.Index(fields=["channel", "received_at"], name="event_recent"),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.type} {self.occurred_at:%Y-%m-%d %H:%M}"
