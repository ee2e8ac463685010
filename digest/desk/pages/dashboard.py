"""The day at a glance: the edition it is about, what is wrong, and what comes next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q
from django.urls import reverse

from digest.delivery import blockers, resolve
from digest.desk import counters
from digest.desk.pages.formats import number
from digest.desk.roles import Right
from digest.editions import lifecycle
from digest.editions.coverage import coverage
from digest.models import Delivery, Edition, EditionPaper, Source
from digest.operate.doctor import jobs

State = Edition.State
MANY_FAILURES = 3  # in a row
MOST_NAMED = 4
RECENT = timedelta(days=3)
GRACE = timedelta(minutes=5)  # the gate looks once a minute; an edition that has not gone after this is overdue
FAILING = Q(failures__gte=1) | ~Q(held_reason="")
SWITCHED_OFF = Q(is_enabled=False, kills=0) & ~Q(
    held_reason=""
)  # by its publisher's answer (410 Gone), and no operator looked yet
ENDS = ("accepted", "skipped", "rejected", "uncertain", "expired", "dead")
WAITING = ("pending", "claimed", "ambiguous")


@dataclass(frozen=True, slots=True)
class Alert:
    """Something late, held or odd, in plain words, with the one act that helps."""

    level: str
    says: str
    act: str
    url: str
    right: Right = Right.VIEW  # what it takes to go there


@dataclass(frozen=True, slots=True)
class Coming:
    """Something that will happen by itself."""

    at: datetime
    says: str


def current(now: datetime) -> Edition | None:
    """The edition of the day: the newest that is not of the future."""
    return Edition.objects.filter(date__lte=now.date()).order_by("-date").first()


def upcoming(edition: Edition | None) -> Edition | None:
    """The edition of a day to come that is not out, once today's is: the one a curator works on, or has let go."""
    if edition is None or edition.state != State.RELEASED:
        return None
    return Edition.objects.filter(date__gt=edition.date).exclude(state=State.RELEASED).order_by("date").first()


def account(numbers: counters.Numbers) -> dict[str, int]:
    """planned = accepted + skipped + rejected + uncertain + expired + dead + pending."""
    line = {name: numbers.get(name, 0) for name in ENDS}
    line["pending"] = sum(numbers.get(name, 0) for name in WAITING)
    return {"planned": sum(numbers.values()), **line}


def alerts(edition: Edition | None, now: datetime) -> list[Alert]:
    """Everything late, held or odd; the worst first."""
    page = reverse("desk-deliverability")
    found = job_alerts(now)
    found += delivery_alerts(now, page)
    found += doubtful_letters(page)
    found += dead_letters(now, page)
    silence = counters.never_reported(now).alarm
    if silence:
        found.append(Alert("warn", f"{silence}.", "See what came back", page))
    found += releases_under_way(now)
    late = held_or_late_editions(now)
    found += late
    urls = {alert.url for alert in late}
    found += [alert for alert in waiting_edition(edition, now) if alert.url not in urls]
    found += failing_sources()
    return sorted(found, key=lambda alert: alert.level != "bad")


def job_alerts(now: datetime) -> list[Alert]:
    """Jobs of the timetable that did not run when they should."""
    stopped = [job.name for job in jobs.ticks(now) if job.state != "ok"]
    if not stopped:
        return []
    says = f"Nothing does this by itself at the moment: {', '.join(stopped)}."
    return [Alert("bad", says, "See what the doctor says", reverse("desk-doctor"), Right.OPERATE)]


def delivery_alerts(now: datetime, page: str) -> list[Alert]:
    """Channels that are held, and letters that wait too long."""
    found = []
    for hold in blockers.find(now):
        says = f"Sending through {hold.channel} is stopped: {hold.reason} {hold.way_out}"
        found.append(Alert("bad", says, "Look at it", page))
    letters = jobs.letters(now)
    if letters.state != "ok":
        found.append(Alert("bad", f"Letters: {letters.detail}.", "See why", page))
    return found


def doubtful_letters(page: str) -> list[Alert]:
    """Letters of which nobody knows whether the provider took them."""
    count = resolve.in_doubt().count()
    if not count:
        return []
    says = f"{number(count)} letters are in doubt: the provider may or may not have taken them."
    if count == 1:
        says = "1 letter is in doubt: the provider may or may not have taken it."
    return [Alert("warn", says, "See the names", f"{page}#doubt")]


def dead_letters(now: datetime, page: str) -> list[Alert]:
    """Letters of the last days that were given up and whose papers went with no later letter."""
    rows = Delivery.objects.filter(state=Delivery.State.DEAD, carried_by=None, subscriber__state="active")
    count = rows.filter(settled_at__gt=now - RECENT).count()
    if not count:
        return []
    says = f"{number(count)} letters were given up after every try had failed."
    if count == 1:
        says = "1 letter was given up after every try had failed."
    return [Alert("warn", says, "See why", f"{page}#dead")]


def releases_under_way(now: datetime) -> list[Alert]:
    """Editions that were released at the desk and can still be taken back."""
    found = []
    for row in Edition.objects.filter(state=State.FROZEN, release_at__gt=now).order_by("release_at"):
        says = f"The edition of {row.date:%-d %B} is going out: letters from {row.release_at:%H:%M:%S} UTC on."
        page = reverse("desk-edition", args=[row.date])
        found.append(Alert("good", says, "See it, or take it back", page))
    return found


