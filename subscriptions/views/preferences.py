"""A reader's own page, opened by the link in every letter: what they want, when, and what became of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from subscriptions import accounts, questions, services, troubleshooting
from subscriptions.bibliography import Reference
from subscriptions.forms import AddressForm, PauseForm, ScheduleForm, WishesForm, choices
from subscriptions.limits import client_prefix, limiter
from subscriptions.links import link_sessions, tokens, urls
from subscriptions.models import SignupRequest, Subscriber
from subscriptions.signup import requests
from subscriptions.views import leave as view_leave
from subscriptions.views import liked_papers as view_liked_papers
from subscriptions.views import save
from subscriptions.wants import interests, liked_papers
from subscriptions.when import schedule

Done = dict[str, Any]
AVAILABLE = {Subscriber.State.ACTIVE, Subscriber.State.PAUSED}


@link_sessions.private
@require_http_methods(["GET", "HEAD", "POST"])
def preferences(request: HttpRequest) -> HttpResponse:
    """GET shows, POST does the one thing its `act` names and shows the page again with what was done."""
    now = timezone.now()
    reader = _reader(request)
    if reader is None or reader.state not in AVAILABLE:
        return _ask_for_link(request, reader, now)
    if request.method != "POST":
        return _page(request, reader, now)
    act = ACTS.get(_pressed(request))
    if act is None:
        return _page(request, reader, now, trouble="This button is not one of ours. Try again.", status=422)
    done = act(request, reader, now)
    return _page(request, reader, now, **(done if act is save.keep else save.unkept(request, reader) | done))


def _pressed(request: HttpRequest) -> str:
    """The button; behind a colon it may name what it is about."""
    return request.POST.get("act", "").partition(":")[0]


def _reader(request: HttpRequest) -> Subscriber | None:
    try:
        return link_sessions.current(link_sessions.subject(request, "preferences"))
    except tokens.TokenError:
        return None


def _ask_for_link(request: HttpRequest, reader: Subscriber | None, now: datetime) -> HttpResponse:
    """Without a link that opens: an address to mail one to. The answer is the same whoever reads there.

    A link of a `reader` who has left opens no more than how to return.
    """
    gone = _gone(reader, now)
    had_link = link_sessions.cookie("preferences") in request.COOKIES and not gone
    form = AddressForm(request.POST if "email" in request.POST else None, initial={"email": ""})
    context = {"form": form, "had_link": had_link, "gone": gone, "sent": False, "busy": False}
    if not form.is_bound or not form.is_valid():
        status = 422 if form.is_bound else 404 if had_link else 200
        return render(request, "subscriptions/link.html", context, status=status)
    network = client_prefix.prefix_of(request)
    if not limiter.take("network", network, now):
        return render(request, "subscriptions/link.html", context | {"busy": True}, status=429)
    requests.store(SignupRequest.Kind.LINK, form.address.typed, {}, network, now)
    return render(request, "subscriptions/link.html", context | {"sent": True})


def _gone(reader: Subscriber | None, now: datetime) -> dict[str, str]:
    """Where one who has left presses to undo it, and with what (nothing, once that is too late)."""
    if reader is None or reader.state not in view_leave.GONE:
        return {}
    leave = tokens.make("unsubscribe", urls.subject(reader))
    return {"action": reverse("unsubscribe", args=[leave]), "undo": view_leave.way_back(reader, now)}


# -- one function a button: each answers with what the page should say ------------------------------


def _pause(request: HttpRequest, reader: Subscriber, now: datetime) -> Done:
    form = PauseForm(request.POST)
    if not form.is_valid():
        return {"trouble": form.errors["until"][0], "status": 422}
    try:
        services.pause(reader, now, form.cleaned_data["until"], form.cleaned_data["catch_up"])
    except schedule.ScheduleError as error:
        return {"trouble": error.message, "status": 422}
    until = _local(reader, reader.paused_until)
    return {"done": f"No letters come until {until:%-d %B %Y}." if until else "No letters come until you start again."}


def _resume(request: HttpRequest, reader: Subscriber, now: datetime) -> Done:
    services.resume(reader, now)
    return {"done": "Welcome back. Letters come again."}


def _mail_link(request: HttpRequest, reader: Subscriber, now: datetime) -> Done:
    if not services.send_link(reader, now):
        return {"trouble": "Several links went out today already. Look in your inbox, or try tomorrow.", "status": 429}
    return {"done": "A fresh link is on its way to your address. It works once, for ten minutes."}


def _renew_links(request: HttpRequest, reader: Subscriber, now: datetime) -> Done:
    """The visitor's own link is renewed with them, so that only the others end."""
    accounts.renew_links(reader)
    return {
        "done": "The links in all earlier letters are void now, and your own feed has a new address. "
        "Leaving by them still works."
    }


