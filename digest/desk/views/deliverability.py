"""Did it arrive? The accounting of every edition, who is in doubt by name, holds, breakers and suppressions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone

from digest.delivery import channels, holds, resolve, silence
from digest.desk import charts, pipeline, settling, tallies
from digest.desk.access import door
from digest.desk.curating import CuratingError
from digest.desk.roles import Right
from digest.desk.views.pages import act, page
from digest.models import Channel, Delivery, DomainPause
from subscriptions import addresses
from subscriptions.models import Suppression

DAYS = 30
NAMED = 100
ENDS = ("accepted", "skipped", "rejected", "uncertain", "expired", "dead", "pending")


@door(Right.VIEW)
def deliverability(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    tallies.fresh(now)
    since, until = now.date() - timedelta(days=DAYS - 1), now.date()
    letters, fates = tallies.series("letters", since, until), tallies.series("fates", since, until)
    whole = {since + timedelta(days=ahead): letters.get(since + timedelta(days=ahead), {}) for ahead in range(DAYS)}
    return page(
        request, "deliverability.html", current="deliverability", now=now, chart=_chart(whole, fates),
        accounts=[(day, pipeline.account(numbers), fates.get(day, {})) for day, numbers in reversed(letters.items())],
        ends=ENDS, channels=_split(tallies.series("channels", since, until)), days=DAYS,
        domains=_split(tallies.series("domains", since, until)), doubt=resolve.backlog()[:NAMED],
        dead=Delivery.objects.filter(state=Delivery.State.DEAD, carried_by=None).select_related("edition")[:NAMED],
        held=Channel.objects.exclude(held_by=""), stopped=holds.low_disk(), channel=channels.current(),
        pauses=DomainPause.objects.filter(until__gt=now).order_by("domain")[:NAMED],
        silence=silence.listen(now), suppressions=Suppression.objects.order_by("-since")[:20], most=NAMED,
    )  # fmt: skip


def _chart(letters: Mapping[date, tallies.Numbers], fates: Mapping[date, tallies.Numbers]) -> charts.Chart:
    """Every letter in one part: where something was reported, that counts; else how the provider answered."""
    columns = []
    for day, numbers in letters.items():
        told = fates.get(day, {})
        bounced, complained, arrived = told.get("bounced", 0), told.get("complained", 0), tallies.arrived(told)
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


def _split(days: Mapping[date, tallies.Numbers]) -> list[tuple[str, dict[str, int]]]:
    """`name|state` summed over the days, the most letters first."""
    found: dict[str, dict[str, int]] = {}
    for numbers in days.values():
        for key, count in numbers.items():
            name, _, state = key.rpartition("|")
            line = found.setdefault(name, {})
            line[state] = line.get(state, 0) + count
    return sorted(found.items(), key=lambda pair: (-pair[1].get("accepted", 0), pair[0]))


@door(get=False, post=Right.OPERATE)
def settle(request: HttpRequest) -> HttpResponse:
    """Settle one letter in doubt, or revive one that was given up."""
    verb = request.POST.get("verb", "")
    verbs = {
        "arrived": (settling.arrived, "Settled: it arrived."),
        "revive": (settling.revive, "It is tried again with the next sweep."),
    }
    if verb not in verbs:
        raise Http404(f"There is no act called {verb!r}.")
    number = request.POST.get("letter", "")
    row = get_object_or_404(Delivery.objects.select_related("attempt"), pk=int(number) if number.isdigit() else 0)
    do, done = verbs[verb]
    return act(request, done, reverse("desk-deliverability") + "#doubt", lambda: do(request, row, timezone.now()))


@door(get=False, post=Right.OPERATE)
def hold(request: HttpRequest) -> HttpResponse:
    """Stop sending, or let it go on."""
    back, now = reverse("desk-deliverability"), timezone.now()
    if request.POST.get("verb") == "resume":
        return act(request, "Sending goes on.", back, lambda: settling.resume(request, now))
    reason = request.POST.get("reason", "")
    return act(request, "Sending stops before the next letter.", back, lambda: settling.hold(request, reason, now))


@door(Right.OPERATE, post=Right.OPERATE)
def suppression(request: HttpRequest) -> HttpResponse:
    """Look an address up, suppress it, or take a suppression back. The list itself holds only hashes."""
    email, verb, said, problem = request.POST.get("email", "").strip(), request.POST.get("verb", ""), "", ""
    known = None
    if request.method == "POST":
        try:
            if verb == "suppress":
                settling.suppress(request, email, request.POST.get("detail", ""), timezone.now())
            elif verb == "lift":
                settling.lift(request, email, timezone.now())
            known = settling.look_up(email)[1]
            said = "Nobody may write to this address." if known else "This address may be written to."
        except (CuratingError, addresses.AddressError) as error:
            problem = str(error)
    return page(
        request, "suppression.html", 400 if problem else 200, current="deliverability", email=email, known=known,
        answer=said, problem=problem, liftable=known is not None and known.reason in settling.LIFTABLE,
        latest=Suppression.objects.order_by("-since")[:NAMED],
    )  # fmt: skip