def held_or_late_editions(now: datetime) -> list[Alert]:
    """Open editions of any day that are held, or whose release time has passed."""
    shown = EditionPaper.objects.filter(edition=OuterRef("pk"), is_hidden=False)
    rows = Edition.objects.exclude(state=State.RELEASED).annotate(has_papers=Exists(shown)).order_by("date")
    due = Q(release_at__lt=now - GRACE) | Q(release_at=None, has_papers=True, date__lte=now.date())
    found = []
    for edition in rows.filter(Q(state=State.HELD) | due):
        page = reverse("desk-edition", args=[edition.date])
        name = f"The edition of {edition.date:%-d %B}"
        at = latest_release(edition)
        clock = time_of(at, now)
        is_past = at < now - GRACE
        if edition.state == State.HELD:
            what = f"it was to go at {clock}" if is_past else f"it does not go at {clock} by itself"
            found.append(Alert("warn", f"{name} is held: it waits for you; {what}.", "Let it go", page))
        elif is_past:
            found.append(
                Alert("bad", f"{name} was to go at {clock} and is not out.", "Look at it, or release it", page)
            )
    return found


def time_of(at: datetime, now: datetime) -> str:
    """A time in UTC, with its day where that is not today."""
    if at.date() == now.date():
        return f"{at:%H:%M} UTC"
    return f"{at:%-d %B %H:%M} UTC"


def latest_release(edition: Edition) -> datetime:
    """When it goes at the latest: the time a curator gave it, else its deadline."""
    return edition.release_at or lifecycle.deadline(edition.date)


def waiting_edition(edition: Edition | None, now: datetime) -> list[Alert]:
    """What the edition of the day waits for; `held_or_late_editions` tells of those that are held or overdue."""
    if edition is None:
        return [Alert("warn", "There is no edition yet.", "Look at the sources", reverse("desk-sources"))]
    if edition.state in {State.RELEASED, State.HELD} or edition.release_at:
        return []
    rows = coverage(edition.date, now).receipt["sources"]
    missing = [f"{row['name']} ({row['why']})" for row in rows if not row["complete"]]
    if not missing:
        return []
    names = "; ".join(missing[:MOST_NAMED])
    if len(missing) > MOST_NAMED:
        names += f" and {len(missing) - MOST_NAMED} more"
    deadline = lifecycle.deadline(edition.date)
    level = "warn"
    says = f"The edition of {edition.date:%-d %B} waits until {deadline:%H:%M} UTC for {names}."
    if now > deadline:
        level = "bad"
        says = f"The edition of {edition.date:%-d %B} was to go at {deadline:%H:%M} UTC. Missing: {names}."
    return [Alert(level, says, "Release it without them", reverse("desk-edition", args=[edition.date]))]


def failing_sources() -> list[Alert]:
    """Each source that is in trouble, with since when; many at once are one alert, for they have one cause."""
    rows = list(Source.objects.filter(FAILING & Q(is_enabled=True) | SWITCHED_OFF).order_by("-failures", "name"))
    if len(rows) > MOST_NAMED:
        never = sum(row.last_ok_at is None for row in rows)
        names = ", ".join(row.name for row in rows[:MOST_NAMED])
        says = f"{len(rows)} sources fail at once ({names} …; {never} never brought anything): is the network there?"
        return [Alert("bad", says, "Look at them", reverse("desk-sources"))]
    found = []
    for row in rows:
        level = "bad" if row.failures >= MANY_FAILURES or row.held_reason else "warn"
        found.append(Alert(level, trouble_of(row), "Look at it", reverse("desk-source", args=[row.slug])))
    return found


def trouble_of(row: Source) -> str:
    if row.held_reason:
        state = "held" if row.is_enabled else "off"
        return f"{row.name} is {state}: {row.held_reason}"
    failures = f"{row.failures} failures in a row"
    if row.failures == 1:
        failures = "Its last pull failed"
    since = "it never brought anything yet"
    if row.last_ok_at:
        since = f"since {row.last_ok_at:%-d %B %H:%M} UTC"
    return f"{row.name}: {failures} ({since})."


def coming(edition: Edition | None, now: datetime) -> list[Coming]:
    """The next events, the nearest first."""
    found = []
    for one in (edition, upcoming(edition)):
        if one and one.state in {State.COLLECTING, State.FROZEN}:
            verb = "goes out" if one.release_at else "goes out at the latest"
            found.append(Coming(latest_release(one), f"the edition of {one.date:%-d %B} {verb}"))
    pull = Source.objects.filter(is_enabled=True, next_pull_at__gt=now).order_by("next_pull_at").first()
    if pull is not None and pull.next_pull_at:
        found.append(Coming(pull.next_pull_at, f"{pull.name} is asked again"))
    for hour, count in sorted(counters.read("due", now.date()).items())[:4]:
        says = "one reader falls due" if count == 1 else f"{number(count)} readers fall due"
        found.append(Coming(datetime.fromisoformat(hour), says))
    recent = [event for event in found if event.at > now - timedelta(hours=1)]
    return sorted(recent, key=lambda event: event.at)
