"""A reader's profile on their own page, and how it is forgotten."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
from django.dispatch import receiver
from django.urls import reverse

from digest.letters import links
from digest.matching import profiles
from digest.models import Feedback, Profile, Saved
from subscriptions import signals
from subscriptions.models import Subscriber
from subscriptions.questions import ProfileSummary, Said

FEATURES_SHOWN = 15
FEEDBACK_SHOWN = 20


def summary(subscriber: Subscriber) -> ProfileSummary:
    """The features that speak most for a paper, the reader's newest feedback, and how many papers they saved."""
    rows = Feedback.objects.filter(subscriber=subscriber).select_related("paper").order_by("-at")
    said = []
    for row in rows[:FEEDBACK_SHOWN]:
        said.append(Said(row.paper.title, reverse("paper", args=[row.paper_id]), row.value > 0, row.paper_id))
    saved = Saved.objects.filter(subscriber=subscriber).count()
    return ProfileSummary(_features(subscriber), said, saved, links.saved_url(subscriber))


def _features(subscriber: Subscriber) -> list[str]:
    """The features that weigh most in the reader's profile, the heaviest first."""
    learned = profiles.learned([subscriber.pk]).get(subscriber.pk)
    if learned is None:
        return []
    names = list(learned.model.features)
    profile = learned.profile
    heaviest = np.argsort(-np.asarray(profile.weights))[:FEATURES_SHOWN]
    return [names[profile.columns[place]] for place in heaviest.tolist() if profile.weights[place] > 0]


def take_back(subscriber: Subscriber, paper: int) -> bool:
    """Delete what the reader said of a paper, and take its title out of the profile; False where there was nothing."""
    said = Feedback.objects.filter(subscriber=subscriber, paper_id=paper).select_related("paper").first()
    if said is None:
        return False
    profiles.unlearn(subscriber.pk, said.paper.title)
    said.delete()
    return True


@receiver(signals.taste_changed)
def forget(subscriber: Subscriber, now: datetime, is_reset: bool, **_: Any) -> None:
    """On a reset the profile and all feedback are deleted; papers named are learnt from by night."""
    if is_reset:
        Profile.objects.filter(subscriber=subscriber).delete()
        Feedback.objects.filter(subscriber=subscriber).delete()
