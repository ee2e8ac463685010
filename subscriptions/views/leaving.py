"""Leaving: by the mail program's button (RFC 8058), by the page with one button, or by never having asked.

These addresses take a POST without cookie, login or CSRF token: the link itself is the permission, and
it can do no more than lessen mail (or, for a day, undo that).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.http import HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from subscriptions import doors, links, schedule, services, tokens
from subscriptions.models import Frequency, Subscriber

ONE_CLICK = ("List-Unsubscribe", "One-Click")
PAUSE = timedelta(days=14)
GONE = {Subscriber.State.UNSUBSCRIBED, Subscriber.State.SUPPRESSED}
UNDO_WITHIN = timedelta(days=1)


@csrf_exempt
@doors.private
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows the button and the milder ways, or that no letters come; POST leaves.

    A link that opens nothing is thanked all the same.
    """
    try:
        reader, _ = doors.reader(tokens.read("unsubscribe", token))
    except tokens.TokenError:
        return _page(request, None, "left" if request.method == "POST" else "ask")
    if request.method != "POST":
        return _page(request, reader, "gone" if reader.state in GONE else "ask")
    return _page(request, reader, _act(request, reader))


def _act(request: HttpRequest, reader: Subscriber) -> str:
    now = timezone.now()
    posted = _posted(request)
    act = posted.get("act", "")
    if act == "undo":
        return _undo(posted, reader)
    if act == "weekly" and reader.state in {Subscriber.State.ACTIVE, Subscriber.State.PAUSED}:
        services.set_schedule(reader, now, frequency=Frequency.WEEKLY)
        return "weekly"
    if act == "pause" and services.pause(reader, now, schedule.local_date(reader.zone, now) + PAUSE):
        return "paused"
    one_click = posted.get(ONE_CLICK[0]) == ONE_CLICK[1]
    services.unsubscribe(reader, now, tell=not one_click)
    return "left"


def _posted(request: HttpRequest) -> Mapping[str, str]:
    """What a mail program sent; a body nobody can read still means "leave"."""
    try:
        return request.POST
    except MultiPartParserError:
        return {}


def _undo(posted: Mapping[str, str], reader: Subscriber) -> str:
    """Only within an hour of a page that offered it, and no page does so later than `UNDO_WITHIN`."""
    try:
        subject = tokens.read("undo", posted.get("undo", ""))
    except tokens.TokenError:
        return "late"
    if subject != _departure(reader):
        return "late"
    return "back" if services.come_back(reader, timezone.now()) else "late"


def way_back(reader: Subscriber, now: datetime) -> str:
    """A token that undoes a leaving just made; later there is none, as an old letter must bring nobody back."""
    left = reader.state == Subscriber.State.UNSUBSCRIBED and reader.confirmed_at and reader.ended_at
    return tokens.make("undo", _departure(reader)) if left and now - left < UNDO_WITHIN else ""


def _departure(reader: Subscriber) -> str:
    return links.subject(reader, links.departure_mark(reader))


def _page(request: HttpRequest, reader: Subscriber | None, what: str) -> HttpResponse:
    """No name and no address: the link may be in a letter that was passed on."""
    is_reading = reader is not None and reader.state in {Subscriber.State.ACTIVE, Subscriber.State.PAUSED}
    context = {
        "what": what,
        "undo": way_back(reader, timezone.now()) if reader else "",
        "is_weekly": bool(reader and reader.frequency == Frequency.WEEKLY),
        "is_reading": is_reading,
    }
    response = render(request, "subscriptions/unsubscribe.html", context)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@csrf_exempt
@doors.private
@require_http_methods(["GET", "HEAD", "POST"])
def block(request: HttpRequest, token: str) -> HttpResponse:
    """“I never asked”: no letter of any kind to this address again."""
    blocked = request.method == "POST"
    if blocked:
        try:
            reader, _ = doors.reader(tokens.read("block", token))
        except tokens.TokenError:
            reader = None
        if reader is not None:
            services.block(reader, timezone.now())
    response = render(request, "subscriptions/block.html", {"blocked": blocked})
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@doors.private
@require_http_methods(["GET", "HEAD", "POST"])
def come_back(request: HttpRequest) -> HttpResponse:
    """The way back from the goodbye letter, for thirty days."""
    try:
        reader, mark = doors.opened(request, "return")
    except tokens.TokenError:
        return doors.closed(request, "return")
    if reader.state == Subscriber.State.ACTIVE:
        return render(request, "subscriptions/back.html", {"state": "back"})
    if mark != str(links.departure_mark(reader)):
        return doors.closed(request, "return")
    state = "ask"
    if request.method == "POST":
        state = "back" if services.come_back(reader, timezone.now()) else "late"
    return render(request, "subscriptions/back.html", {"state": state})
