"""Who wants what, and may we write to them? Rows only: the rules are in `services.py`."""

from __future__ import annotations

import uuid

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from subscriptions.domains import Domain
from subscriptions.when import week
from subscriptions.when.schedule import EVERY_DAY, WEEKDAYS


class Filter(models.Model):
    """One distinct query in canonical form (`query.canonical`); many interests may share it."""

    text = models.CharField(max_length=2000, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.text


class Topic(models.Model):
    """A ready-made filter with a name, offered on the signup page."""

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=80)
    group = models.CharField(max_length=60, db_index=True)
    description = models.CharField(max_length=200, blank=True)
    query = models.CharField(max_length=500, help_text="In the filter language, as written.")
    filter = models.ForeignKey(Filter, on_delete=models.PROTECT, related_name="topics")
    position = models.PositiveIntegerField(default=0)
    is_active = models.BooleanField(default=True)
    is_starter = models.BooleanField(default=False, help_text="Kept in step with subscriptions/wants/topics.toml.")

    class Meta:
        ordering = ("position", "name")

    def __str__(self) -> str:
        return self.name


class Frequency(models.TextChoices):
    DAILY = "daily", "Every day"
    WEEKDAYS = "weekdays", "Monday to Friday"
    WEEKLY = "weekly", "Once a week"
    CHOSEN = "chosen", "On the days I choose"


class Subscriber(models.Model):
    """A reader. `next_digest_at` (UTC) says when they are due; `cursor` says up to where they were served."""

    class State(models.TextChoices):
        PENDING = "pending", "Waiting for confirmation"
        ACTIVE = "active", "Active"
        PAUSED = "paused", "Paused"
        UNSUBSCRIBED = "unsubscribed", "Unsubscribed"
        SUPPRESSED = "suppressed", "Suppressed"
        FORGOTTEN = "forgotten", "Erased"

    class Abstracts(models.TextChoices):
        FULL = "full", "The whole abstract"
        SHORT = "short", "The first sentences"
        COMPACT = "compact", "No abstract"

    class EmptyDay(models.TextChoices):
        NOTHING = "nothing", "Send nothing"
        LINE = "line", "Send one line with the reason"

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    email = models.CharField(max_length=254, blank=True, help_text="As the reader typed it; empty once erased.")
    email_key = models.CharField(max_length=254, unique=True, help_text="Canonical form: who is the same person.")
    state = models.CharField(max_length=12, choices=State, default=State.PENDING)
    frequency = models.CharField(max_length=8, choices=Frequency, default=Frequency.DAILY)
    hour = models.PositiveSmallIntegerField(default=7, validators=[MaxValueValidator(23)])
    weekday = models.PositiveSmallIntegerField(default=0, validators=[MaxValueValidator(6)], help_text="0 is Monday.")
    days = models.SmallIntegerField(
        default=0,
        db_default=0,
        validators=[MinValueValidator(0), MaxValueValidator(EVERY_DAY)],
        help_text="The days chosen, added up: Monday 1, Tuesday 2, Wednesday 4 and so on to Sunday 64.",
    )
    zone = models.CharField(max_length=64, default="UTC", help_text="IANA name, such as Europe/Berlin.")
    papers_per_day = models.PositiveSmallIntegerField(
        default=10, validators=[MinValueValidator(1), MaxValueValidator(50)]
    )
    text_only = models.BooleanField(default=False)
    abstracts = models.CharField(max_length=8, choices=Abstracts, default=Abstracts.SHORT)
    empty_day = models.CharField(max_length=8, choices=EmptyDay, default=EmptyDay.NOTHING)
    community_picks = models.BooleanField(default=True)
    exploration = models.BooleanField(default=True, help_text="One paper from just outside what they follow.")
    likes_weight = models.FloatField(default=1.0, help_text="How much the papers they like count; 0 is not at all.")
    catch_up = models.BooleanField(default=True, help_text="After a pause: bring the best of what passed.")
    new_email = models.CharField(max_length=254, blank=True, help_text="Asked for, not yet confirmed.")
    link_round = models.PositiveIntegerField(default=0, help_text="Raised to make old preferences links void.")
    account_round = models.PositiveIntegerField(default=0, help_text="Raised when a fresh link is used: once only.")

    next_digest_at = models.DateTimeField(null=True, blank=True)
    cursor = models.PositiveBigIntegerField(default=0, help_text="Serial of the last edition covered.")
    served_at = models.DateTimeField(null=True, blank=True, help_text="The last due moment that was dealt with.")
    paused_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["next_digest_at", "id"], name="subscriber_due", condition=Q(state__in=["active", "paused"])
            ),
            models.Index(fields=["state"], name="subscriber_state"),
            models.Index(Domain("email_key"), "id", name="subscriber_domain"),
        ]

    def __str__(self) -> str:
        return f"reader {self.pk}"

    @property
    def rhythm(self) -> str:
        """How often letters come, for people; days that were chosen are named."""
        if self.frequency == Frequency.CHOSEN:
            return week.said(self.days)
        on = f" on {WEEKDAYS[self.weekday]}" if self.frequency == Frequency.WEEKLY else ""
        return f"{self.get_frequency_display()}{on}"


