"""Carries the papers of a letter that may not have arrived over into the reader's next letter."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from digest.delivery import ledger, reasons, states
from digest.delivery.states import Event
from digest.models import Attempt, Delivery
from subscriptions.models import Subscriber

Waiting = Mapping[int, Sequence[Delivery]]  # subscriber id -> letters whose papers wait to be carried
KIND = "carried"
NOT_BEGUN = (Delivery.State.PENDING, Delivery.State.CLAIMED)
DOUBTFUL = tuple(states.DELIVERY[state] for state in states.CARRIED)
MOST = 20  # papers carried into one letter, newest letters first; the archive has the rest


def waiting_for(subscribers: Sequence[int]) -> dict[int, list[Delivery]]:
    """Subscriber id -> their letters whose papers wait to be carried, newest first."""
    rows = _not_carried().filter(subscriber__in=subscribers)
    found: dict[int, list[Delivery]] = defaultdict(list)
    for row in rows.select_related("edition").order_by("-planned_at", "-id"):
        found[row.subscriber_id].append(row)
    return found


def _not_carried() -> QuerySet[Delivery]:
    """Letters that may not have arrived, and those skipped because a reader paused or left who wants to catch up."""
    doubtful = Q(state__in=DOUBTFUL)
    left_out = Q(
        state=Delivery.State.SKIPPED,
        reason__in=[reasons.PAUSED, reasons.UNSUBSCRIBED],
        subscriber__catch_up=True,
    )
    return Delivery.objects.filter(doubtful | left_out, carried_by=None)


def add(papers: Sequence[dict[str, Any]], carried: Sequence[Delivery]) -> list[dict[str, Any]]:
    """The new papers, then the carried ones that are not among them, each marked with its edition's day.

    A paper that is carried twice keeps its first day.
    """
    together = list(papers)
    most = len(papers) + MOST
    there = {one["paper"] for one in papers}
    for row in carried:
        day = row.edition.date
        reason = {"kind": KIND, "label": f"{day.day} {day:%B}", "words": []}
        for one in row.papers:
            if one["paper"] in there or len(together) >= most:
                continue
            there.add(one["paper"])
            if not any(known["kind"] == KIND for known in one["reasons"]):
                one = {**one, "carried": day.isoformat(), "reasons": [reason, *one["reasons"]]}
            together.append(one)
    return together


def mark(rows: Sequence[Delivery], carried: Waiting) -> None:
    """Write on the old letters which new one brings their papers: those read when it was put together, no others."""
    for row in rows:
        ids = [old.pk for old in carried.get(row.subscriber_id, ())]
        if ids:
            _not_carried().filter(pk__in=ids).update(carried_by=row)


def look_again(rows: Sequence[Delivery], carried: Waiting) -> None:
    """Take out of new letters what arrived after all since it was read; the old letters are locked until the end.

    To be called in the transaction that stores the new letters.
    """
    ids = []
    for row in rows:
        ids += [old.pk for old in carried.get(row.subscriber_id, ())]
    if not ids:
        return
    old_ones = _not_carried().filter(pk__in=ids).order_by("pk")
    if connection.features.has_select_for_update_of:
        old_ones = old_ones.select_for_update(of=("self",))
    still_waiting = set(old_ones.values_list("pk", flat=True))
    for row in rows:
        waiting = carried.get(row.subscriber_id, ())
        left = [old for old in waiting if old.pk in still_waiting]
        if len(left) < len(waiting):
            own = [one for one in row.papers if "carried" not in one]
            row.papers = add(own, left)


def take_back(delivery: Delivery, now: datetime) -> None:
    """The letter arrived after all: a later letter that has not begun to leave need not bring its papers.

    One that a worker has claimed is unclaimed, so that it is written anew.
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
        left = []
        for one in later.papers:
            if "carried" not in one or one["paper"] not in brought:
                left.append(one)
        waiting = Delivery.objects.filter(pk=later.pk, state=Delivery.State.PENDING)
        waiting.update(papers=left)
        is_empty = later.papers and not left
        if is_empty and later.subscriber.empty_day == Subscriber.EmptyDay.NOTHING:
            ledger.move(waiting, Event.SKIP, now, reason=reasons.NO_MATCH)
