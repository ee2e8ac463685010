"""What a reader asked for, as plain values; and why a paper came."""

from __future__ import annotations

from dataclasses import dataclass, field

from digest.matching.liked_profile import LikedProfile
from digest.matching.lsa import LsaModel

TOPIC, FILTER, AUTHOR, CATEGORY = "topic", "filter", "author", "category"
DESCRIPTION, LIKED = "description", "liked"
PIN, COMMUNITY, EXPLORE = "pin", "community", "explore"


@dataclass(frozen=True, slots=True)
class Learned:
    """A reader's profile and the LSA model it was fitted in."""

    profile: LikedProfile
    model: LsaModel


@dataclass(frozen=True, slots=True)
class InterestQuery:
    """One thing a reader asked for; `muted` means never show what it finds.

    `query` is a query in canonical form; for a DESCRIPTION the reader's sentences; for LIKED it is empty and
    `learned` holds what their likes say.
    """

    label: str
    kind: str
    query: str
    weight: float = 1.0
    muted: bool = False
    learned: Learned | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a paper is here: the kind of want, its label in the reader's words, and the words found in the paper.

    For LIKED the label is the title of the liked paper that this one resembles most.
    """

    kind: str
    label: str
    words: tuple[str, ...] = ()
