"""Did it arrive? The accounting of every edition, who is in doubt by name, holds, breakers and suppressions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone

from digest.delivery import blockers, reasons, resolve
from digest.delivery.channels import circuit_breaker, traits
from digest.desk import counters
from digest.desk.access import requires
from digest.desk.acts import delivery_acts, parsing
from digest.desk.acts.paper_acts import CuratingError
from digest.desk.pages import charts, dashboard
from digest.desk.pages.base import act, actor_of, page
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
    "accepted": "accepted",
    "skipped": "skipped",
    "rejected": "rejected",
    "uncertain": "uncertain",
    "expired": "expired",
    "dead": "given up",
    "pending": "waiting",
}


@requires(Right.VIEW)
def deliverability(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    counters.fresh(now)
    days = [now.date() - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    letters = counters.series("letters", days[0], days[-1])
    fates = counters.series("fates", days[0], days[-1])
    doubt = list(resolve.backlog()[:NAMED])
    dead = Delivery.objects.filter(state=Delivery.State.DEAD, carried_by=None).order_by("-settled_at", "-pk")
    asked_day = parsing.day(request.GET.get("day", ""))
    if asked_day not in days:
        asked_day = None
    split: dict[str, list[tuple[str, counters.Numbers]]] = {}
    single: dict[str, object] | None = None
    for kind, name in PARTS.items():
        parts = counters.series(name, days[0], days[-1])
        split[kind] = sums_by_name(parts.values() if asked_day is None else [parts.get(asked_day, {})])
        asked_name = request.GET.get(kind)
        if asked_name and single is None:
            single = day_by_day(asked_name[:120], parts, days)
    return page(
        request,
        "deliverability.html",
        current="deliverability",
        now=now,
        chart=letters_chart({day: letters.get(day, {}) for day in days}, fates),
        accounts=[account_of(day, numbers, fates.get(day, {})) for day, numbers in reversed(letters.items())],
        rates=rates(letters, fates),
        ends=ENDS,
        days=DAYS,
        split=split,
        split_day=asked_day,
        split_days=days[::-1],
        one=single,
        doubt=doubt,
        doubts=len(doubt) if len(doubt) < NAMED else resolve.in_doubt().count(),
        dead=dead.select_related("edition", "subscriber")[:NAMED],
        held=[(hold, circuit_breaker.waiting(hold.channel)) for hold in blockers.find(now)],
        channel=traits.current(),
        may_go_on=delivery_acts.MAY_GO_ON,
        pauses=limiter.held("destination", now)[:NAMED],
        silence=counters.never_reported(now),
        limits=LIMITS,
        sentence=reasons.sentence,
        most=NAMED,
        open=OPEN,
        suppressions=Suppression.objects.order_by("-since")[:20],
    )


def account_of(day: date, numbers: counters.Numbers, fates: counters.Numbers) -> dict[str, object]:
    """One edition's account, and what was reported of its letters since."""
    return {
        "day": day,
        **dashboard.account(numbers),
        "arrived": counters.arrived(fates),
        "bounced": fates.get("bounced", 0),
        "complained": fates.get("complained", 0),
    }


# In percent of the letters accepted: from here on it is odd, and from here on providers act on it. Gmail and Yahoo ask
# of whoever sends in bulk to stay below 0.3 % complaints (February 2024); 5 % bounces is where providers commonly stop.
LIMITS = {"bounced": (2.0, 5.0), "complained": (0.1, 0.3)}


def rates(letters: Mapping[date, counters.Numbers], fates: Mapping[date, counters.Numbers]) -> list[dict[str, object]]:
    """Over all days: how many letters were accepted, and which share arrived, bounced or complained."""
    accepted = arrived = bounced = complained = 0
    for numbers in letters.values():
        accepted += numbers.get("accepted", 0)
    if not accepted:
        return []
    for numbers in fates.values():
        arrived += counters.arrived(numbers)
        bounced += numbers.get("bounced", 0)
        complained += numbers.get("complained", 0)
    return [
        {"name": "accepted", "count": accepted, "share": None, "level": ""},
        rate("reported delivered", arrived, accepted),
        rate("bounced", bounced, accepted),
        rate("complained", complained, accepted),
    ]


def rate(name: str, count: int, accepted: int) -> dict[str, object]:
    """The share in percent of the accepted letters, with the level that LIMITS gives it."""
    share = 100 * count / accepted
    odd, bad = LIMITS.get(name, (101.0, 101.0))
    level = ""
    if share >= bad:
        level = "bad"
    elif share >= odd:
        level = "warn"
    return {"name": name, "count": count, "share": share, "level": level}


