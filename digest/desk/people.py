"""Readers as an operator sees them: found by address, one page each, imported and exported."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest

from digest.delivery import reasons
from digest.desk import log
from digest.desk.curating import CuratingError
from digest.models import Delivery, ProviderEvent, Skip
from subscriptions import addresses, schedule, services
from subscriptions.models import Subscriber

FOUND = 50
LETTERS = 20
FORMULA = ("=", "+", "-", "@", "\t", "\r")
COLUMNS = ("email", "state", "frequency", "hour", "zone", "papers_per_day", "created_at", "confirmed_at")


def search(text: str, state: str) -> list[Subscriber]:
    """Readers by address (whole, or its beginning), by number or by state; the newest first."""
    rows = Subscriber.objects.order_by("-id")
    if state in Subscriber.State.values:
        rows = rows.filter(state=state)
    text = text.strip()
    if text:
        rows = rows.filter(_named(text))
    return list(rows[:FOUND])


def _named(text: str) -> Q:
    try:
        return Q(email_key=addresses.canonical(text))
    except addresses.AddressError:
        start = Q(email_key__startswith=text.casefold())
        return start | Q(pk=int(text)) if text.isdigit() and len(text) < 18 else start


def letters(reader: Subscriber) -> list[Delivery]:
    """What they got, or why they did not; the newest first."""
    rows = Delivery.objects.filter(subscriber=reader).select_related("edition").order_by("-planned_at")
    return list(rows[:LETTERS])


def events(reader: Subscriber) -> list[ProviderEvent]:
    rows = ProviderEvent.objects.filter(delivery__subscriber=reader).order_by("-occurred_at")
    return list(rows[:LETTERS])


def why_nothing_today(reader: Subscriber, now: datetime) -> str:
    """In a sentence, why there is no letter on the reader's local day; empty if there is one."""
    today = schedule.local_date(reader.zone, now)
    row = Delivery.objects.filter(subscriber=reader, local_date=today).order_by("-id").first()
    if row is not None:
        return reasons.sentence(row.reason) if row.state == Delivery.State.SKIPPED else ""
    skip = Skip.objects.filter(subscriber=reader, local_date=today).first()
    if skip is not None:
        return reasons.sentence(skip.reason)
    if reader.state in reasons.BY_STATE:
        return reasons.sentence(reasons.BY_STATE[reader.state])
    if reader.next_digest_at is None:
        return "No next letter is planned for this reader."
    if reader.next_digest_at > now:
        return f"The next letter falls due on {reader.next_digest_at:%A %-d %B at %H:%M} UTC."
    return "This reader is due now, and waits for the day's edition or for the next sweep."


# -- acts ---------------------------------------------------------------------------------------------


def ask_again(request: HttpRequest, reader: Subscriber, now: datetime) -> None:
    if reader.state != Subscriber.State.PENDING:
        raise CuratingError("This reader is not waiting to confirm.")
    with transaction.atomic():
        if not services.ask_to_confirm(reader, now):
            raise CuratingError("This address has been asked as often as is decent. Wait a day.")
        log.record(request, "ask again", name(reader), now)


def erase(request: HttpRequest, reader: Subscriber, typed: str, now: datetime) -> None:
    """Remove everything that says who they were. `typed` is the reader's number, so that nobody errs by a row."""
    if typed.strip() != str(reader.pk):
        raise CuratingError(f"To erase this reader, type their number: {reader.pk}.")
    with transaction.atomic():
        services.forget(reader, now)
        log.record(request, "erase", name(reader), now)


def name(reader: Subscriber) -> str:
    """A reader in the log: by number, since the log outlives the address."""
    return f"reader {reader.pk}"


# -- in and out -----------------------------------------------------------------------------------------


def safe(value: Any) -> str:
    """A cell no spreadsheet takes for a formula (OWASP: CSV injection)."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text


def rows() -> Iterator[str]:
    """Every reader who was not erased, as CSV lines (RFC 4180)."""
    yield _line(COLUMNS)
    kept = Subscriber.objects.exclude(state=Subscriber.State.FORGOTTEN).order_by("pk")
    for values in kept.values_list(*COLUMNS).iterator(chunk_size=2000):
        yield _line(values)


def _line(values: Any) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([safe(value) for value in values])
    return out.getvalue()


def growth(since: date, until: date, joined: dict[date, dict[str, int]], left: dict[date, dict[str, int]]) -> list[Any]:
    """Who came and who went, day by day, for the chart."""
    days = [since + timedelta(days=back) for back in range((until - since).days + 1)]
    return [
        (f"{day:%-d %b}", {"joined": joined.get(day, {}).get("", 0), "left": left.get(day, {}).get("", 0)})
        for day in days
    ]
