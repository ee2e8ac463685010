"""Whether an edition may still be changed, in words: why nothing moves in a closed one, and what to do instead."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from django.db.models import F
from django.urls import reverse

from digest.desk.acts.paper_acts import OPEN, is_going_out
from digest.models import Edition, Source

State = Edition.State


@dataclass(frozen=True, slots=True)
class Closed:
    """`why` it cannot be changed and what comes `next`, with the one act that helps (none where `act` is empty)."""

    why: str
    next: str
    act: str = ""
    url: str = ""


def closed(edition: Edition, now: datetime) -> Closed | None:
    """None while it is open."""
    if edition.state in OPEN:
        return None
    page = reverse("desk-edition", args=[edition.date])
    if edition.state == State.RELEASED:
        return closed_by_release(now)
    if is_going_out(edition):
        why = "This edition is going out: its papers, pins and notes are fixed."
        until = f"Letters begin to go at {edition.release_at:%H:%M:%S} UTC; until then you can take it back."
        return Closed(why, until, "To its page", page)
    why = "This edition is frozen: its papers, pins and notes are fixed."
    return Closed(why, "To change it, press Hold on its page: it is open again then.", "To its page", page)


def closed_by_release(now: datetime) -> Closed:
    why = "This edition is out: its papers, pins and notes are fixed."
    fresh = Edition.objects.filter(state__in=OPEN).order_by("-date").first()
    if fresh is not None:
        act = f"Go through the papers of {fresh.date:%-d %B}"
        return Closed(why, "Another edition is open.", act, reverse("desk-triage", args=[fresh.date]))
    return Closed(why, f"The next edition {opening(now)}, and is gone through here.")


def opening(now: datetime) -> str:
    """When the next edition opens: the gate makes one each day, at the first tick of that day (UTC)."""
    newest = Edition.objects.filter(date__gte=now.date()).order_by("-date").first()
    if newest is None:
        return "opens within a minute"
    at = datetime.combine(newest.date + timedelta(days=1), time(), UTC)
    return f"opens on {at:%-d %B at %H:%M} UTC"


def empty(edition: Edition, now: datetime) -> str:
    """Why a day has no papers, and what comes next."""
    if edition.state not in OPEN:
        return "It went on its way without a paper."
    asked = Source.objects.filter(is_enabled=True, is_sample=False).exclude(url="")
    first = asked.order_by(F("next_pull_at").asc(nulls_first=True)).first()
    if first is None:
        return "No paper has come in, and no source is switched on."
    when = "within minutes"
    if first.next_pull_at is not None and first.next_pull_at > now:
        when = f"at {first.next_pull_at:%H:%M} UTC"
    return f"No paper has come in yet. {first.name} is asked next, {when}."
