"""What visitors sent in, acted on after they were answered.

A signup page must not tell who reads here: neither by its words nor by the time it takes. So a
request only writes down what was asked (one row, whoever it is); the sweeper does the rest.
"""

from __future__ import annotations

import logging
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from subscriptions import addresses, services
from subscriptions.db_retry import retry_on_db_error
from subscriptions.limits import limiter
from subscriptions.models import SignupRequest, Subscriber
from subscriptions.wants.interests import InterestError
from subscriptions.when import schedule

logger = logging.getLogger(__name__)
CHUNK = 50
# What cannot be acted on for a reason nobody foresaw is tried again for so long, and never stops the others.
KEPT_FOR = timedelta(hours=1)
REFUSALS = (addresses.AddressError, InterestError, schedule.ScheduleError, services.ServiceError)


def store(kind: str, email: str, wishes: dict[str, Any], network: str, now: datetime) -> None:
    """Keep a checked request; the visitor has been promised no more than "look in your inbox"."""
    SignupRequest.objects.create(kind=kind, email=email, wishes=wishes, network=network, at=now)


def process(now: datetime, limit: int = 2000) -> Counter[str]:
    """Act on what waits; answers how many ended how."""
    counts: Counter[str] = Counter()
    last = 0
    while counts.total() < limit and (
        waiting := list(SignupRequest.objects.filter(pk__gt=last).order_by("pk")[:CHUNK])
    ):
        for ask in waiting:
            counts[_guarded(ask, now)] += 1
        last = waiting[-1].pk
    limiter.prune(now)
    return counts


def _guarded(ask: SignupRequest, now: datetime) -> str:
    """The outermost loop: one ask that breaks is named (by number and kind of trouble only) and left for later."""
    try:
        return _take_up_one(ask.pk, now)
    except Exception as error:
        logger.exception("ask %s came to grief: %s", ask.pk, type(error).__name__, exc_info=False)
        if ask.at < now - KEPT_FOR:
            SignupRequest.objects.filter(pk=ask.pk).delete()
            return "dropped"
        return "troubled"


@retry_on_db_error
def _take_up_one(pk: int, now: datetime) -> str:
    """Act on one and delete it, in one transaction: a crash leaves it waiting, never half done."""
    with transaction.atomic():
        ask = SignupRequest.objects.select_for_update().filter(pk=pk).first()
        if ask is None:
            return "gone"
        ask.delete()
        try:
            with transaction.atomic():
                return _act(ask, now)
        except REFUSALS as error:
            # Checked when it came in; what changed since (a topic, a suppression) ends it here, in silence.
            logger.info("a visitor's %s came to nothing: %s", ask.kind, type(error).__name__)
            return "refused"


def _act(ask: SignupRequest, now: datetime) -> str:
    if ask.kind == SignupRequest.Kind.SIGNUP:
        services.subscribe(ask.email, now=now, network=ask.network, **ask.wishes)
        return "signup"
    reader = Subscriber.objects.filter(email_key=addresses.canonical(ask.email)).first()
    present = {Subscriber.State.ACTIVE, Subscriber.State.PAUSED, Subscriber.State.UNSUBSCRIBED}
    if reader is not None and reader.state in present and services.send_link(reader, now):
        return "link"
    return "nobody"
