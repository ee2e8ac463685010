"""Readers as an operator sees them: found by address, one page each, imported and exported."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Prefetch, Q
from django.db.models.lookups import Exact

from digest.delivery.accounts import why
from digest.desk import audit_log
from digest.desk.actor import Actor
from digest.desk.acts import parsing
from digest.desk.acts.paper_acts import CuratingError
from digest.desk.counters import Numbers
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
    if text.startswith("@"):
        rows = rows.filter(at_domain(text))
    elif text:
        rows = rows.filter(named(text))
    return list(rows[:FOUND])


def named(text: str) -> Q:
    """Readers by a whole address, by the beginning of one or by their number."""
    try:
        return Q(email_key=addresses.canonical(text))
    except addresses.AddressError:
        found = Q(email_key__startswith=text.casefold())
    number = parsing.number(text)
    if number is not None:
        found |= Q(pk=number)
    return found


def at_domain(domain: str) -> Q:
    """Readers at a domain (`@example.org`), in any spelling; none where no address can have it."""
    try:
        return Q(Exact(Domain("email_key"), addresses.read(f"anybody{domain}").domain))
    except addresses.AddressError:
        return Q(pk__in=())


@dataclass(frozen=True, slots=True)
class SentLetter:
    """One letter: `papers` are the titles it brought, each with the reasons; `why` says what became of it."""

    row: Delivery
    papers: list[tuple[str, str]]
    why: str


def letters(reader: Subscriber) -> list[SentLetter]:
    """What they got, or why they did not; the newest first."""
    rows = list(Delivery.objects.filter(subscriber=reader).select_related("edition").order_by("-planned_at")[:LETTERS])
    numbers: set[int] = set()
    for row in rows:
        numbers.update(chosen["paper"] for chosen in row.papers)
    titles = dict(Paper.objects.filter(pk__in=numbers).values_list("pk", "title"))
    found = []
    for row in rows:
        papers = []
        for chosen in row.papers:
            labels = [reason["label"] for reason in chosen.get("reasons", [])]
            papers.append((titles.get(chosen["paper"], "A paper that is gone"), ", ".join(labels)))
        found.append(SentLetter(row, papers, why.of_letter(row).sentence))
    return found


def events(reader: Subscriber) -> list[ProviderEvent]:
    rows = ProviderEvent.objects.filter(delivery__subscriber=reader).order_by("-occurred_at")
    return list(rows[:LETTERS])


def why_nothing_today(reader: Subscriber, now: datetime) -> str:
    """In a sentence, why there is no letter on the reader's local day; empty if one went or is about to go."""
    answer = why.why(reader, schedule.local_date(reader.zone, now), now)
    if answer.is_letter:
        return ""
    return answer.sentence


def suppression(reader: Subscriber) -> Suppression | None:
    """Why nobody may write to them, if so."""
    return Suppression.objects.filter(address_hmac=addresses.keyed_hash(reader.email_key)).first()


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


def rows() -> Iterator[str]:
    """Every reader who was not erased, as CSV lines (RFC 4180) that `import_subscribers` takes back."""
    yield csv_line(COLUMNS)
    kept = Subscriber.objects.exclude(state=Subscriber.State.FORGOTTEN).order_by("pk")
    wishes = Prefetch("interests", Interest.objects.select_related("topic", "filter").order_by("pk"))
    for reader in kept.prefetch_related(wishes).iterator(chunk_size=2000):
        cells = [reader.email, reader.state, *wishes_of(reader), week.short(reader.days)]
        for name in PLAIN:
            cells.append(getattr(reader, name))
        yield csv_line(cells)


def wishes_of(reader: Subscriber) -> list[str]:
    """The cells of topics, queries and each of `csv_cells.MARKS`."""
    topics: list[str] = []
    queries: list[str] = []
    muted: list[str] = []
    more: list[str] = []
    less: list[str] = []
    for wish in reader.interests.all():
        name = wish.text or wish.filter.text
        if wish.topic:
            name = f"{csv_cells.TOPIC}{wish.topic.slug}"
        if wish.muted:
            muted.append(name)
        elif wish.topic:
            topics.append(wish.topic.slug)
        else:
            queries.append(name)
        if wish.weight > 1:
            more.append(name)
        elif wish.weight < 1:
            less.append(name)
    return [csv_cells.joined(names) for names in (topics, queries, muted, more, less)]


def csv_line(values: Iterable[object]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([csv_cells.safe(value) for value in values])
    return out.getvalue()


def growth(
    since: date, until: date, joined: Mapping[date, Numbers], left: Mapping[date, Numbers]
) -> list[tuple[str, Numbers]]:
    """Who came and who went, day by day, for the chart."""
    days = []
    for ahead in range((until - since).days + 1):
        day = since + timedelta(days=ahead)
        came = joined.get(day, {}).get("", 0)
        went = left.get(day, {}).get("", 0)
        days.append((f"{day:%-d %b}", {"joined": came, "left": went}))
    return days


def churn(left: int, active: int) -> float:
    """The share of those who were readers that left, in percent."""
    if not left:
        return 0.0
    return 100 * left / (active + left)