class Interest(models.Model):
    """One thing a reader asked for (or, `muted`, asked not to see): a topic, or a filter in their own words."""

    class Kind(models.TextChoices):
        TOPIC = "topic", "Topic"
        FILTER = "filter", "Filter"
        AUTHOR = "author", "Author"
        CATEGORY = "category", "Category"

    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, related_name="interests")
    kind = models.CharField(max_length=12, choices=Kind)
    text = models.CharField(max_length=500, blank=True, help_text="As the reader typed it.")
    topic = models.ForeignKey(Topic, null=True, blank=True, on_delete=models.PROTECT, related_name="interests")
    filter = models.ForeignKey(Filter, on_delete=models.PROTECT, related_name="interests")
    weight = models.FloatField(default=1.0)
    muted = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["subscriber", "filter"], name="interest_once"),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """What the reader would call it: the topic's name, or their own words."""
        return self.topic.name if self.topic else self.text

    @property
    def said(self) -> str:
        """The label, and whether it is wanted or not."""
        return f"Not: {self.label}" if self.muted else self.label


class Description(models.Model):
    """What a reader works on, in their own sentences."""

    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, related_name="descriptions")
    text = models.TextField()
    weight = models.FloatField(default=1.0)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return f"description {self.pk}"

    @property
    def label(self) -> str:
        """Its beginning, for the line beside a paper."""
        text = " ".join(self.text.split())
        return text if len(text) <= 60 else text[:59].rsplit(" ", 1)[0] + "…"


class LikedPaper(models.Model):
    """A paper a reader named as their kind of paper (or not their kind: `is_liked` false).

    `identifier` is arXiv id, DOI, link or, failing those, the title; what the reader's own file said of the
    paper is kept, since it may never have been announced here.
    """

    class Origin(models.TextChoices):
        LIST = "list", "A list of ids or links"
        BIBTEX = "bibtex", "A BibTeX file"
        RIS = "ris", "A RIS file"
        SITE = "site", "This site"

    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, related_name="liked_papers")
    identifier = models.CharField(max_length=300)
    title = models.CharField(max_length=1000, blank=True)
    abstract = models.TextField(blank=True)
    authors = models.JSONField(default=list)
    is_liked = models.BooleanField(default=True)
    origin = models.CharField(max_length=6, choices=Origin)
    at = models.DateTimeField()

    class Meta:
        ordering = ("id",)
        constraints = [models.UniqueConstraint(fields=["subscriber", "identifier"], name="paper_liked_once")]

    def __str__(self) -> str:
        return self.title or self.identifier


