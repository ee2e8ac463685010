"""The picture on Today: the way from the sources to the inbox in live numbers, left to right."""

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


@dataclass(frozen=True, slots=True)
class Stage:
    """One box of the picture: a number, what it counts, and how it is doing (good, warn, bad or plain)."""

    name: str
    number: str
    says: str
    state: str
    url: str
    right: Right = Right.VIEW  # what it takes to go there


def stages(edition: Edition | None, now: datetime) -> list[Stage]:
    """The picture, left to right."""
    letters = dashboard.account(counters.read("letters", edition.date)) if edition else dashboard.account({})
    fates = counters.read("fates", edition.date) if edition else {}
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
        failing=Count("id", filter=dashboard.AILING),
        silent=Count("id", filter=Q(last_ok_at=None) & ~dashboard.AILING),
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
    says = f"new in 24 hours, from {counted(sums['pulls'], 'pull')}"
    if sums["of_samples"]:
        brought = number(sums["all"] - sums["of_samples"])
        says = f"new in 24 hours: {number(sums['of_samples'])} from bundled samples, {brought} from "
        says += counted(sums["pulls"], "pull")
    return Stage("Papers", number(sums["all"]), says, "good" if sums["all"] else "warn", reverse("desk-sources"))


def _edition(edition: Edition | None) -> Stage:
    if edition is None:
        return Stage("Edition", "–", "none yet", "warn", reverse("desk"))
    entries = edition.entries.aggregate(
        shown=Count("id", filter=Q(is_hidden=False)), pinned=Count("id", filter=Q(is_pinned=True))
    )
    papers = "paper" if entries["shown"] == 1 else "papers"
    says = f"{papers} on {edition.date:%-d %B}, {entries['pinned']} pinned; {state_of(edition).lower()}"
    level = {State.RELEASED: "good", State.HELD: "warn"}.get(State(edition.state), "plain")
    return Stage("Edition", number(entries["shown"]), says, level, reverse("desk-triage", args=[edition.date]))


def _due(now: datetime) -> Stage:
    due = sum(counters.read("due", now.date()).values())
    active = counters.read("readers", now.date()).get("active", 0)
    says = f"due within 24 hours, of {counted(active, 'reader')}"
    return Stage("Readers due", number(due), says, "plain", reverse("desk-readers"), Right.OPERATE)


def _letters(letters: dict[str, int]) -> Stage:
    level = "warn" if letters["uncertain"] or letters["dead"] else "good" if letters["planned"] else "plain"
    says = f"accepted of {number(letters['planned'])} planned; {number(letters['pending'])} waiting"
    return Stage("Letters", number(letters["accepted"]), says, level, reverse("desk-deliverability"))


def _arrived(letters: dict[str, int], fates: counters.Numbers) -> Stage:
    """Only providers that report tell this; without reports nothing is claimed."""
    delivered, gone = counters.arrived(fates), fates.get("bounced", 0) + fates.get("complained", 0)
    if not fates:
        return Stage("Arrived", "–", "nothing reported back yet", "plain", reverse("desk-deliverability"))
    says = f"reported delivered, {number(gone)} bounced or complained"
    return Stage("Arrived", number(delivered), says, "warn" if gone else "good", reverse("desk-deliverability"))
