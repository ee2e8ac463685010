"""Did it arrive? The accounting of every edition, who is in doubt by name, holds, breakers and suppressions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone

from digest.delivery import blockers, reasons, resolve
from digest.delivery.channels import circuit_breaker, traits
from digest.desk import counters
from digest.desk.access import door
from digest.desk.acts import delivery_acts, parsing
from digest.desk.acts.paper_acts import CuratingError
from digest.desk.pages import charts, dashboard
from digest.desk.pages.base import act, page
from digest.desk.roles import Right
from digest.models import Delivery
from subscriptions import addresses
from subscriptions.limits import limiter
from subscriptions.models import Suppression

DAYS = 30
NAMED = 100
OPEN = 10  # how many of those in doubt stand open; the others are folded
# What the letters are counted by beside the day, and under which name.
PARTS = {"provider": "channels", "destination": "domains"}
# How a letter can end, with the word at the head of its column.
ENDS = {
    "accepted": "accepted", "skipped": "skipped", "rejected": "rejected", "uncertain": "uncertain",
    "expired": "expired", "dead": "given up", "pending": "waiting",
}  # fmt: skip


@door(Right.VIEW)
def deliverability(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    counters.fresh(now)
    since, until = now.date() - timedelta(days=DAYS - 1), now.date()
    letters, fates = counters.series("letters", since, until), counters.series("fates", since, until)
    doubt = list(resolve.backlog()[:NAMED])
    whole = {since + timedelta(days=ahead): letters.get(since + timedelta(days=ahead), {}) for ahead in range(DAYS)}
    return page(
        request, "deliverability.html", current="deliverability", now=now, chart=_chart(whole, fates),
        accounts=[_line(day, numbers, fates.get(day, {})) for day, numbers in reversed(letters.items())],
        rates=_rates(letters, fates),
        ends=ENDS, days=DAYS, **_parts(request, list(whole)), doubt=doubt,
        doubts=len(doubt) if len(doubt) < NAMED else resolve.in_doubt().count(),
        dead=_given_up(),
        held=_held(now), channel=traits.current(), may_go_on=delivery_acts.MAY_GO_ON,
        pauses=limiter.held("destination", now)[:NAMED],
        silence=counters.never_reported(now), limits=LIMITS, sentence=reasons.sentence, most=NAMED, open=OPEN,
        suppressions=Suppression.objects.order_by("-since")[:20],
    )  # fmt: skip


def _held(now: datetime) -> list[tuple[blockers.Blocker, circuit_breaker.Waiting | None]]:
    """What keeps letters back, each with the reports that wait for a word there."""
    return [(one, circuit_breaker.waiting(one.channel)) for one in blockers.find(now)]


def _given_up() -> QuerySet[Delivery]:
    rows = Delivery.objects.filter(state=Delivery.State.DEAD, carried_by=None).order_by("-settled_at", "-pk")
    return rows.select_related("edition", "subscriber")[:NAMED]


def _line(day: date, numbers: counters.Numbers, told: counters.Numbers) -> dict[str, object]:
    """One edition's account, and what was reported of it since."""
    return {
        "day": day, **dashboard.account(numbers), "arrived": counters.arrived(told),
        "bounced": told.get("bounced", 0), "complained": told.get("complained", 0),
    }  # fmt: skip


# In percent of the letters accepted: from here on it is odd, and from here on providers act on it. Gmail and Yahoo ask
# of whoever sends in bulk to stay below 0.3 % complaints (February 2024); 5 % bounces is where providers commonly stop.
LIMITS = {"bounced": (2.0, 5.0), "complained": (0.1, 0.3)}


def _rates(letters: Mapping[date, counters.Numbers], fates: Mapping[date, counters.Numbers]) -> list[dict[str, object]]:
    """The days as a whole: how many were accepted, and which share arrived, bounced or complained."""
    accepted = sum(numbers.get("accepted", 0) for numbers in letters.values())
    if not accepted:
        return []
    counts = {
        "reported delivered": sum(counters.arrived(told) for told in fates.values()),
        "bounced": sum(told.get("bounced", 0) for told in fates.values()),
        "complained": sum(told.get("complained", 0) for told in fates.values()),
    }
    return [{"name": "accepted", "count": accepted, "share": None, "level": ""}] + [
        {"name": name, "count": count, "share": share, "level": _level(name, share)}
        for name, count in counts.items()
        for share in [100 * count / accepted]
    ]


def _level(name: str, share: float) -> str:
    odd, bad = LIMITS.get(name, (101.0, 101.0))
    return "bad" if share >= bad else "warn" if share >= odd else ""