def letters_chart(letters: Mapping[date, counters.Numbers], fates: Mapping[date, counters.Numbers]) -> charts.Chart:
    """Every letter in one part: by what was reported of it, else by how the provider answered."""
    columns: list[tuple[str, counters.Numbers]] = []
    for day, numbers in letters.items():
        reported = fates.get(day, {})
        parts = {
            "delivered": counters.arrived(reported),
            "bounced": reported.get("bounced", 0),
            "complained": reported.get("complained", 0),
        }
        unreported = numbers.get("accepted", 0) - sum(parts.values())
        parts["accepted"] = max(0, unreported)
        parts["rejected"] = numbers.get("rejected", 0)
        parts["uncertain"] = numbers.get("uncertain", 0)
        columns.append((f"{day:%-d %b}", parts))
    names = ("delivered", "accepted", "bounced", "complained", "rejected", "uncertain")
    return charts.stacked("Letters by what became of them", names, columns)


def day_by_day(name: str, days: Mapping[date, counters.Numbers], span: Sequence[date]) -> dict[str, object]:
    """What became of the letters through one provider, or to one destination, on each day of `span`."""
    lines: dict[date, counters.Numbers] = {}
    for day, numbers in days.items():
        found = dict(sums_by_name([numbers]))
        if name in found:
            lines[day] = found[name]
    whole = {day: lines.get(day, {}) for day in span}
    return {"name": name, "lines": list(reversed(lines.items())), "chart": letters_chart(whole, whole)}


def sums_by_name(days: Iterable[counters.Numbers]) -> list[tuple[str, counters.Numbers]]:
    """Numbers by `name|state`, summed over the days by name; the names with the most accepted letters first."""
    found: dict[str, counters.Numbers] = {}
    for numbers in days:
        for key, count in numbers.items():
            name, _, state = key.rpartition("|")
            line = found.setdefault(name, {})
            line[state] = line.get(state, 0) + count
    for line in found.values():
        line["arrived"] = counters.arrived(line)
    return sorted(found.items(), key=lambda pair: (-pair[1].get("accepted", 0), pair[0]))


@requires(get=False, post=Right.OPERATE)
def settle(request: HttpRequest) -> HttpResponse:
    """Settle letters in doubt, one or several, or revive one that was given up."""
    verb = request.POST.get("verb", "")
    back = reverse("desk-deliverability")
    now = timezone.now()
    numbers = parsing.numbers(request.POST.getlist("letter")[:NAMED])
    letters = Delivery.objects.select_related("attempt").filter(pk__in=numbers)
    if verb == "arrived":
        return act(request, "", f"{back}#doubt", delivery_acts.all_arrived, list(letters), now)
    if verb == "revive":
        row = get_object_or_404(letters, pk=parsing.number(request.POST.get("letter", "")))
        done = "It is tried again with the next sweep."
        return act(request, done, f"{back}#dead", delivery_acts.revive, row, now)
    raise Http404(f"There is no act called {verb!r}.")


@requires(get=False, post=Right.OPERATE)
def hold(request: HttpRequest) -> HttpResponse:
    """Stop sending, or let it go on."""
    back, now = reverse("desk-deliverability"), timezone.now()
    if request.POST.get("verb") == "resume":
        name = request.POST.get("channel", "") or traits.current()
        word = request.POST.get("reports", "")
        return act(request, "Sending goes on.", back, delivery_acts.resume, name, word, now)
    reason = request.POST.get("reason", "")
    return act(request, "Sending stops before the next letter.", back, delivery_acts.hold, reason, now)


@requires(Right.OPERATE, post=Right.OPERATE)
def suppression(request: HttpRequest) -> HttpResponse:
    """Look an address up, suppress it, or take a suppression back. The list itself holds only hashes."""
    email = request.POST.get("email", "").strip()
    answer = problem = ""
    known: Suppression | None = None
    if request.method == "POST":
        verb = request.POST.get("verb", "")
        who = actor_of(request)
        try:
            if verb == "suppress":
                delivery_acts.suppress(who, email, request.POST.get("detail", ""), timezone.now())
            elif verb == "lift":
                delivery_acts.lift(who, email, timezone.now())
            known = delivery_acts.look_up(email)[1]
        except (CuratingError, addresses.AddressError) as error:
            problem = str(error)
        else:
            answer = "Nobody may write to this address." if known else "This address may be written to."
    return page(
        request,
        "suppression.html",
        400 if problem else 200,
        current="deliverability",
        email=email,
        known=known,
        answer=answer,
        problem=problem,
        liftable=known is not None and known.reason in delivery_acts.LIFTABLE,
        latest=Suppression.objects.order_by("-since")[:NAMED],
    )
