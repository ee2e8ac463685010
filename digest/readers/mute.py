"""One click on a reason: what brought this paper brings no more. The interest goes; one more click brings it back."""

from __future__ import annotations

from collections.abc import Iterable
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
    """Kind and label of each reason of a paper on a letter that a reader can do without, in the letter's order."""
    rows = [row for row in delivery.papers if row.get("paper") == paper]
    said = [(str(one.get("kind", "")), str(one.get("label", ""))) for row in rows for one in row.get("reasons") or ()]
    return [one for one in dict.fromkeys(said) if one[0] not in FIXED]


def mute(reader: Subscriber, kind: str, label: str, now: datetime) -> str:
    """Do without a reason from now on. What `restore` takes to bring it back; "" where it was gone already."""
    with transaction.atomic():
        if kind in SWITCHES:
            gone = {"switch": kind} if _turned(reader, SWITCHES[kind], to=False) else {}
        else:
            gone = {"rows": rows} if (rows := _taken(reader, kind, label)) else {}
        if gone:
            _prove(reader, now)
    return signing.dumps({"reader": reader.pk, **gone}, salt=SALT, compress=True) if gone else ""


def restore(reader: Subscriber, gone: str, now: datetime) -> bool:
    """Bring back what `mute` took; False where it is there already, or `gone` is forged, another's or too old."""
    try:
        kept = signing.loads(gone, salt=SALT, max_age=UNDO_FOR)
    except signing.BadSignature:
        return False
    if kept["reader"] != reader.pk:
        return False
    with transaction.atomic():
        back = _turned(reader, SWITCHES[kept["switch"]], to=True) if "switch" in kept else _put(kept["rows"])
        if back:
            _prove(reader, now)
    return back


def _taken(reader: Subscriber, kind: str, label: str) -> str:
    """Take the rows behind a reason away; the rows as text, "" where there are none."""
    found: list[Model] = []
    for rows in _behind(reader, kind, label):
        found += rows
        rows.delete()
    if found and kind == LIKED:
        profiles.unlearn(reader.pk, label)
    return serializers.serialize("json", found) if found else ""


def _behind(reader: Subscriber, kind: str, label: str) -> Iterable[QuerySet[Any]]:
    if kind == DESCRIPTION:
        said = [one.pk for one in reader.descriptions.all() if one.label == label]
        return [Description.objects.filter(pk__in=said)]
    if kind == LIKED:
        # A paper named by its id or link has no title of its own: the stored paper has.
        stored = Identifier.objects.filter(paper__title=label).values("value")
        named = LikedPaper.objects.filter(Q(title=label[:1000]) | Q(identifier__in=stored), subscriber=reader)
        said_more = Feedback.objects.filter(subscriber=reader, paper__title=label, value=Feedback.Value.MORE)
        return [named.filter(is_liked=True), said_more]
    asked = reader.interests.select_related("topic").filter(muted=False)
    return [Interest.objects.filter(pk__in=[one.pk for one in asked if one.label == label])]


def _put(rows: str) -> bool:
    """Write rows back as they were; what the reader made anew meanwhile stays as it is."""
    back = False
    for one in serializers.deserialize("json", rows):
        try:
            with transaction.atomic():
                one.object.save_base(raw=True, force_insert=True)
            back = True
        except IntegrityError:
            continue
    return back


def _turned(reader: Subscriber, switch: str, to: bool) -> bool:
    changed = Subscriber.objects.filter(pk=reader.pk, **{switch: not to}).update(**{switch: to})
    reader.refresh_from_db(fields=[switch])
    return bool(changed)


def _prove(reader: Subscriber, now: datetime) -> None:
    Consent.objects.create(subscriber=reader, act="changed", at=now, wording="interests")