def _chart(letters: Mapping[date, counters.Numbers], fates: Mapping[date, counters.Numbers]) -> charts.Chart:
    """Every letter in one part: where something was reported, that counts; else how the provider answered."""
    columns = []
    for day, numbers in letters.items():
        told = fates.get(day, {})
        bounced, complained, arrived = told.get("bounced", 0), told.get("complained", 0), counters.arrived(told)
        columns.append((
            f"{day:%-d %b}",
            {
                "delivered": arrived,
                "accepted": max(0, numbers.get("accepted", 0) - arrived - bounced - complained),
                "bounced": bounced, "complained": complained,
                "rejected": numbers.get("rejected", 0), "uncertain": numbers.get("uncertain", 0),
            },
        ))  # fmt: skip
    parts = ("delivered", "accepted", "bounced", "complained", "rejected", "uncertain")
    return charts.stacked("Letters by what became of them", parts, columns)


def _parts(request: HttpRequest, span: Sequence[date]) -> dict[str, Any]:
    """The letters by provider and by destination, of all days or the one asked for; and one of them day by day."""
    kinds = {kind: counters.series(name, span[0], span[-1]) for kind, name in PARTS.items()}
    day = parsing.day(request.GET.get("day", ""))
    day = day if day in span else None
    shown = {kind: _split({day: days.get(day, {})} if day else days) for kind, days in kinds.items()}
    asked = [_day_by_day(name[:120], kinds[kind], span) for kind in PARTS if (name := request.GET.get(kind))]
    return {"split": shown, "split_day": day, "split_days": span[::-1], "one": asked[0] if asked else None}


def _day_by_day(name: str, days: Mapping[date, counters.Numbers], span: Sequence[date]) -> dict[str, object]:
    """What became of the letters through one provider, or to one destination, on each day."""
    lines = {day: line for day, numbers in days.items() for of, line in _split({day: numbers}) if of == name}
    whole = {day: lines.get(day, {}) for day in span}
    return {"name": name, "lines": list(reversed(lines.items())), "chart": _chart(whole, whole)}


def _split(days: Mapping[date, counters.Numbers]) -> list[tuple[str, dict[str, int]]]:
    """`name|state` summed over the days, the most letters first."""
    found: dict[str, dict[str, int]] = {}
    for numbers in days.values():
        for key, count in numbers.items():
            name, _, state = key.rpartition("|")
            line = found.setdefault(name, {})
            line[state] = line.get(state, 0) + count
    for line in found.values():
        line["arrived"] = counters.arrived(line)
    return sorted(found.items(), key=lambda pair: (-pair[1].get("accepted", 0), pair[0]))


@door(get=False, post=Right.OPERATE)
def settle(request: HttpRequest) -> HttpResponse:
    """Settle letters in doubt, one or several, or revive one that was given up."""
    verb, back, now = request.POST.get("verb", ""), reverse("desk-deliverability"), timezone.now()
    numbers = [parsing.number(one) for one in request.POST.getlist("letter")[:NAMED]]
    letters = Delivery.objects.select_related("attempt").filter(pk__in=[one for one in numbers if one is not None])
    if verb == "arrived":
        return act(request, "", f"{back}#doubt", lambda: delivery_acts.all_arrived(request, list(letters), now))
    if verb == "revive":
        row = get_object_or_404(letters, pk=parsing.number(request.POST.get("letter", "")))
        done = "It is tried again with the next sweep."
        return act(request, done, f"{back}#dead", lambda: delivery_acts.revive(request, row, now))
    raise Http404(f"There is no act called {verb!r}.")


@door(get=False, post=Right.OPERATE)
def hold(request: HttpRequest) -> HttpResponse:
    """Stop sending, or let it go on."""
    back, now = reverse("desk-deliverability"), timezone.now()
    if request.POST.get("verb") == "resume":
        name = request.POST.get("channel", "") or traits.current()
        word = request.POST.get("reports", "")
        return act(request, "Sending goes on.", back, lambda: delivery_acts.resume(request, name, word, now))
    reason = request.POST.get("reason", "")
    return act(request, "Sending stops before the next letter.", back, lambda: delivery_acts.hold(request, reason, now))


@door(Right.OPERATE, post=Right.OPERATE)
def suppression(request: HttpRequest) -> HttpResponse:
    """Look an address up, suppress it, or take a suppression back. The list itself holds only hashes."""
    email, verb, said, problem = request.POST.get("email", "").strip(), request.POST.get("verb", ""), "", ""
    known = None
    if request.method == "POST":
        try:
            if verb == "suppress":
                delivery_acts.suppress(request, email, request.POST.get("detail", ""), timezone.now())
            elif verb == "lift":
                delivery_acts.lift(request, email, timezone.now())
            known = delivery_acts.look_up(email)[1]
            said = "Nobody may write to this address." if known else "This address may be written to."
        except (CuratingError, addresses.AddressError) as error:
            problem = str(error)
    return page(
        request, "suppression.html", 400 if problem else 200, current="deliverability", email=email, known=known,
        answer=said, problem=problem, liftable=known is not None and known.reason in delivery_acts.LIFTABLE,
        latest=Suppression.objects.order_by("-since")[:NAMED],
    )  # fmt: skip