def _send_now(request: HttpRequest, reader: Subscriber, now: datetime) -> Done:
    said = questions.send_now(reader, now)
    return {"done": said} if said else {"trouble": "There is no letter to send at this moment.", "status": 409}


ACTS: dict[str, Callable[[HttpRequest, Subscriber, datetime], Done]] = {
    "interests": save.keep,
    "taste": save.keep,
    "schedule": save.keep,
    "pause": _pause,
    "resume": _resume,
    "link": _mail_link,
    "renew": _renew_links,
    "now": _send_now,
    "drop": view_liked_papers.drop,
    "unsay": view_liked_papers.unsay,
    "reset": view_liked_papers.reset,
}

# Where on the page a button stands, and so what became of it.
SECTIONS = {
    "interests": "interests",
    "schedule": "times",
    "pause": "pause",
    "resume": "pause",
    "link": "account",
    "renew": "account",
    "taste": "taste",
    "drop": "taste",
    "unsay": "taste",
    "reset": "taste",
}


def _page(request: HttpRequest, reader: Subscriber, now: datetime, status: int = 200, **shown: Any) -> HttpResponse:
    kept = interests.of(reader)
    was_muted = [one.filter.text for one in kept if one.muted and not one.topic]
    if "wishes_form" in shown:
        _keep_typed(kept, request)
        was_muted = request.POST.getlist("was_muted")
    schedule_form = shown.pop("schedule_form", None) or ScheduleForm(reader=reader)
    wishes_form = shown.pop("wishes_form", None) or WishesForm(initial=_wishes(kept))
    letters = list(questions.history(reader, now))
    context = {
        "reader": reader,
        "kept": kept,
        "was_muted": was_muted,
        "tallies": _tallies(reader, kept, now),
        "wishes_form": wishes_form,
        "schedule_form": schedule_form,
        "next_letter": _local(reader, reader.next_digest_at),
        "paused_until": _local(reader, reader.paused_until),
        "tomorrow": (schedule.local_date(reader.zone, now) + schedule.DAY).isoformat(),
        "letters": letters,
        "reasons": troubleshooting.reasons(reader, letters, now),
        "can_send_now": questions.can_send_now() and reader.state == Subscriber.State.ACTIVE,
        "leave_url": urls.unsubscribe_url(reader),
        "done": "",
        "trouble": "",
        "unkept": False,
        "likes_weight": view_liked_papers.weight_of(request, reader) if "taste_form" in shown else reader.likes_weight,
        "until": request.POST.get("until", "") if status != 200 or _pressed(request) != "pause" else "",
        "where": SECTIONS.get(_pressed(request), ""),
    }
    context |= choices(schedule_form, now) | view_liked_papers.shown(reader) | shown
    response = render(request, "subscriptions/preferences.html", context, status=status)
    link_sessions.keep(response, "preferences", tokens.make("preferences", urls.subject(reader, reader.link_round)))
    return response


def _keep_typed(kept: list[Any], request: HttpRequest) -> None:
    """What was chosen beside each interest, on a page that comes back for a mistake elsewhere."""
    muted = request.POST.getlist("muted")
    for one in kept:
        one.weight = interests.WEIGHTS.get(request.POST.get(f"weight-{one.pk}", ""), one.weight)
        one.muted = one.filter.text in muted


def _wishes(kept: list[Any]) -> dict[str, Any]:
    lines = [interests.as_typed(one) for one in kept if not one.topic]
    return {"topics": [one.topic.slug for one in kept if one.topic], "queries": "\n".join(lines)}


def _tallies(reader: Subscriber, kept: list[Any], now: datetime) -> dict[str, questions.Tally]:
    """What each interest finds in the last 7 and 30 days, by its canonical text.

    A mute keeps out what any other wish brings, the description and the papers they like included.
    """
    wishes = [interests.Wish(one.filter.text, one.topic, one.text, muted=one.muted) for one in kept]
    if not wishes:
        return {}
    described, liked = "", list[Reference]()
    if any(wish.muted for wish in wishes):
        described, liked = liked_papers.described(reader), liked_papers.named(reader)
    preview = questions.preview(wishes, now, described, liked)
    return preview.tallies if preview and preview.month.looked_at else {}


def _local(reader: Subscriber, at: datetime | None) -> datetime | None:
    return at.astimezone(schedule.zone_of(reader.zone)) if at else None
