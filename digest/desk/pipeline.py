"""Today at a glance: the way from the sources to the inbox in live numbers, what is wrong, and what comes next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q, Sum
from django.urls import reverse

from digest import editions
from digest.delivery import silence
from digest.desk import tallies
from digest.desk.curating import OPEN, state_of
from digest.doctor import work
from digest.models import Channel, Delivery, Edition, Fetch, Source
from digest.sources import health

State = Edition.State
GRAVE = 3  # failures in a row
MOST_NAMED = 4
_AILING = Q(failures__gte=1) | ~Q(held_reason="")
ENDS = ("accepted", "skipped", "rejected", "uncertain", "expired", "dead")
_GOES_BY_ITSELF = (State.COLLECTING, State.FROZEN)
ON_THEIR_WAY = ("pending", "claimed", "ambiguous")


@dataclass(frozen=True, slots=True)
class Stage:
    """One box of the picture: a number, what it counts, and how it is doing (good, warn, bad or plain)."""

    name: str
    number: str
    says: str
    state: str
    url: str


@dataclass(frozen=True, slots=True)
class Matter:
    """Something late, held or odd, in plain words, with the one act that helps."""

    level: str
    says: str
    act: str
    url: str


@dataclass(frozen=True, slots=True)
class Coming:
    """Something that will happen by itself."""

    at: datetime
    says: str


@dataclass(frozen=True, slots=True)
class Progress:
    """A send that is under way: letters done of all, letters a minute, and when it will be over (None: unknown)."""

    done: int
    total: int
    a_minute: float
    ends_at: datetime | None


def current(now: datetime) -> Edition | None:
    """The edition of the day: the newest that is not of the future."""
    return Edition.objects.filter(date__lte=now.date()).order_by("-date").first()


def upcoming(edition: Edition | None) -> Edition | None:
    """The open edition of a day to come, once today's is out: the one a curator can work on."""
    if edition is None or edition.state != State.RELEASED:
        return None
    return Edition.objects.filter(state__in=OPEN, date__gt=edition.date).order_by("date").first()


def account(numbers: tallies.Numbers) -> dict[str, int]:
    """planned = accepted + skipped + rejected + uncertain + expired + dead + pending."""
    line = {name: numbers.get(name, 0) for name in ENDS}
    line["pending"] = sum(numbers.get(name, 0) for name in ON_THEIR_WAY)
    return {"planned": sum(numbers.values()), **line}


def stages(edition: Edition | None, now: datetime) -> list[Stage]:
    """The picture, left to right."""
    letters = account(tallies.read("letters", edition.date)) if edition else account({})
    fates = tallies.read("fates", edition.date) if edition else {}
    return [
        _sources(now),
        _papers(now),
        _edition(edition),
        _due(now),
        _letters(letters),
        _arrived(letters, fates),
    ]


def _sources(now: datetime) -> Stage:
    """A source whose last pull failed is never well, nor is one that has brought nothing yet."""
    counts = Source.objects.filter(is_enabled=True).aggregate(
        all=Count("id"),
        failing=Count("id", filter=_AILING),
        silent=Count("id", filter=Q(last_ok_at=None) & ~_AILING),
    )
    said = [
        f"{counts[key]} {word}" for key, word in (("failing", "failing"), ("silent", "silent so far")) if counts[key]
    ]
    level = "bad" if counts["failing"] or not counts["all"] else "warn" if counts["silent"] else "good"
    says = ", ".join(said) or ("all well" if counts["all"] else "none is switched on")
    return Stage("Sources", str(counts["all"]), says, level, reverse("desk-sources"))


def _papers(now: datetime) -> Stage:
    """The bundled samples are read, not pulled: they are told apart."""
    samples = Q(source__is_sample=True)
    sums = Fetch.objects.filter(at__gte=now - timedelta(hours=24)).aggregate(
        all=Sum("new", default=0), of_samples=Sum("new", filter=samples, default=0), pulls=Count("id", filter=~samples)
    )
    says = f"new in 24 hours, from {_counted(sums['pulls'], 'pull')}"
    if sums["of_samples"]:
        brought = _number(sums["all"] - sums["of_samples"])
        says = f"new in 24 hours: {_number(sums['of_samples'])} from bundled samples, {brought} from "
        says += _counted(sums["pulls"], "pull")
    return Stage("Papers", _number(sums["all"]), says, "good" if sums["all"] else "warn", reverse("desk-sources"))


