"""Turning doubt into no loss: papers of a letter that may not have arrived come with the reader's next one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from digest.delivery import machine
from digest.models import Delivery

Waiting = Mapping[int, Sequence[Delivery]]  # subscriber id -> letters whose papers wait to be carried
KIND = "carried"
MOST = 20  # papers carried into one letter, newest letters first; the archive has the rest


def waiting_for(subscribers: Sequence[int]) -> dict[int, list[Delivery]]:
    """Subscriber id -> their letters whose papers wait to be carried, newest first."""
    states = [machine.DELIVERY[one] for one in machine.CARRIED]
    rows = Delivery.objects.filter(subscriber__in=subscribers, state__in=states, carried_by=None)
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
            Delivery.objects.filter(pk__in=ids, carried_by=None).update(carried_by=row)
