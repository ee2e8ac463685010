"""Rows only: the rules live in the rooms. Each file holds the rows of one step of a paper's way."""

from digest.models.delivery import Attempt, Channel, Delivery, DomainPause, Mark, ProviderEvent, Sealed, Skip, Standing
from digest.models.desk import Act, ActQuerySet, AppendOnlyError, Heartbeat, SignInBudget, Tally
from digest.models.editions import Edition, EditionPaper
from digest.models.papers import Announcement, Identifier, Landscape, Meaning, Paper, Signal
from digest.models.readers import Feedback, Profile, Saved
from digest.models.sources import Fetch, Host, Outcome, Source

__all__ = (
    "Act",
    "ActQuerySet",
    "Announcement",
    "AppendOnlyError",
    "Attempt",
    "Channel",
    "Delivery",
    "DomainPause",
    "Edition",
    "EditionPaper",
    "Feedback",
    "Fetch",
    "Heartbeat",
    "Host",
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
    "SignInBudget",
    "Signal",
    "Skip",
    "Source",
    "Standing",
    "Tally",
)
