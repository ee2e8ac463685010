"""Rows only: the rules live in the rooms. Each file holds the rows of one step of a paper's way."""

from digest.models.delivery import (
    Attempt,
    BounceScore,
    Channel,
    DatabaseMetadata,
    Delivery,
    FrozenCopy,
    ProviderEvent,
    Skip,
)
from digest.models.desk import AppendOnlyError, AuditEntry, AuditEntryQuerySet, DayCount, Heartbeat
from digest.models.editions import Edition, EditionPaper
from digest.models.papers import Announcement, Identifier, Paper, PaperEmbedding, StoredLsaModel, VoteSnapshot
from digest.models.readers import Feedback, Profile, Saved
from digest.models.sources import Fetch, Outcome, Source

__all__ = (
    "Announcement",
    "AppendOnlyError",
    "Attempt",
    "AuditEntry",
    "AuditEntryQuerySet",
    "BounceScore",
    "Channel",
    "DatabaseMetadata",
    "DayCount",
    "Delivery",
    "Edition",
    "EditionPaper",
    "Feedback",
    "Fetch",
    "FrozenCopy",
    "Heartbeat",
    "Identifier",
    "Outcome",
    "Paper",
    "PaperEmbedding",
    "Profile",
    "ProviderEvent",
    "Saved",
    "Skip",
    "Source",
    "StoredLsaModel",
    "VoteSnapshot",
)
