"""The kept numbers: counted once a minute by a tick, read by every page, so no page counts millions of rows."""

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
MOVING_DAYS = 4
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
        kept = DayCount.objects.filter(name=name, day=day)
        kept.exclude(key__in=[row.key for row in rows[:900]]).delete() if len(rows) <= 900 else kept.delete()
        DayCount.objects.bulk_create(
            rows,
            batch_size=500,
            update_conflicts=True,
            unique_fields=["name", "day", "key"],
            update_fields=["value", "counted_at"],
        )


def counted_at(name: str) -> datetime | None:
    return DayCount.objects.filter(name=name).order_by("-counted_at").values_list("counted_at", flat=True).first()


def counted_at_day(name: str, day: date) -> datetime | None:
    """When this day's numbers were counted; None if never."""
    rows = DayCount.objects.filter(name=name, day=day).order_by("-counted_at")
    return rows.values_list("counted_at", flat=True).first()


def fresh(now: datetime) -> None:
    """For pages: count anew where that is quick; a large site's numbers are the tick's."""
    last = counted_at("readers")
    if last is not None and now - last < STALE:
        return
    if last is None or sum(read("readers", last.date()).values()) < SMALL:
        refresh(now)


def refresh(now: datetime) -> None:
    """Count everything that may have moved."""
    readers(now)
    _silence(now)
    for edition in [*_moving(now), *_never_counted(now)]:
        if _is_due(edition, now):
            letters(edition, now)


def _is_due(edition: Edition, now: datetime) -> bool:
    """An edition whose letters had all ended when it was last counted is looked at less often: reports may come."""
    last = counted_at_day("letters", edition.date)
    if last is None or now - last > PACE:
        return True
    unsettled = Delivery.objects.filter(edition=edition, state__in=UNSETTLED)
    was_unsettled = any(read("letters", edition.date).get(state) for state in UNSETTLED)
    return was_unsettled or unsettled.exists() or (now - last > STALE and _is_small(edition))


def _is_small(edition: Edition) -> bool:
    return sum(read("letters", edition.date).values()) < SMALL


def _moving(now: datetime) -> QuerySet[Edition]:
    since = now.date() - timedelta(days=MOVING_DAYS)
    recent = Edition.objects.filter(date__gte=since) | Edition.objects.filter(released_at__gte=now - timedelta(days=2))
    unsettled = Edition.objects.filter(deliveries__state__in=UNSETTLED)
    return Edition.objects.filter(pk__in=(recent | unsettled).distinct().values("pk")).order_by("date")


def _never_counted(now: datetime) -> QuerySet[Edition]:
    """Editions of the last month from before these numbers were kept."""
    month = (now.date() - timedelta(days=DAYS), now.date() - timedelta(days=MOVING_DAYS + 1))
    counted = DayCount.objects.filter(name="letters", day__range=month).values("day")
    return Edition.objects.filter(date__range=month, deliveries__isnull=False).exclude(date__in=counted).distinct()


def readers(now: datetime) -> None:
    """How many readers are in which state, who came and went of late, and who is due in the next day's hours."""
    today = now.date()
    put("readers", today, _grouped(Subscriber.objects.all(), "state"), now)
    since = datetime.combine(_first_uncounted(today), datetime.min.time(), UTC)
    for name, field in (("joined", "confirmed_at"), ("left", "ended_at")):
        rows = Subscriber.objects.filter(**{f"{field}__gte": since}).annotate(on=TruncDate(field)).values_list("on")
        for day, count in rows.annotate(n=Count("id")).order_by():
            put(name, day, {"": count}, now)
    put("due", today, _due(now), now)
    wanted = Interest.objects.filter(muted=False, subscriber__state=Subscriber.State.ACTIVE)
    put("topic readers", today, _grouped(wanted.filter(kind=Interest.Kind.TOPIC), "topic__slug"), now)


def _silence(now: datetime) -> None:
    heard = missing_reports.look(now)
    name = heard.channel
    put("silence", now.date(), {f"{name}|accepted": heard.accepted, f"{name}|silent": heard.silent}, now)


