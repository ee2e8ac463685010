"""The day at a glance: the edition it is about, what is wrong, and what comes next (`picture` and `pace` draw it)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q
from django.urls import reverse

from digest.delivery import resolve, stops
from digest.desk import counters
from digest.desk.pages.formats import number
from digest.desk.roles import Right
from digest.editions import lifecycle
from digest.editions.coverage import coverage
from digest.models import Delivery, Edition, EditionPaper, Source
from digest.operate.doctor import jobs

State = Edition.State
GRAVE = 3  # failures in a row
MOST_NAMED = 4
LATELY = timedelta(days=3)
GRACE = timedelta(minutes=5)  # the gate looks once a minute; an edition that has not gone after this is overdue
AILING = Q(failures__gte=1) | ~Q(held_reason="")
GONE = Q(is_enabled=False, kills=0) & ~Q(held_reason="")  # switched off by its publisher's word, nobody looked yet
ENDS = ("accepted", "skipped", "rejected", "uncertain", "expired", "dead")
_GOES_BY_ITSELF = (State.COLLECTING, State.FROZEN)
ON_THEIR_WAY = ("pending", "claimed", "ambiguous")


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
    line["pending"] = sum(numbers.get(name, 0) for name in ON_THEIR_WAY)
    return {"planned": sum(numbers.values()), **line}


# -- what is wrong ----------------------------------------------------------------------------------


def alerts(edition: Edition | None, now: datetime) -> list[Alert]:
    """Everything late, held or odd; the worst first."""
    letters = [*_holds(now), *_waiting(now), *_doubts(), *_given_up(now), *_silent(now)]
    stuck = _stuck(now)
    waits = [one for one in _edition_matters(edition, now) if one.url not in {one.url for one in stuck}]
    found = [*_ticks(now), *letters, *_going_out(now), *stuck, *waits, *_ailing(now)]
    return sorted(found, key=lambda matter: matter.level != "bad")


def _ticks(now: datetime) -> list[Alert]:
    stopped = [one.name for one in jobs.ticks(now) if one.state != "ok"]
    if not stopped:
        return []
    says = f"Nothing does this by itself at the moment: {', '.join(stopped)}."
    return [Alert("bad", says, "See what the doctor says", reverse("desk-doctor"), Right.OPERATE)]


def _holds(now: datetime) -> list[Alert]:
    held = stops.now_standing(now)
    page = reverse("desk-deliverability")
    return [
        Alert("bad", f"Sending through {one.channel} is stopped: {one.reason} {one.way_out}", "Look at it", page)
        for one in held
    ]


def _waiting(now: datetime) -> list[Alert]:
    found = jobs.letters(now)
    if found.state == "ok":
        return []
    return [Alert("bad", f"Letters: {found.detail}.", "See why", reverse("desk-deliverability"))]


def _doubts() -> list[Alert]:
    count = resolve.in_doubt().count()
    if not count:
        return []
    doubted = "1 letter is" if count == 1 else f"{number(count)} letters are"
    says = f"{doubted} in doubt: the provider may or may not have taken {'it' if count == 1 else 'them'}."
    return [Alert("warn", says, "See the names", reverse("desk-deliverability") + "#doubt")]


def _given_up(now: datetime) -> list[Alert]:
    """Letters of the last days that were given up and that no later letter has made good."""
    rows = Delivery.objects.filter(state=Delivery.State.DEAD, carried_by=None, subscriber__state="active")
    count = rows.filter(settled_at__gt=now - LATELY).count()
    if not count:
        return []
    says = "1 letter was" if count == 1 else f"{number(count)} letters were"
    page = reverse("desk-deliverability") + "#dead"
    return [Alert("warn", f"{says} given up after every try had failed.", "See why", page)]


def _silent(now: datetime) -> list[Alert]:
    alarm = counters.never_reported(now).alarm
    return [Alert("warn", f"{alarm}.", "See what came back", reverse("desk-deliverability"))] if alarm else []


def _going_out(now: datetime) -> list[Alert]:
    """Editions in their minutes of second thoughts."""
    rows = Edition.objects.filter(state=State.FROZEN, release_at__gt=now).order_by("release_at")
    return [
        Alert(
            "good", f"The edition of {row.date:%-d %B} is going out: letters from {row.release_at:%H:%M:%S} UTC on.",
            "See it, or take it back", reverse("desk-edition", args=[row.date]),
        )
        for row in rows
    ]  # fmt: skip


def _stuck(now: datetime) -> list[Alert]:
    """Open editions of any day that are held, or whose moment has passed without them."""
    shown = EditionPaper.objects.filter(edition=OuterRef("pk"), is_hidden=False)
    rows = Edition.objects.exclude(state=State.RELEASED).annotate(has_papers=Exists(shown)).order_by("date")
    due = Q(release_at__lt=now - GRACE) | Q(release_at=None, has_papers=True, date__lte=now.date())
    return [one for row in rows.filter(Q(state=State.HELD) | due) for one in _held_or_late(row, now)]


def _held_or_late(edition: Edition, now: datetime) -> list[Alert]:
    page, name = reverse("desk-edition", args=[edition.date]), f"The edition of {edition.date:%-d %B}"
    at = moment(edition)
    when = f"{at:%H:%M} UTC" if at.date() == now.date() else f"{at:%-d %B %H:%M} UTC"
    is_past = at < now - GRACE
    if edition.state == State.HELD:
        clock = f"it was to go at {when}" if is_past else f"it does not go at {when} by itself"
        return [Alert("warn", f"{name} is held: it waits for you; {clock}.", "Let it go", page)]
    says = f"{name} was to go at {when} and is not out."
    return [Alert("bad", says, "Look at it, or release it", page)] if is_past else []


def moment(edition: Edition) -> datetime:
    """When it goes at the latest: the time a curator gave it, else its deadline."""
    return edition.release_at or lifecycle.deadline(edition.date)


def _edition_matters(edition: Edition | None, now: datetime) -> list[Alert]:
    """What the edition of the day waits for; `_stuck` tells of those that are held or overdue."""
    if edition is None:
        return [Alert("warn", "There is no edition yet.", "Look at the sources", reverse("desk-sources"))]
    if edition.state in {State.RELEASED, State.HELD} or edition.release_at:
        return []
    return _waits_for(edition, now, reverse("desk-edition", args=[edition.date]))


def _waits_for(edition: Edition, now: datetime, page: str) -> list[Alert]:
    found = coverage(edition.date, now)
    missing = [row for row in found.receipt["sources"] if not row["complete"]]
    deadline = lifecycle.deadline(edition.date)
    if not missing:
        return []
    names = "; ".join(f"{row['name']} ({row['why']})" for row in missing[:4])
    more = f" and {len(missing) - 4} more" if len(missing) > 4 else ""
    late = now > deadline
    says = f"The edition of {edition.date:%-d %B} waits until {deadline:%H:%M} UTC for {names}{more}."
    if late:
        says = f"The edition of {edition.date:%-d %B} was to go at {deadline:%H:%M} UTC. Missing: {names}{more}."
    return [Alert("bad" if late else "warn", says, "Release it without them", page)]


def _ailing(now: datetime) -> list[Alert]:
    """Each source that is in trouble, with since when; many at once are one matter, for they have one cause."""
    rows = list(Source.objects.filter(AILING & Q(is_enabled=True) | GONE).order_by("-failures", "name"))
    if len(rows) > MOST_NAMED:
        never = sum(row.last_ok_at is None for row in rows)
        names = ", ".join(row.name for row in rows[:MOST_NAMED])
        says = f"{len(rows)} sources fail at once ({names} …; {never} never brought anything): is the network there?"
        return [Alert("bad", says, "Look at them", reverse("desk-sources"))]
    return [
        Alert("bad" if row.failures >= GRAVE or row.held_reason else "warn", _trouble(row), "Look at it", _page(row))
        for row in rows
    ]


def _trouble(row: Source) -> str:
    if row.held_reason:
        return f"{row.name} is {'held' if row.is_enabled else 'off'}: {row.held_reason}"
    since = f"since {row.last_ok_at:%-d %B %H:%M} UTC" if row.last_ok_at else "it never brought anything yet"
    times = "Its last pull failed" if row.failures == 1 else f"{row.failures} failures in a row"
    return f"{row.name}: {times} ({since})."


def _page(row: Source) -> str:
    return reverse("desk-source", args=[row.slug])


# -- what comes -------------------------------------------------------------------------------------


def coming(edition: Edition | None, now: datetime) -> list[Coming]:
    """The next events, the nearest first."""
    found = [_going(one) for one in (edition, upcoming(edition)) if one and one.state in _GOES_BY_ITSELF]
    pull = Source.objects.filter(is_enabled=True, next_pull_at__gt=now).order_by("next_pull_at").first()
    if pull is not None and pull.next_pull_at:
        found.append(Coming(pull.next_pull_at, f"{pull.name} is asked again"))
    for hour, count in sorted(counters.read("due", now.date()).items())[:4]:
        who = "one reader falls due" if count == 1 else f"{number(count)} readers fall due"
        found.append(Coming(datetime.fromisoformat(hour), who))
    return sorted((one for one in found if one.at > now - timedelta(hours=1)), key=lambda one: one.at)


def _going(edition: Edition) -> Coming:
    word = "goes out" if edition.release_at else "goes out at the latest"
    return Coming(moment(edition), f"the edition of {edition.date:%-d %B} {word}")
