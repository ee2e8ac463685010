"""Readers as an operator sees them: found by address, one page each, imported and exported."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Prefetch, Q
from django.db.models.lookups import Exact

from digest.delivery.accounts import why
from digest.desk import audit_log
from digest.desk.actor import Actor
from digest.desk.acts import parsing
from digest.desk.acts.paper_acts import CuratingError
from digest.models import Delivery, Paper, ProviderEvent
from subscriptions import addresses, csv_cells, services
from subscriptions.domains import Domain
from subscriptions.models import Interest, Subscriber, Suppression
from subscriptions.when import schedule, week

FOUND = 50
LETTERS = 20
ASKED_ENOUGH = "An address is asked once a day and three times a month at most; ask again when that has passed."
PLAIN = ("frequency", "hour", "weekday", "zone", "papers_per_day", "created_at", "confirmed_at")
COLUMNS = ("email", "state", "topics", "queries", *csv_cells.MARKS, "days", *PLAIN)


def search(text: str, state: str, before: int | None = None) -> list[Subscriber]:
    """Readers by address (whole, its beginning or, after an @, its domain), by number or by state.

    The newest first, or those `before` one.
    """
    rows = Subscriber.objects.order_by("-id")
    if before is not None:
        rows = rows.filter(pk__lt=before)
    if state in Subscriber.State.values:
        rows = rows.filter(state=state)
    text = text.strip()
    if text:
        rows = rows.filter(_named(text))
    return list(rows[:FOUND])


def _named(text: str) -> Q:
    if text.startswith("@"):
        return _at(text)
    try:
        return Q(email_key=addresses.canonical(text))
    except addresses.AddressError:
        start, number = Q(email_key__startswith=text.casefold()), parsing.number(text)
        return start if number is None else start | Q(pk=number)


def _at(domain: str) -> Q:
    """Those at a domain, however it is spelled; nobody is at one that gets no mail."""
    try:
        return Q(Exact(Domain("email_key"), addresses.read(f"anybody{domain}").domain))
    except addresses.AddressError:
        return Q(pk__in=())


@dataclass(frozen=True, slots=True)
class Got:
    """One letter: `papers` are the titles it brought, each with the reasons; `why` says what became of it."""

    row: Delivery
    papers: list[tuple[str, str]]
    why: str


def letters(reader: Subscriber) -> list[Got]:
    """What they got, or why they did not; the newest first."""
    rows = Delivery.objects.filter(subscriber=reader).select_related("edition").order_by("-planned_at")[:LETTERS]
    titles = _titles(list(rows))
    return [
        Got(
            row,
            [(titles.get(one["paper"], "A paper that is gone"), _reasons(one)) for one in row.papers],
            why.of_letter(row).sentence,
        )
        for row in rows
    ]


def _titles(rows: Sequence[Delivery]) -> dict[int, str]:
    wanted = {one["paper"] for row in rows for one in row.papers}
    return dict(Paper.objects.filter(pk__in=wanted).values_list("pk", "title"))


def _reasons(chosen: dict[str, Any]) -> str:
    return ", ".join(reason["label"] for reason in chosen.get("reasons", []))


def events(reader: Subscriber) -> list[ProviderEvent]:
    rows = ProviderEvent.objects.filter(delivery__subscriber=reader).order_by("-occurred_at")
    return list(rows[:LETTERS])


def why_nothing_today(reader: Subscriber, now: datetime) -> str:
    """In a sentence, why there is no letter on the reader's local day; empty if one went or is about to go."""
    answer = why.why(reader, schedule.local_date(reader.zone, now), now)
    return "" if answer.is_letter else answer.sentence


def suppression(reader: Subscriber) -> Suppression | None:
    """Why nobody may write to them, if so."""
    return Suppression.objects.filter(address_hmac=addresses.keyed_hash(reader.email_key)).first()


# -- acts ---------------------------------------------------------------------------------------------


def ask_again(actor: Actor, reader: Subscriber, now: datetime) -> None:
    if reader.state != Subscriber.State.PENDING:
        raise CuratingError("This reader is not waiting to confirm.")
    with transaction.atomic():
        if not services.ask_to_confirm(reader, now):
            raise CuratingError(ASKED_ENOUGH)
        audit_log.record(actor, "ask again", name(reader), now)


def erase(actor: Actor, reader: Subscriber, typed: str, now: datetime) -> None:
    """Remove everything that says who they were. `typed` is the reader's number, so that nobody errs by a row."""
    if typed.strip() != str(reader.pk):
        raise CuratingError(f"To erase this reader, type their number: {reader.pk}.")
    with transaction.atomic():
        services.forget(reader, now)
        audit_log.record(actor, "erase", name(reader), now)


def name(reader: Subscriber) -> str:
    """A reader in the log: by number, since the log outlives the address."""
    return f"reader {reader.pk}"


# -- in and out -----------------------------------------------------------------------------------------


def rows() -> Iterator[str]:
    """Every reader who was not erased, as CSV lines (RFC 4180) that `import_subscribers` takes back."""
    yield _line(COLUMNS)
    kept = Subscriber.objects.exclude(state=Subscriber.State.FORGOTTEN).order_by("pk")
    wishes = Prefetch("interests", Interest.objects.select_related("topic", "filter").order_by("pk"))
    for reader in kept.prefetch_related(wishes).iterator(chunk_size=2000):
        told = _wishes(list(reader.interests.all()))
        days = week.short(reader.days)
        yield _line([reader.email, reader.state, *told, days, *(getattr(reader, name) for name in PLAIN)])


def _wishes(interests: Sequence[Interest]) -> list[str]:
    """The cells of topics, queries and each of `cells.MARKS`."""
    wanted = [one for one in interests if not one.muted]
    named = {
        one: f"{csv_cells.TOPIC}{one.topic.slug}" if one.topic else one.text or one.filter.text for one in interests
    }
    told = [
        [one.topic.slug for one in wanted if one.topic],
        [named[one] for one in wanted if not one.topic],
        [named[one] for one in interests if one.muted],
        [named[one] for one in interests if one.weight > 1],
        [named[one] for one in interests if one.weight < 1],
    ]
    return [csv_cells.joined(one) for one in told]


def _line(values: Any) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([csv_cells.safe(value) for value in values])
    return out.getvalue()


def growth(since: date, until: date, joined: dict[date, dict[str, int]], left: dict[date, dict[str, int]]) -> list[Any]:
    """Who came and who went, day by day, for the chart."""
    days = [since + timedelta(days=back) for back in range((until - since).days + 1)]
    return [
        (f"{day:%-d %b}", {"joined": joined.get(day, {}).get("", 0), "left": left.get(day, {}).get("", 0)})
        for day in days
    ]


def churn(left: int, active: int) -> float:
    """The share of those who were readers that left, in percent."""
    return 100 * left / (active + left) if left else 0.0
