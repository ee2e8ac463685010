"""What pages and mail of subscriptions ask the application that makes the letters: one protocol, values in and out.

`digest` is set once, when Django starts (`DigestConfig.ready`). Without it `NoDigest` answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from subscriptions.bibliography import Reference
from subscriptions.models import Subscriber
from subscriptions.wants.interests import Wish


@dataclass(frozen=True)
class PreviewPaper:
    """One paper that would have come."""

    title: str
    url: str
    authors: str
    day: date
    why: str


@dataclass(frozen=True)
class Span:
    """So many days up to the newest edition: of `looked_at` papers `matched`, some `a_day` on a day with papers."""

    days: int
    looked_at: int
    matched: int
    a_day: float


@dataclass(frozen=True)
class Tally:
    """What one wish finds in a week and in 30 days, and what to try where that is nothing or too much.

    Of a muted one: what it keeps out of the papers that other wishes find.
    """

    of_week: int = 0
    of_month: int = 0
    advice: str = ""


@dataclass(frozen=True)
class Preview:
    """What these wishes would have brought.

    `by_day` counts the matched papers of each day with an edition; `tallies` go by canonical query, and papers
    named are under ""; `papers` are the best of the week.
    """

    week: Span
    month: Span
    by_day: Sequence[tuple[date, int]]
    tallies: dict[str, Tally]
    papers: Sequence[PreviewPaper]

    @property
    def most(self) -> tuple[date, int]:
        """The day with the most papers, and how many; the first of equals."""
        return max(self.by_day, key=lambda one: one[1])


@dataclass(frozen=True)
class Letter:
    """One line of a reader's history: when, what became of it, in words, and how well that is."""

    day: date
    at: datetime | None
    words: str
    tone: str = ""
    papers: int = 0
    url: str = ""


@dataclass(frozen=True)
class Said:
    """What a reader said of a paper, by a link in a letter."""

    title: str
    url: str
    is_liked: bool
    paper: int


@dataclass(frozen=True)
class ProfileSummary:
    """What was learnt of a reader: `words` that speak for a paper, what they `said` of papers, and their saved ones."""

    words: Sequence[str] = ()
    said: Sequence[Said] = ()
    saved: int = 0
    saved_url: str = ""


class Digest(Protocol):
    """The questions. Each method here gives the answer of subscriptions without digest."""

    can_send_now: bool = False
    """Whether `send_now` can bring a letter at all."""

    def preview(self, wishes: Sequence[Wish], description: str = "", liked: Sequence[Reference] = ()) -> Preview | None:
        """What wishes, a description and papers named would have brought in the last 30 days; None if unknown."""
        return None

    def history(self, subscriber: Subscriber, now: datetime) -> Sequence[Letter]:
        """The reader's letters and the days without one, newest first."""
        return ()

    def today(self, subscriber: Subscriber, now: datetime) -> Letter | None:
        """What became of the reader's present day; None if unknown."""
        return None

    def send_now(self, subscriber: Subscriber, now: datetime) -> str:
        """Make the reader due for the newest edition at once; answers in a sentence, "" where there is no letter."""
        return ""

    def reason_to_hold(self, now: datetime) -> str:
        """Why no mail may leave at present (a restored database); "" if it may."""
        return ""

    def feed_url(self, topic: str, query: str) -> str:
        """The absolute address of the feed of a topic (its slug) or of a canonical query; "" if there is none."""
        return ""

    def profile_summary(self, subscriber: Subscriber) -> ProfileSummary:
        """What was learnt from the papers that the reader likes."""
        return ProfileSummary()

    def take_back(self, subscriber: Subscriber, paper: int) -> bool:
        """Delete what the reader said of a paper (its id); False where they had said nothing."""
        return False


class NoDigest(Digest):
    """Subscriptions without digest: nothing is known, and no mail is held."""


digest: Digest = NoDigest()
