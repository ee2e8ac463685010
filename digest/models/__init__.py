"""Rows only: the rules live in the rooms. Each file holds the rows of one step of a paper's way."""

from digest.models.delivery import Attempt, Channel, Delivery, Mark, ProviderEvent, Sealed, Skip, Standing
from digest.models.desk import Act, ActQuerySet, AppendOnlyError, Heartbeat, Tally
from digest.models.editions import Edition, EditionPaper
from digest.models.papers import Announcement, Identifier, Landscape, Meaning, Paper, Signal
from digest.models.readers import Feedback, Profile, Saved
from digest.models.sources import Fetch, Outcome, Source

__all__ = (
    "Act",
    "ActQuerySet",
    "Announcement",
    "AppendOnlyError",
    "Attempt",
    "Channel",
    "Delivery",
    "Edition",
    "EditionPaper",
    "Feedback",
    "Fetch",
    "Heartbeat",
    "Identifier",
    "Landscape",
    "Mark",
    "Meaning",
    "Outcome",
    "Paper",
    "Profile",
    "ProviderEvent",
    "Saved",
    "Sealed",
    "Signal",
    "Skip",
    "Source",
    "Standing",
    "Tally",
)
