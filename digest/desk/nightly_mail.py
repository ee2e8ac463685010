"""The evening's mail to curators: what went out, what did not, what to look at tomorrow."""

from __future__ import annotations

import logging
from datetime import datetime, time

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db.models import Q
from django.template import engines
from django.urls import reverse

from digest.desk import counters, roles
from digest.desk.acts.paper_acts import state_of
from digest.desk.pages import audience, dashboard, topic_numbers
from digest.desk.roles import Right
from digest.models import DatabaseMetadata, Edition
from subscriptions.mail import outgoing
from subscriptions.mail.outgoing import Letter, Outcome

log = logging.getLogger(__name__)

HOUR = time(20, 0)  # UTC: after Europe's day, before America's ends; editions are out by then
MARK = "nightly mail"


def send_if_due(now: datetime) -> int:
    """Once an evening, to everybody who curates; returns how many letters were accepted.

    The evening is marked before anything leaves, so that two machines never write twice.
    """
    if now.time() < HOUR:
        return 0
    evening = now.date().isoformat()
    DatabaseMetadata.objects.bulk_create([DatabaseMetadata(name=MARK, value="")], ignore_conflicts=True)
    if not DatabaseMetadata.objects.filter(name=MARK, value__lt=evening).update(value=evening):
        return 0
    counters.refresh(now)
    letters = [letter(address, now) for address in curators()]
    if not letters:
        return 0
    accepted = 0
    for receipt in outgoing.send_each(letters):
        if receipt.outcome == Outcome.ACCEPTED:
            accepted += 1
    if accepted < len(letters):
        log.warning("%d of %d evening letters to curators were not accepted", len(letters) - accepted, len(letters))
    return accepted


def curators() -> list[str]:
    """The addresses of everybody who may curate, each once."""
    named = roles.with_right(Right.CURATE)
    people = get_user_model().objects.filter(is_active=True).exclude(email="")
    found = people.filter(Q(groups__name__in=named) | Q(is_superuser=True)).values_list("email", flat=True)
    return sorted(set(found))


def letter(address: str, now: datetime) -> Letter:
    """One evening's letter; plain text, for it is read on a phone."""
    edition = dashboard.current(now)
    letters: counters.Numbers = {}
    fates: counters.Numbers = {}
    state = ""
    summary = "no edition"
    if edition is not None:
        letters = counters.read("letters", edition.date)
        fates = counters.read("fates", edition.date)
        state = state_of(edition).lower()
        summary = f"{letters.get('accepted', 0)} letters accepted"
    alerts = dashboard.alerts(edition, now)
    if alerts:
        summary += f", {len(alerts)} to look at"
    context = {
        "now": now,
        "edition": edition,
        "state": state,
        "account": dashboard.account(letters),
        "fates": fates,
        "alerts": alerts,
        "readers": counters.read("readers", now.date()).get("active", 0),
        "joined": counters.read("joined", now.date()).get("", 0),
        "left": counters.read("left", now.date()).get("", 0),
        "desk": f"{settings.PUBLIC_BASE_URL}{reverse('desk')}",
        "host": settings.PUBLIC_BASE_URL,
    }
    return Letter(
        to=address,
        subject=f"{settings.SITE_NAME}, {now:%-d %B}: {summary}",
        text=engines["text"].get_template("desk/nightly.txt").render(context),
        headers={"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "OOF, AutoReply"},
        tags=("nightly",),
        stream="notice",
    )


def count(now: datetime) -> None:
    """The minute's count: readers, letters, topics, and how many readers the open edition's papers reach."""
    counters.refresh(now)
    for edition in Edition.objects.filter(date__lte=now.date()).order_by("-date")[: topic_numbers.DAYS]:
        # An edition that is out is counted once, an open one every ten minutes.
        last = counters.counted_at("topic papers", edition.date)
        if last is None or last < (edition.released_at or now - topic_numbers.STALE):
            topic_numbers.count(edition, now)
    today = dashboard.current(now)
    if today is not None and today.state != Edition.State.RELEASED:
        last = counters.counted_at("reach", today.date)
        if last is None or now - last > audience.OFTEN:
            audience.count(today, now)