def _edition(edition: Edition | None) -> Stage:
    if edition is None:
        return Stage("Edition", "–", "none yet", "warn", reverse("desk"))
    entries = edition.entries.aggregate(
        shown=Count("id", filter=Q(is_hidden=False)), pinned=Count("id", filter=Q(is_pinned=True))
    )
    papers = "paper" if entries["shown"] == 1 else "papers"
    says = f"{papers} on {edition.date:%-d %B}, {entries['pinned']} pinned; {state_of(edition).lower()}"
    level = {State.RELEASED: "good", State.HELD: "warn"}.get(State(edition.state), "plain")
    return Stage("Edition", _number(entries["shown"]), says, level, reverse("desk-triage", args=[edition.date]))


def _due(now: datetime) -> Stage:
    due = sum(tallies.read("due", now.date()).values())
    active = tallies.read("readers", now.date()).get("active", 0)
    says = f"due within 24 hours, of {_counted(active, 'reader')}"
    return Stage("Readers due", _number(due), says, "plain", reverse("desk-readers"))


def _letters(letters: dict[str, int]) -> Stage:
    level = "warn" if letters["uncertain"] or letters["dead"] else "good" if letters["planned"] else "plain"
    says = f"accepted of {_number(letters['planned'])} planned; {_number(letters['pending'])} waiting"
    return Stage("Letters", _number(letters["accepted"]), says, level, reverse("desk-deliverability"))


def _arrived(letters: dict[str, int], fates: tallies.Numbers) -> Stage:
    """Only providers that report tell this; without reports nothing is claimed."""
    delivered, gone = tallies.arrived(fates), fates.get("bounced", 0) + fates.get("complained", 0)
    if not fates:
        return Stage("Arrived", "–", "nothing reported back yet", "plain", reverse("desk-deliverability"))
    says = f"reported delivered, {_number(gone)} bounced or complained"
    return Stage("Arrived", _number(delivered), says, "warn" if gone else "good", reverse("desk-deliverability"))


def _counted(value: int, noun: str) -> str:
    return f"{_number(value)} {noun}" if value == 1 else f"{_number(value)} {noun}s"


def _number(value: int) -> str:
    return f"{value:,}".replace(",", "\u202f")


# -- what is wrong ----------------------------------------------------------------------------------


def matters(edition: Edition | None, now: datetime) -> list[Matter]:
    """Everything late, held or odd; the worst first."""
    letters = [*_holds(), *_waiting(now), *_doubts(), *_silent(now)]
    found = [*_ticks(now), *letters, *_edition_matters(edition, now), *_ailing(now)]
    return sorted(found, key=lambda matter: matter.level != "bad")


def _ticks(now: datetime) -> list[Matter]:
    stopped = [one.name for one in work.ticks(now) if one.state != "ok"]
    if not stopped:
        return []
    says = f"Nothing does this by itself at the moment: {', '.join(stopped)}."
    return [Matter("bad", says, "See what the doctor says", reverse("desk-doctor"))]


def _holds() -> list[Matter]:
    held = Channel.objects.exclude(held_by="")
    return [
        Matter(
            "bad",
            f"Sending through {one.name} is stopped: {one.held_reason}",
            "Look at it",
            reverse("desk-deliverability"),
        )
        for one in held
    ]


def _waiting(now: datetime) -> list[Matter]:
    found = work.letters(now)
    if found.state == "ok":
        return []
    return [Matter("bad", f"Letters: {found.detail}.", "See why", reverse("desk-deliverability"))]


def _doubts() -> list[Matter]:
    count = Delivery.objects.filter(state=Delivery.State.UNCERTAIN, carried_by=None).count()
    if not count:
        return []
    doubted = "1 letter is" if count == 1 else f"{_number(count)} letters are"
    says = f"{doubted} in doubt: the provider may or may not have taken {'it' if count == 1 else 'them'}."
    return [Matter("warn", says, "See the names", reverse("desk-deliverability") + "#doubt")]


