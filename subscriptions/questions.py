"""What other rooms answer when a page of ours asks: values only, so that no page needs to know who answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.dispatch import Signal

from subscriptions import signals
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


def preview(
    wishes: Sequence[Wish], now: datetime, description: str = "", liked: Sequence[Reference] = ()
) -> Preview | None:
    """None where nobody answers."""
    asked = {"wishes": list(wishes), "description": description, "liked": list(liked)}
    found: Preview | None = _first(signals.previewing, **asked, now=now)
    return found


def profile_summary(subscriber: Subscriber) -> ProfileSummary:
    found: ProfileSummary | None = _first(signals.showing_taste, subscriber=subscriber)
    return found or ProfileSummary()


def take_back(subscriber: Subscriber, paper: int, now: datetime) -> bool:
    """Unsay what the reader said of a paper; False where they had said nothing."""
    return bool(_first(signals.taking_back, subscriber=subscriber, paper=paper, now=now))


def history(subscriber: Subscriber, now: datetime) -> Sequence[Letter]:
    letters: Sequence[Letter] | None = _first(signals.history, subscriber=subscriber, now=now)
    return letters or ()


def today(subscriber: Subscriber, now: datetime) -> Letter | None:
    """What became of the reader's present day; None where nobody answers."""
    found: Letter | None = _first(signals.explaining, subscriber=subscriber, now=now)
    return found


def send_now(subscriber: Subscriber, now: datetime) -> str:
    """Plan today's letter for this reader at once; answers in a sentence, empty where that is not to be had."""
    return _first(signals.wanting_now, subscriber=subscriber, now=now) or ""


def can_send_now() -> bool:
    return signals.wanting_now.has_listeners(Subscriber)


def _first(signal: Signal, **asked: Any) -> Any:
    answers = [answer for _, answer in signal.send(Subscriber, **asked) if answer is not None]
    return answers[0] if answers else None
