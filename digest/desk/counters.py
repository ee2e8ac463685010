"""Numbers that are counted once a minute and read by every page, so that no page counts millions of rows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

from django.db import transaction
from django.db.models import CharField, Count, QuerySet, Value
from django.db.models.functions import Lower, StrIndex, Substr, TruncDate, TruncHour

from digest.delivery.channels import traits
from digest.delivery.reports import missing_reports
from digest.models import DayCount, Delivery, Edition
from subscriptions.models import Interest, Subscriber

# Editions whose letters may still change: their rows are counted anew, older ones stay as they were counted.
CHANGING_DAYS = 4
SMALL = 20_000  # readers: a site this small is counted when a page is opened, so its numbers are never old
STALE = timedelta(seconds=20)
MOST_DOMAINS = 20
UNSETTLED = (Delivery.State.PENDING, Delivery.State.CLAIMED, Delivery.State.AMBIGUOUS)
DAYS = 30
PACE = timedelta(minutes=10)

Numbers = dict[str, int]


def read(name: str, day: date) -> Numbers:
    """The numbers of one name and day, by key."""
    return dict(DayCount.objects.filter(name=name, day=day).values_list("key", "value"))


def series(name: str, since: date, until: date) -> dict[date, Numbers]:
    """The numbers of several days, the oldest first; days without any are left out."""
    found: dict[date, Numbers] = {}
    rows = DayCount.objects.filter(name=name, day__range=(since, until)).order_by("day", "key")
    for day, key, value in rows.values_list("day", "key", "value"):
        found.setdefault(day, {})[key] = value
    return found


def arrived(fates: Numbers) -> int:
    """Letters that were reported delivered: whatever came after that means it as well."""
    return sum(fates.get(fate, 0) for fate in ("delivered", "opened", "clicked", "unsubscribed"))


def put(name: str, day: date, values: Mapping[str, int], now: datetime) -> None:
    """Replace the numbers of one name and day."""
    rows = [DayCount(name=name, day=day, key=key[:120], value=value, counted_at=now) for key, value in values.items()]
    with transaction.atomic():
        DayCount.objects.filter(name=name, day=day).delete()
        DayCount.objects.bulk_create(
            rows,
            batch_size=500,
            update_conflicts=True,
            unique_fields=["name", "day", "key"],
            update_fields=["value", "counted_at"],
        )


def counted_at(name: str, day: date | None = None) -> datetime | None:
    """When these numbers (of one day) were last counted; None if never."""
    rows = DayCount.objects.filter(name=name)
    if day is not None:
        rows = rows.filter(day=day)
    return rows.order_by("-counted_at").values_list("counted_at", flat=True).first()


def fresh(now: datetime) -> None:
    """For pages: count anew where that is quick; on a large site only the timetable counts."""
    last = counted_at("readers")
    if last is not None and now - last < STALE:
        return
    if last is None or sum(read("readers", last.date()).values()) < SMALL:
        refresh(now)


def refresh(now: datetime) -> None:
    """Count everything that may have changed."""
    readers(now)
    silence = missing_reports.look(now)
    name = silence.channel
    put("silence", now.date(), {f"{name}|accepted": silence.accepted, f"{name}|silent": silence.silent}, now)
    for edition in [*changing_editions(now), *uncounted_editions(now)]:
        if is_due(edition, now):
            letters(edition, now)


def is_due(edition: Edition, now: datetime) -> bool:
    """An edition whose letters had all ended when it was last counted is counted less often: reports may come."""
    last = counted_at("letters", edition.date)
    if last is None or now - last > PACE:
        return True
    kept = read("letters", edition.date)
    if any(kept.get(state) for state in UNSETTLED):
        return True
    if Delivery.objects.filter(edition=edition, state__in=UNSETTLED).exists():
        return True
    return now - last > STALE and sum(kept.values()) < SMALL


def changing_editions(now: datetime) -> QuerySet[Edition]:
    """Editions of the last days, released of late, or with letters that have not ended."""
    since = now.date() - timedelta(days=CHANGING_DAYS)
    recent = Edition.objects.filter(date__gte=since) | Edition.objects.filter(released_at__gte=now - timedelta(days=2))
    unsettled = Edition.objects.filter(deliveries__state__in=UNSETTLED)
    return Edition.objects.filter(pk__in=(recent | unsettled).distinct().values("pk")).order_by("date")


def uncounted_editions(now: datetime) -> QuerySet[Edition]:
    """Editions of the last month from before these numbers were kept."""
    month = (now.date() - timedelta(days=DAYS), now.date() - timedelta(days=CHANGING_DAYS + 1))
    counted = DayCount.objects.filter(name="letters", day__range=month).values("day")
    return Edition.objects.filter(date__range=month, deliveries__isnull=False).exclude(date__in=counted).distinct()


def readers(now: datetime) -> None:
    """How many readers are in which state, who came and went of late, and who is due in the next day's hours."""
    today = now.date()
    put("readers", today, count_by(Subscriber.objects.all(), "state"), now)
    since = datetime.combine(first_uncounted(today), datetime.min.time(), UTC)
    for name, field in (("joined", "confirmed_at"), ("left", "ended_at")):
        rows = Subscriber.objects.filter(**{f"{field}__gte": since}).annotate(on=TruncDate(field)).values_list("on")
        for day, count in rows.annotate(n=Count("id")).order_by():
            put(name, day, {"": count}, now)
    put("due", today, due_by_hour(now), now)
    topics = Interest.objects.filter(muted=False, subscriber__state=Subscriber.State.ACTIVE, kind=Interest.Kind.TOPIC)
    put("topic readers", today, count_by(topics, "topic__slug"), now)