def never_reported(now: datetime) -> missing_reports.MissingReports:
    """Letters the channel in use accepted and never spoke of again, as last counted."""
    name, kept = traits.current(), read("silence", now.date())
    return missing_reports.MissingReports(name, kept.get(f"{name}|accepted", 0), kept.get(f"{name}|silent", 0))


def _first_uncounted(today: date) -> date:
    """The last two days may still change; of what came before, only what was never counted is."""
    last = DayCount.objects.filter(name="joined").order_by("-day").values_list("day", flat=True).first()
    oldest = today - timedelta(days=DAYS)
    return max(oldest, min(last, today - timedelta(days=2))) if last else oldest


def _due(now: datetime) -> Numbers:
    """Readers by the hour they fall due; those that are due already count for this hour."""
    soon = Subscriber.objects.filter(state=Subscriber.State.ACTIVE, next_digest_at__lt=now + timedelta(hours=24))
    hours: Numbers = {}
    for hour, count in soon.annotate(on=TruncHour("next_digest_at")).values_list("on").annotate(n=Count("id")):
        key = max(hour, now.replace(minute=0, second=0, microsecond=0)).isoformat()
        hours[key] = hours.get(key, 0) + count
    return hours


def letters(edition: Edition, now: datetime) -> None:
    """One edition's letters by state, by what was reported since, by channel and by destination."""
    rows = Delivery.objects.filter(edition=edition)
    states = _grouped(rows, "state")
    put("letters", edition.date, states, now)
    if not states:
        return
    _look(edition, states, now)
    put("fates", edition.date, _grouped(rows.exclude(fate=""), "fate"), now)
    put("reasons", edition.date, _grouped(rows.exclude(reason=""), "reason"), now)
    put("channels", edition.date, _paired(rows, "attempt__channel"), now)
    at = StrIndex("subscriber__email", Value("@"))
    domain = Lower(Substr("subscriber__email", at + 1, output_field=CharField()))
    put("domains", edition.date, _most(_paired(rows.annotate(domain=domain), "domain")), now)


def _look(edition: Edition, states: Numbers, now: datetime) -> None:
    """How many letters are settled now: two looks tell the pace. The last ten minutes are kept."""
    done = sum(count for state, count in states.items() if state not in UNSETTLED)
    looks = {at: n for at, n in read("progress", edition.date).items() if datetime.fromisoformat(at) > now - 2 * PACE}
    put("progress", edition.date, {**looks, now.isoformat(timespec="seconds"): done}, now)


def _grouped(rows: QuerySet, field: str) -> Numbers:
    counted = rows.order_by().values_list(field).annotate(n=Count("id"))
    return {str(key): count for key, count in counted if key}


def _paired(rows: QuerySet[Delivery], field: str) -> Numbers:
    """Counts by `field|state`, and by `field|fate` for what was reported."""
    found = rows.order_by().values_list(field, "state").annotate(n=Count("id"))
    numbers = {f"{key}|{state}": count for key, state, count in found if key}
    fates = rows.exclude(fate="").order_by().values_list(field, "fate").annotate(n=Count("id"))
    return numbers | {f"{key}|{fate}": count for key, fate, count in fates if key}


def _most(numbers: Numbers) -> Numbers:
    """The destinations with the most letters by name, the rest as one."""
    totals: Numbers = {}
    for key, count in numbers.items():
        name, _, state = key.rpartition("|")
        totals[name] = totals.get(name, 0) + (count if state in Delivery.State.values else 0)
    named = set(sorted(totals, key=lambda name: (-totals[name], name))[:MOST_DOMAINS])
    kept: Numbers = {}
    for key, count in numbers.items():
        name, _, state = key.rpartition("|")
        shown = f"{name if name in named else 'all others'}|{state}"
        kept[shown] = kept.get(shown, 0) + count
    return kept


__all__ = [
    "Numbers",
    "arrived",
    "counted_at",
    "counted_at_day",
    "fresh",
    "letters",
    "never_reported",
    "put",
    "read",
    "readers",
    "refresh",
    "series",
]