class Consent(models.Model):
    """Proof of what a reader agreed to, and when. Rows are only added."""

    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, related_name="consents")
    act = models.CharField(max_length=20, help_text="asked, confirmed, changed, left, returned, erased")
    at = models.DateTimeField()
    wording = models.CharField(max_length=40, help_text="Version of the text that was shown.")
    network = models.CharField(max_length=45, blank=True, help_text="Truncated address (/24 or /48).")

    def __str__(self) -> str:
        return f"{self.act} {self.at:%Y-%m-%d}"


class Suppression(models.Model):
    """An address nobody may write to, known only by its keyed hash; it outlives the subscriber."""

    class Reason(models.TextChoices):
        HARD_BOUNCE = "hard_bounce", "The address does not exist"
        COMPLAINT = "complaint", "Reported as spam"
        REQUEST = "request", "Asked never to be written to"
        CURATOR = "curator", "Set by a curator"
        ERASED = "erased", "Erased; a signup of their own lifts it"

    address_hmac = models.CharField(max_length=64, unique=True)
    reason = models.CharField(max_length=12, choices=Reason)
    detail = models.CharField(max_length=300, blank=True)
    since = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.address_hmac[:8]}… {self.reason}"


class Notice(models.Model):
    """One-off mail waiting to go: written in the same transaction as its reason, sent by the sweeper."""

    class Kind(models.TextChoices):
        CONFIRM = "confirm", "Please confirm"
        LINK = "link", "Here is your link"
        ADDRESS = "address", "Please confirm your new address"
        MOVED = "moved", "Your letters go to another address now"
        GOODBYE = "goodbye", "You have left"
        QUIET = "quiet", "Nothing today, and why"

    class State(models.TextChoices):
        PENDING = "pending", "Waiting"
        CLAIMED = "claimed", "Being sent"
        ACCEPTED = "accepted", "Accepted by the provider"
        REJECTED = "rejected", "Refused by the provider"
        UNCERTAIN = "uncertain", "Perhaps sent"
        DEAD = "dead", "Given up"

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=12, choices=Kind)
    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, related_name="notices")
    dedupe_key = models.CharField(max_length=120, unique=True)
    words = models.CharField(max_length=300, blank=True, help_text="A sentence the letter says (kind quiet).")
    to = models.CharField(max_length=254, blank=True, help_text="The address left behind (kind moved), until settled.")
    state = models.CharField(max_length=12, choices=State, default=State.PENDING)
    tries = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField()
    claim = models.UUIDField(null=True, blank=True, help_text="Whose turn it is: settling needs the same one.")
    lease_until = models.DateTimeField(null=True, blank=True)
    repeats = models.PositiveSmallIntegerField(default=0, help_text="How often it was sent again on a doubt.")
    created_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)
    trouble = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["next_at", "id"], name="notice_waiting", condition=Q(state__in=["pending", "claimed"]))
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.uuid}"


class Budget(models.Model):
    """One row of the limiter (`limits.py`): uses within windows, or the moment before which nothing more goes."""

    key = models.CharField(max_length=300, unique=True, help_text="Kind, and a machine's name or a keyed hash.")
    taken = models.JSONField(default=list, help_text="Unix seconds of each use, oldest first.")
    free_at = models.DateTimeField(null=True, blank=True, help_text="Put off, or not full again, until then.")
    reason = models.CharField(max_length=300, blank=True, help_text="Why it is put off.")
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.key[:20]}…"

    @property
    def subject(self) -> str:
        """What a row of `limits.held` is about."""
        return self.key.partition(":")[2]


class SignupRequest(models.Model):
    """What a visitor sent in, waiting to be acted on after they have been answered (`asks.py`).

    The answer is the same bytes in the same time whoever the address belongs to, because nothing
    was looked up before it was given.
    """

    class Kind(models.TextChoices):
        SIGNUP = "signup", "Wants letters"
        LINK = "link", "Wants a fresh link"

    kind = models.CharField(max_length=8, choices=Kind)
    email = models.CharField(max_length=254)
    wishes = models.JSONField(default=dict, blank=True)
    network = models.CharField(max_length=45, blank=True, help_text="Truncated address (/24 or /48).")
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.kind} {self.at:%Y-%m-%d %H:%M}"
