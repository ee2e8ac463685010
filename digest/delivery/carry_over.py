"""Turning doubt into no loss: papers of a letter that may not have arrived come with the reader's next one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Q

from digest.delivery import ledger, reasons, states
from digest.delivery.states import Event
from digest.models import Attempt, Delivery
from subscriptions.models import Subscriber

Waiting = Mapping[int, Sequence[Delivery]]  # subscriber id -> letters whose papers wait to be carried
KIND = "carried"
NOT_BEGUN = (Delivery.State.PENDING, Delivery.State.CLAIMED)
MOST = 20  # papers carried into one letter, newest letters first; the archive has the rest


def waiting_for(subscribers: Sequence[int]) -> dict[int, list[Delivery]]:
    """Subscriber id -> their letters whose papers wait to be carried, newest first."""
    rows = Delivery.objects.filter(_doubtful() | _left_out(), subscriber__in=subscribers, carried_by=None)
    found: dict[int, list[Delivery]] = defaultdict(list)
    for row in rows.select_related("edition").order_by("-planned_at", "-id"):
        found[row.subscriber_id].append(row)
    return found


def add(papers: Sequence[dict[str, Any]], carried: Sequence[Delivery]) -> list[dict[str, Any]]:
    """The new papers, then the carried ones that are not among them, each marked with its edition's day."""
    together = list(papers)
    there = {one["paper"] for one in papers}
    for row in carried:
        for one in row.papers:
            if one["paper"] not in there and len(together) < len(papers) + MOST:
                there.add(one["paper"])
                together.append(_carried(one, row))
    return together


def _carried(one: dict[str, Any], row: Delivery) -> dict[str, Any]:
    """A paper with the day of the letter that may not have brought it; one carried twice keeps its first day."""
    if any(reason["kind"] == KIND for reason in one["reasons"]):
        return one
    day = row.edition.date
    reason = {"kind": KIND, "label": f"{day.day} {day:%B}", "words": []}
    return {**one, "carried": day.isoformat(), "reasons": [reason, *one["reasons"]]}


def mark(rows: Sequence[Delivery], carried: Waiting) -> None:
    """Say on the old letters which new one brings their papers: those read when it was put together, no others."""
    for row in rows:
        ids = [old.pk for old in carried.get(row.subscriber_id, ())]
        if ids:
            Delivery.objects.filter(_doubtful() | _left_out(), pk__in=ids, carried_by=None).update(carried_by=row)


def _doubtful() -> Q:
    return Q(state__in=[states.DELIVERY[one] for one in states.CARRIED])


def _left_out() -> Q:
    """Planned, then skipped because the reader paused or left: whoever comes back is told, if they want to be."""
    gone = [reasons.PAUSED, reasons.UNSUBSCRIBED]
    return Q(state=Delivery.State.SKIPPED, reason__in=gone, subscriber__catch_up=True)


def look_again(rows: Sequence[Delivery], carried: Waiting) -> None:
    """Take out of new letters what arrived after all since it was read; the old letters are locked until the end.

    To be called in the transaction that stores the new letters.
    """
    ids = [old.pk for row in rows for old in carried.get(row.subscriber_id, ())]
    if not ids:
        return
    old_ones = Delivery.objects.filter(_doubtful() | _left_out(), pk__in=ids, carried_by=None).order_by("pk")
    if connection.features.has_select_for_update_of:
        old_ones = old_ones.select_for_update(of=("self",))
    still = set(old_ones.values_list("pk", flat=True))
    for row in rows:
        waiting = carried.get(row.subscriber_id, ())
        if any(old.pk not in still for old in waiting):
            own = [one for one in row.papers if "carried" not in one]
            row.papers = add(own, [old for old in waiting if old.pk in still])


def take_back(delivery: Delivery, now: datetime) -> None:
    """It arrived after all: a later letter that has not begun to leave need not bring its papers.

    One that a worker has claimed is taken from it, so that it is written anew.
    """
    with transaction.atomic():
        later = Delivery.objects.filter(carries=delivery, state__in=NOT_BEGUN).first()
        if later is None:
            return
        # Locked: an intent that is being committed comes first, and then the letter goes as it is.
        claimed = Attempt.objects.select_for_update().filter(pk=later.attempt_id or 0, state=Attempt.State.OPEN)
        if claimed.first() is not None:
            ledger.move(Delivery.objects.filter(pk=later.pk, attempt=later.attempt_id), Event.UNCLAIM, now)
        brought = {one["paper"] for one in delivery.papers}
        left = [one for one in later.papers if not ("carried" in one and one["paper"] in brought)]
        waiting = Delivery.objects.filter(pk=later.pk, state=Delivery.State.PENDING)
        waiting.update(papers=left)
        if not left and later.papers and later.subscriber.empty_day == Subscriber.EmptyDay.NOTHING:
            ledger.move(waiting, Event.SKIP, now, reason=reasons.NO_MATCH)