def never_reported(now: datetime) -> missing_reports.MissingReports:
    """Letters the channel in use accepted and that no report came of, as last counted."""
    name = traits.current()
    kept = read("silence", now.date())
    return missing_reports.MissingReports(name, kept.get(f"{name}|accepted", 0), kept.get(f"{name}|silent", 0))


def first_uncounted(today: date) -> date:
    """The first day to count: one of the last two, which may still change, or an older one that was never counted."""
    oldest = today - timedelta(days=DAYS)
    last = DayCount.objects.filter(name="joined").order_by("-day").values_list("day", flat=True).first()
    if last is None:
        return oldest
    return max(oldest, min(last, today - timedelta(days=2)))


def due_by_hour(now: datetime) -> Numbers:
    """Readers by the hour they fall due; those that are due already count for this hour."""
    this_hour = now.replace(minute=0, second=0, microsecond=0)
    due = Subscriber.objects.filter(state=Subscriber.State.ACTIVE, next_digest_at__lt=now + timedelta(hours=24))
    hours: Numbers = {}
    for hour, count in due.annotate(on=TruncHour("next_digest_at")).values_list("on").annotate(n=Count("id")):
        key = max(hour, this_hour).isoformat()
        hours[key] = hours.get(key, 0) + count
    return hours


def letters(edition: Edition, now: datetime) -> None:
    """One edition's letters by state, by what was reported since, by channel and by destination."""
    rows = Delivery.objects.filter(edition=edition)
    states = count_by(rows, "state")
    put("letters", edition.date, states, now)
    if not states:
        return
    note_progress(edition, states, now)
    put("fates", edition.date, count_by(rows.exclude(fate=""), "fate"), now)
    put("reasons", edition.date, count_by(rows.exclude(reason=""), "reason"), now)
    put("channels", edition.date, count_by_state(rows, "attempt__channel"), now)
    at = StrIndex("subscriber__email", Value("@"))
    domain = Lower(Substr("subscriber__email", at + 1, output_field=CharField()))
    domains = count_by_state(rows.annotate(domain=domain), "domain")
    put("domains", edition.date, largest(domains), now)


def note_progress(edition: Edition, states: Numbers, now: datetime) -> None:
    """Keep how many letters are settled now, beside the counts of the last minutes: two of them tell the pace."""
    kept: Numbers = {}
    for at, count in read("progress", edition.date).items():
        if datetime.fromisoformat(at) > now - 2 * PACE:
            kept[at] = count
    settled = sum(count for state, count in states.items() if state not in UNSETTLED)
    kept[now.isoformat(timespec="seconds")] = settled
    put("progress", edition.date, kept, now)


def count_by(rows: QuerySet, field: str) -> Numbers:
    """How many rows have each value of the field; rows without one are left out."""
    counted = rows.order_by().values_list(field).annotate(n=Count("id"))
    return {str(key): count for key, count in counted if key}


def count_by_state(rows: QuerySet[Delivery], field: str) -> Numbers:
    """Letters by `field|state`, and by `field|fate` where something was reported."""
    numbers: Numbers = {}
    for column, some in (("state", rows), ("fate", rows.exclude(fate=""))):
        for key, value, count in some.order_by().values_list(field, column).annotate(n=Count("id")):
            if key:
                numbers[f"{key}|{value}"] = count
    return numbers


def largest(numbers: Numbers) -> Numbers:
    """Numbers by `name|state`: the MOST_DOMAINS names with the most letters by name, the others as one."""
    totals: Numbers = {}
    for key, count in numbers.items():
        name, _, state = key.rpartition("|")
        totals.setdefault(name, 0)
        if state in Delivery.State.values:
            totals[name] += count
    named = sorted(totals, key=lambda name: (-totals[name], name))[:MOST_DOMAINS]
    kept: Numbers = {}
    for key, count in numbers.items():
        name, _, state = key.rpartition("|")
        if name not in named:
            name = "all others"
        shown = f"{name}|{state}"
        kept[shown] = kept.get(shown, 0) + count
    return kept
