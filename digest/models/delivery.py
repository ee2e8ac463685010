"""What was sent to whom: the ledger, the channels, and what providers reported."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from digest.models.editions import Edition


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


class FrozenCopy(models.Model):
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
    watermark_at = models.DateTimeField(null=True, blank=True, help_text="Evidence is complete up to here.")
    watched_at = models.DateTimeField(null=True, blank=True, help_text="Rates of trouble are counted from here.")
    streak = models.PositiveIntegerField(default=0, help_text="Letters in a row that did not go.")
    accepted_at = models.DateTimeField(null=True, blank=True, help_text="When a letter last went.")

    def __str__(self) -> str:
        return self.name


class BounceScore(models.Model):
    """How well an address takes mail: soft bounces wear it down, time and deliveries restore it."""

    address_hmac = models.CharField(max_length=64, unique=True)
    bounces = models.FloatField(default=0, help_text="Soft bounces, fading with time.")
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.address_hmac[:8]}… {self.bounces:.1f}"


class DatabaseMetadata(models.Model):
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
    waits = models.BooleanField(
        default=False, db_default=False, help_text="Kept back until sending is resumed: a surge of reports."
    )

    class Meta:
        indexes = [
            models.Index(fields=["id"], name="event_unapplied", condition=Q(applied_at=None)),
            models.Index(fields=["channel", "applied_at"], name="event_ended", condition=Q(ended=True)),
            models.Index(fields=["channel"], name="event_waiting", condition=Q(waits=True)),
            models.Index(fields=["channel", "received_at"], name="event_recent"),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.type} {self.occurred_at:%Y-%m-%d %H:%M}"