def _silent(now: datetime) -> list[Matter]:
    alarm = silence.listen(now).alarm
    return [Matter("warn", f"{alarm}.", "See what came back", reverse("desk-deliverability"))] if alarm else []


def _edition_matters(edition: Edition | None, now: datetime) -> list[Matter]:
    if edition is None:
        return [Matter("warn", "There is no edition yet.", "Look at the sources", reverse("desk-sources"))]
    if edition.state == State.RELEASED:
        return []
    page = reverse("desk-edition", args=[edition.date])
    if edition.state == State.HELD:
        return [Matter("warn", f"The edition of {edition.date:%-d %B} is held: it waits for you.", "Let it go", page)]
    if edition.release_at:
        return []
    return _waits_for(edition, now, page)


def _waits_for(edition: Edition, now: datetime, page: str) -> list[Matter]:
    coverage = health.coverage(edition.date, now)
    missing = [row for row in coverage.receipt["sources"] if not row["complete"]]
    deadline = editions.deadline(edition.date)
    if not missing:
        return []
    names = "; ".join(f"{row['name']} ({row['why']})" for row in missing[:4])
    more = f" and {len(missing) - 4} more" if len(missing) > 4 else ""
    late = now > deadline
    says = f"The edition of {edition.date:%-d %B} waits until {deadline:%H:%M} UTC for {names}{more}."
    return [Matter("bad" if late else "warn", says, "Release it without them", page)]


def _ailing(now: datetime) -> list[Matter]:
    """Each source that is in trouble, with since when; many at once are one matter, for they have one cause."""
    rows = list(Source.objects.filter(_AILING, is_enabled=True).order_by("-failures", "name"))
    if len(rows) > MOST_NAMED:
        never = sum(row.last_ok_at is None for row in rows)
        names = ", ".join(row.name for row in rows[:MOST_NAMED])
        says = f"{len(rows)} sources fail at once ({names} …; {never} never brought anything): is the network there?"
        return [Matter("bad", says, "Look at them", reverse("desk-sources"))]
    return [
        Matter("bad" if row.failures >= GRAVE or row.held_reason else "warn", _trouble(row), "Look at it", _page(row))
        for row in rows
    ]


def _trouble(row: Source) -> str:
    if row.held_reason:
        return f"{row.name} is held: {row.held_reason}"
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
    for hour, count in sorted(tallies.read("due", now.date()).items())[:4]:
        who = "one reader falls due" if count == 1 else f"{_number(count)} readers fall due"
        found.append(Coming(datetime.fromisoformat(hour), who))
    return sorted((one for one in found if one.at > now - timedelta(hours=1)), key=lambda one: one.at)


def _going(edition: Edition) -> Coming:
    at = edition.release_at or editions.deadline(edition.date)
    word = "goes out" if edition.release_at else "goes out at the latest"
    return Coming(at, f"the edition of {edition.date:%-d %B} {word}")


def progress(edition: Edition | None, now: datetime) -> Progress | None:
    """The send of this edition, while letters wait; the rate is that of the last ten minutes."""
    if edition is None:
        return None
    letters = account(tallies.read("letters", edition.date))
    if not letters["pending"]:
        return None
    done = letters["planned"] - letters["pending"]
    pace = _pace(edition, done, now)
    ends = now + timedelta(minutes=letters["pending"] / pace) if pace else None
    return Progress(done, letters["planned"], pace, ends)


def _pace(edition: Edition, done: int, now: datetime) -> float:
    """Letters a minute since the oldest of the kept looks of the last ten minutes."""
    looks = sorted((datetime.fromisoformat(at), count) for at, count in tallies.read("progress", edition.date).items())
    recent = [(at, count) for at, count in looks if now - at <= timedelta(minutes=10)]
    if not recent or recent[0][0] >= now:
        return 0.0
    minutes = (now - recent[0][0]).total_seconds() / 60
    return max(0.0, (done - recent[0][1]) / minutes) if minutes > 0.05 else 0.0
