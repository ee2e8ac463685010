"""The flow chart on Today: from the sources to the inbox in current numbers, left to right."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q, Sum
from django.urls import reverse

from digest.desk import counters
from digest.desk.acts.paper_acts import state_of
from digest.desk.pages import dashboard
from digest.desk.pages.formats import counted, number
from digest.desk.roles import Right
from digest.models import Edition, Fetch, Source

State = Edition.State
EDITION_LEVELS: dict[str, str] = {State.RELEASED: "good", State.HELD: "warn"}


@dataclass(frozen=True, slots=True)
class Stage:
    """One box of the chart: a number, what it counts, and how it is doing (good, warn, bad or plain)."""

    name: str
    number: str
    says: str
    state: str
    url: str
    right: Right = Right.VIEW  # what it takes to go there


def stages(edition: Edition | None, now: datetime) -> list[Stage]:
    """The flow chart, left to right."""
    letters: counters.Numbers = {}
    fates: counters.Numbers = {}
    if edition is not None:
        letters = counters.read("letters", edition.date)
        fates = counters.read("fates", edition.date)
    return [
        sources_stage(),
        papers_stage(now),
        edition_stage(edition),
        due_stage(now),
        letters_stage(dashboard.account(letters)),
        arrived_stage(fates),
    ]


def sources_stage() -> Stage:
    """A source whose last pull failed is never well, nor is one that has brought nothing yet."""
    counts = Source.objects.filter(is_enabled=True).aggregate(
        all=Count("id"),
        failing=Count("id", filter=dashboard.FAILING),
        silent=Count("id", filter=Q(last_ok_at=None) & ~dashboard.FAILING),
    )
    problems = []
    level = "good"
    if counts["silent"]:
        problems.append(f"{counts['silent']} silent so far")
        level = "warn"
    if counts["failing"]:
        problems.insert(0, f"{counts['failing']} failing")
        level = "bad"
    says = ", ".join(problems) or "all well"
    if not counts["all"]:
        says = "none is switched on"
        level = "bad"
    return Stage("Sources", str(counts["all"]), says, level, reverse("desk-sources"))


def papers_stage(now: datetime) -> Stage:
    """The bundled samples are read, not pulled: they are counted apart."""
    samples = Q(source__is_sample=True)
    sums = Fetch.objects.filter(at__gte=now - timedelta(hours=24)).aggregate(
        all=Sum("new", default=0),
        of_samples=Sum("new", filter=samples, default=0),
        pulls=Count("id", filter=~samples),
    )
    pulls = counted(sums["pulls"], "pull")
    says = f"new in 24 hours, from {pulls}"
    if sums["of_samples"]:
        pulled = number(sums["all"] - sums["of_samples"])
        says = f"new in 24 hours: {number(sums['of_samples'])} from bundled samples, {pulled} from {pulls}"
    level = "good" if sums["all"] else "warn"
    return Stage("Papers", number(sums["all"]), says, level, reverse("desk-sources"))


def edition_stage(edition: Edition | None) -> Stage:
    if edition is None:
        return Stage("Edition", "–", "none yet", "warn", reverse("desk"))
    entries = edition.entries.aggregate(
        shown=Count("id", filter=Q(is_hidden=False)),
        pinned=Count("id", filter=Q(is_pinned=True)),
    )
    papers = "paper" if entries["shown"] == 1 else "papers"
    says = f"{papers} on {edition.date:%-d %B}, {entries['pinned']} pinned; {state_of(edition).lower()}"
    level = EDITION_LEVELS.get(edition.state, "plain")
    return Stage("Edition", number(entries["shown"]), says, level, reverse("desk-triage", args=[edition.date]))


def due_stage(now: datetime) -> Stage:
    due = sum(counters.read("due", now.date()).values())
    active = counters.read("readers", now.date()).get("active", 0)
    says = f"due within 24 hours, of {counted(active, 'reader')}"
    return Stage("Readers due", number(due), says, "plain", reverse("desk-readers"), Right.OPERATE)


def letters_stage(letters: counters.Numbers) -> Stage:
    level = "plain"
    if letters["uncertain"] or letters["dead"]:
        level = "warn"
    elif letters["planned"]:
        level = "good"
    says = f"accepted of {number(letters['planned'])} planned; {number(letters['pending'])} waiting"
    return Stage("Letters", number(letters["accepted"]), says, level, reverse("desk-deliverability"))


def arrived_stage(fates: counters.Numbers) -> Stage:
    """Only providers that send reports tell this; without reports nothing is claimed."""
    page = reverse("desk-deliverability")
    if not fates:
        return Stage("Arrived", "–", "nothing reported back yet", "plain", page)
    failed = fates.get("bounced", 0) + fates.get("complained", 0)
    says = f"reported delivered, {number(failed)} bounced or complained"
    level = "warn" if failed else "good"
    return Stage("Arrived", number(counters.arrived(fates)), says, level, page)
