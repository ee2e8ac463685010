"""Two people for a release to many readers: one asks, another lets it go (`RELEASE_NEEDS_TWO_ABOVE`; off by default).

The word is good for what was looked at: any curator's change voids it. What goes out by itself, by the gate,
needs nobody.
"""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db.models import F, QuerySet
from django.http import HttpRequest

from digest.desk import audit_log
from digest.desk.acts.paper_acts import CuratingError
from digest.models import Edition


def needs_two(letters: int) -> bool:
    """Whether so many letters take a second person."""
    return bool(settings.RELEASE_NEEDS_TWO_ABOVE) and letters > settings.RELEASE_NEEDS_TWO_ABOVE


def asker(row: Edition) -> str:
    """Who asked to release the edition as it is now; nobody if it changed since, or went."""
    asked = row.asked_revision == row.revision and row.state != Edition.State.RELEASED
    return row.asked_by if asked else ""


def asked() -> QuerySet[Edition]:
    """Editions that wait for a second person."""
    waiting = Edition.objects.exclude(state=Edition.State.RELEASED).filter(asked_revision=F("revision"))
    return waiting.exclude(asked_by="").order_by("date")


def second(request: HttpRequest, row: Edition, letters: int, now: datetime) -> bool:
    """True if this person is the second; else their wish is kept for somebody else to grant.

    Raises CuratingError for the one who asked already.
    """
    me, before = request.user.get_username(), asker(row)
    if before == me:
        raise CuratingError("You asked for it already. Somebody else has to let it go.")
    if before:
        return True
    Edition.objects.filter(pk=row.pk).update(asked_by=me, asked_revision=row.revision)
    audit_log.record(request, "ask to release", f"edition {row.date}", now, {}, {"letters": letters})
    return False
