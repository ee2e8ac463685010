"""The evening's mail to curators: what went out, what did not, what to look at tomorrow."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, time
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db.models import Q
from django.template import engines
from django.urls import reverse

from digest.desk import counters, roles
from digest.desk.acts import topic_acts
from digest.desk.acts.paper_acts import state_of
from digest.desk.pages import audience, dashboard
from digest.desk.roles import Right
from digest.models import DatabaseMetadata, Edition
from subscriptions.mail import outgoing
from subscriptions.mail.outgoing import Letter, Outcome

log = logging.getLogger(__name__)

HOUR = time(20, 0)  # UTC: after Europe's day, before America's ends; editions are out by then
MARK = "nightly mail"


def send_if_due(now: datetime) -> int:
    """Once an evening, to everybody who curates; answers how many letters were accepted.

    The evening is marked before anything leaves, so that two machines never write twice.
    """
    if now.time() < HOUR or not _claim(now.date().isoformat()):
        return 0
    counters.refresh(now)
    letters = [letter(address, now) for address in curators()]
    receipts = list(outgoing.send_each(letters)) if letters else []
    accepted = sum(receipt.outcome == Outcome.ACCEPTED for receipt in receipts)
    if accepted < len(letters):
        log.warning("%d of %d evening letters to curators were not accepted", len(letters) - accepted, len(letters))
    return accepted


def _claim(evening: str) -> bool:
    """True for the one who may write this evening's mail."""
    DatabaseMetadata.objects.bulk_create([DatabaseMetadata(name=MARK, value="")], ignore_conflicts=True)
    return bool(DatabaseMetadata.objects.filter(name=MARK, value__lt=evening).update(value=evening))


def curators() -> list[str]:
    """The addresses of everybody who may curate, each once."""
    named = [name for name, rights in roles.ROLES.items() if Right.CURATE in rights]
    people = get_user_model().objects.filter(is_active=True).exclude(email="")
    found = people.filter(Q(groups__name__in=named) | Q(is_superuser=True)).values_list("email", flat=True)
    return sorted(set(found))


def letter(address: str, now: datetime) -> Letter:
    """One evening's letter; plain text, for it is read on a phone."""
    context = _facts(now)
    text = engines["text"].get_template("desk/nightly.txt").render(context)
    edition = context["edition"]
    said = f"{context['account']['accepted']} letters accepted" if edition else "no edition"
    worst = f", {len(context['matters'])} to look at" if context["matters"] else ""
    return Letter(
        to=address,
        subject=f"{settings.SITE_NAME}, {now:%-d %B}: {said}{worst}",
        text=text,
        headers={"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "OOF, AutoReply"},
        tags=("nightly",),
        stream="notice",
    )


def _facts(now: datetime) -> dict[str, Any]:
    edition = dashboard.current(now)
    letters = counters.read("letters", edition.date) if edition else {}
    readers = counters.read("readers", now.date())
    return {
        "now": now,
        "edition": edition,
        "state": state_of(edition).lower() if edition else "",
        "account": dashboard.account(letters),
        "fates": counters.read("fates", edition.date) if edition else {},
        "matters": dashboard.alerts(edition, now),
        "readers": readers.get("active", 0),
        "joined": counters.read("joined", now.date()).get("", 0),
        "left": counters.read("left", now.date()).get("", 0),
        "desk": f"{settings.PUBLIC_BASE_URL}{reverse('desk')}",
        "host": settings.PUBLIC_BASE_URL,
    }


def count(now: datetime) -> None:
    """The tick of the kept numbers: readers, letters, topics, and how far the open edition's papers reach."""
    counters.refresh(now)
    for edition in _uncounted(now):
        topic_acts.count(edition, now)
    today = dashboard.current(now)
    if today is not None and today.state != Edition.State.RELEASED:
        last = counters.counted_at_day("reach", today.date)
        if last is None or now - last > audience.OFTEN:
            audience.count(today, now)


def _uncounted(now: datetime) -> Iterable[Edition]:
    """Editions whose topics were not counted since their release; an open one is counted every ten minutes."""
    for edition in Edition.objects.filter(date__lte=now.date()).order_by("-date")[: topic_acts.DAYS]:
        last = counters.counted_at_day("topic papers", edition.date)
        if last is None or last < (edition.released_at or now - topic_acts.STALE):
            yield edition
