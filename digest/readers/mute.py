"""Muting a reason by one click: the interest behind it is deleted; one more click restores it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.core import serializers, signing
from django.db import IntegrityError, transaction
from django.db.models import Model, Q, QuerySet

from digest.matching import profiles
from digest.matching.interest_query import COMMUNITY, DESCRIPTION, EXPLORE, LIKED, PIN
from digest.models import Delivery, Feedback, Identifier
from subscriptions.models import Consent, Description, Interest, LikedPaper, Subscriber

SWITCHES = {COMMUNITY: "community_picks", EXPLORE: "exploration"}
FIXED = {PIN, "late", "carried"}
SALT = "offprint.mute"
UNDO_FOR = timedelta(days=1)


def reasons(delivery: Delivery, paper: int) -> list[tuple[str, str]]:
    """Kind and label of each reason of a paper on a letter that a reader can mute, in the letter's order."""
    found: dict[tuple[str, str], None] = {}
    for row in delivery.papers:
        if row.get("paper") != paper:
            continue
        for reason in row.get("reasons") or ():
            kind = str(reason.get("kind", ""))
            if kind not in FIXED:
                found[kind, str(reason.get("label", ""))] = None
    return list(found)


def mute(reader: Subscriber, kind: str, label: str, now: datetime) -> str:
    """Delete what brings a reason. The signed token that `restore` takes; "" where it was gone already."""
    token: dict[str, int | str] = {"reader": reader.pk}
    with transaction.atomic():
        if kind in SWITCHES:
            is_changed = _switch(reader, SWITCHES[kind], to=False)
            token["switch"] = kind
        else:
            token["rows"] = _delete(reader, kind, label)
            is_changed = bool(token["rows"])
        if not is_changed:
            return ""
        _prove(reader, now)
    return signing.dumps(token, salt=SALT, compress=True)


def restore(reader: Subscriber, token: str, now: datetime) -> bool:
    """Bring back what `mute` took; False where it is there already, or the token is forged, another's or too old."""
    try:
        kept = signing.loads(token, salt=SALT, max_age=UNDO_FOR)
    except signing.BadSignature:
        return False
    if kept["reader"] != reader.pk:
        return False
    with transaction.atomic():
        is_changed = False
        if "switch" in kept:
            is_changed = _switch(reader, SWITCHES[kept["switch"]], to=True)
        if "rows" in kept:
            is_changed = _insert(kept["rows"])
        if is_changed:
            _prove(reader, now)
    return is_changed


def _delete(reader: Subscriber, kind: str, label: str) -> str:
    """Delete the rows behind a reason; returns them as JSON, "" where there are none."""
    found: list[Model] = []
    for rows in _behind(reader, kind, label):
        found += rows
        rows.delete()
    if not found:
        return ""
    if kind == LIKED:
        profiles.unlearn(reader.pk, label)
    return serializers.serialize("json", found)


def _behind(reader: Subscriber, kind: str, label: str) -> list[QuerySet[Any]]:
    """The rows that bring a reason of this kind and label."""
    if kind == DESCRIPTION:
        said = [one.pk for one in reader.descriptions.all() if one.label == label]
        return [Description.objects.filter(pk__in=said)]
    if kind == LIKED:
        # A paper named by its id or link has no title of its own: the stored paper has.
        stored = Identifier.objects.filter(paper__title=label).values("value")
        named = LikedPaper.objects.filter(Q(title=label[:1000]) | Q(identifier__in=stored), subscriber=reader)
        said_more = Feedback.objects.filter(subscriber=reader, paper__title=label, value=Feedback.Value.MORE)
        return [named.filter(is_liked=True), said_more]
    interests = reader.interests.select_related("topic").filter(muted=False)
    labelled = [one.pk for one in interests if one.label == label]
    return [Interest.objects.filter(pk__in=labelled)]


def _insert(rows: str) -> bool:
    """Insert rows given as JSON; a row that the reader made anew meanwhile is left as it is."""
    is_changed = False
    for one in serializers.deserialize("json", rows):
        try:
            with transaction.atomic():
                one.object.save_base(raw=True, force_insert=True)
            is_changed = True
        except IntegrityError:
            continue
    return is_changed


def _switch(reader: Subscriber, field: str, to: bool) -> bool:
    """Set a reader's switch; False where it was set so before."""
    changed = Subscriber.objects.filter(pk=reader.pk, **{field: not to}).update(**{field: to})
    reader.refresh_from_db(fields=[field])
    return changed > 0


def _prove(reader: Subscriber, now: datetime) -> None:
    Consent.objects.create(subscriber=reader, act="changed", at=now, wording="interests")
