"""One click on a reason: what brought this paper brings no more. The interest goes; preferences bring it back."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from digest.matching.wants import COMMUNITY, DESCRIPTION, EXPLORE, LIKED, PIN
from digest.models import Delivery, Feedback
from subscriptions.models import Consent, Subscriber

SWITCHES = {COMMUNITY: "community_picks", EXPLORE: "exploration"}
FIXED = {PIN, "late", "carried"}


def reasons(delivery: Delivery, paper: int) -> list[tuple[str, str]]:
    """Kind and label of each reason of a paper on a letter that a reader can do without, in the letter's order."""
    rows = [row for row in delivery.papers if row.get("paper") == paper]
    said = [(str(one.get("kind", "")), str(one.get("label", ""))) for row in rows for one in row.get("reasons") or ()]
    return [one for one in dict.fromkeys(said) if one[0] not in FIXED]


def mute(reader: Subscriber, kind: str, label: str, now: datetime) -> bool:
    """Do without a reason from now on; False where it was gone already."""
    with transaction.atomic():
        gone = _without(reader, kind, label)
        if gone:
            Consent.objects.create(subscriber=reader, act="changed", at=now, wording="interests")
    return gone


def _without(reader: Subscriber, kind: str, label: str) -> bool:
    if kind in SWITCHES:
        return _off(reader, SWITCHES[kind])
    if kind == DESCRIPTION:
        found = [one.pk for one in reader.descriptions.all() if one.label == label]
        return bool(reader.descriptions.filter(pk__in=found).delete()[0])
    if kind == LIKED:
        named = reader.liked_papers.filter(title=label[:1000], is_liked=True).delete()[0]
        return bool(named + Feedback.objects.filter(subscriber=reader, paper__title=label, value=1).delete()[0])
    asked = [one.pk for one in reader.interests.select_related("topic") if one.label == label and not one.muted]
    return bool(reader.interests.filter(pk__in=asked).delete()[0])


def _off(reader: Subscriber, switch: str) -> bool:
    changed = Subscriber.objects.filter(pk=reader.pk, **{switch: True}).update(**{switch: False})
    reader.refresh_from_db(fields=[switch])
    return bool(changed)
