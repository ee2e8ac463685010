"""The batches a source brought before: what `checks` compares a new one with."""

from __future__ import annotations

from datetime import datetime, timedelta

from digest.models import Fetch, Outcome, Source
from digest.sources.checks import History

PROFILE_DAYS = 14
_MOST = 60


def history(source: Source, now: datetime, kind: str = "") -> list[History]:
    """The batches stored in the 14 days before `now`, the last pulled first.

    Only the last one has its ids. Profiles are of batches of the same kind (by default the source's), else empty.
    """
    since = now - timedelta(days=PROFILE_DAYS)
    fetches = Fetch.objects.filter(source=source, at__gt=since, at__lte=now, entries__gt=0, is_backfill=False)
    fetches = fetches.filter(outcome__in=[Outcome.OK, Outcome.TRUNCATED]).order_by("-at", "-id")
    newest = fetches.values_list("ids", flat=True).first() or []
    found: list[History] = []
    for fetch in fetches.only("day", "at", "entries", "profile", "outcome", "kind")[:_MOST]:
        ids = frozenset() if found else frozenset(newest)
        profile = fetch.profile if fetch.kind == (kind or source.kind) else {}
        found.append(History(fetch.day, fetch.at.date(), ids, fetch.entries, profile, fetch.outcome))
    return found
