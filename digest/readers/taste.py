"""What was learnt of a reader from the papers they like, for their own page; and how it is forgotten."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
from django.dispatch import receiver
from django.urls import reverse

from digest.letters import links
from digest.matching import profiles
from digest.models import Feedback, Profile, Saved
from subscriptions import questions, signals
from subscriptions.models import Subscriber

WORDS = 15
SAID = 20


@receiver(signals.showing_taste)
def show(subscriber: Subscriber, **_: Any) -> questions.ProfileSummary:
    """The words that speak most for a paper, what the reader said of papers, and how many they keep."""
    rows = Feedback.objects.filter(subscriber=subscriber).select_related("paper").order_by("-at")[:SAID]
    said = [
        questions.Said(row.paper.title, reverse("paper", args=[row.paper_id]), row.value > 0, row.paper_id)
        for row in rows
    ]
    url = links.saved_url(subscriber)
    return questions.ProfileSummary(_words(subscriber), said, Saved.objects.filter(subscriber=subscriber).count(), url)


def _words(subscriber: Subscriber) -> list[str]:
    """The features that weigh most in the reader's profile, the heaviest first."""
    learned = profiles.learned([subscriber.pk]).get(subscriber.pk)
    if learned is None:
        return []
    names = {number: name for name, number in learned.space.features.items()}
    heaviest = np.argsort(-np.asarray(learned.taste.weights))[:WORDS]
    best = [place for place in heaviest.tolist() if learned.taste.weights[place] > 0]
    return [names[int(learned.taste.columns[place])] for place in best]


@receiver(signals.taking_back)
def take_back(subscriber: Subscriber, paper: int, **_: Any) -> bool:
    """The answer goes, and at once what was learnt from it."""
    said = Feedback.objects.filter(subscriber=subscriber, paper_id=paper).select_related("paper").first()
    if said is None:
        return False
    profiles.unlearn(subscriber.pk, said.paper.title)
    said.delete()
    return True


@receiver(signals.taste_changed)
def forget(subscriber: Subscriber, now: datetime, is_reset: bool, **_: Any) -> None:
    """On a reset nothing that was learnt stays; papers named are learnt from by night."""
    if is_reset:
        Profile.objects.filter(subscriber=subscriber).delete()
        Feedback.objects.filter(subscriber=subscriber).delete()
