"""Leaving: by the mail program's button (RFC 8058), by the page with one button, or by never having asked.

These addresses take a POST without cookie, login or CSRF token: the link itself is the permission, and it
can do no more than lessen mail, undo that for a while, and have its reader mailed a link.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from subscriptions import services
from subscriptions.links import link_sessions, tokens, urls
from subscriptions.models import Frequency, Subscriber
from subscriptions.when import schedule, week

ONE_CLICK = ("List-Unsubscribe", "One-Click")
PAUSE = timedelta(days=14)
GONE = {Subscriber.State.UNSUBSCRIBED, Subscriber.State.SUPPRESSED}
READING = {Subscriber.State.ACTIVE, Subscriber.State.PAUSED}
PAUSED = "paused"  # what an undo may take back beside a leaving, or the frequency and days that were
UNDO_WITHIN = timedelta(days=1)


@csrf_exempt
@link_sessions.private
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows the button and the milder ways, or that no letters come; POST leaves.

    A link of before the reader's new address, or of before new links, leaves and does nothing else.

    A mail program is thanked for whatever it brings (RFC 8058); a person is told where a link is not whole: the
    buttons of our pages send an `act`.
    """
    try:
        subject = tokens.read("unsubscribe", token)
    except tokens.TokenError:
        is_program = request.method == "POST" and "act" not in _posted(request)
        return _page(request, None, "left" if is_program else "broken")
    try:
        reader, mark = link_sessions.reader(subject)
    except tokens.TokenError:  # erased since
        return _page(request, None, "gone")
    if not urls.is_current(reader, mark):
        return _old_link(request, reader)
    if request.method != "POST":
        return _page(request, reader, "gone" if reader.state in GONE else "ask")
    return _page(request, reader, *_act(_posted(request), reader))


def _old_link(request: HttpRequest, reader: Subscriber) -> HttpResponse:
    """Whoever holds it may be somebody else by now: it shows nothing of the reader, and brings nobody back."""
    if request.method == "POST":
        posted = _posted(request)
        if posted.get("act") == "undo":
            return _page(request, None, "late")
        services.unsubscribe(reader, timezone.now(), tell=not _is_one_click(posted))
        return _page(request, None, "left")
    return _page(request, None, "gone" if reader.state in GONE else "ask")


def _is_one_click(posted: Mapping[str, str]) -> bool:
    return posted.get(ONE_CLICK[0]) == ONE_CLICK[1]


def _act(posted: Mapping[str, str], reader: Subscriber) -> tuple[str, str]:
    """What became of it, and the token that takes it back."""
    now = timezone.now()
    act = posted.get("act", "")
    if act == "undo":
        return _undo(posted, reader), ""
    if act == "weekly" and reader.state in READING:
        undo = _undo_token(reader, f"{reader.frequency}-{reader.days}")
        services.set_schedule(reader, now, frequency=Frequency.WEEKLY)
        return "weekly", undo
    if act == "pause" and services.pause(reader, now, schedule.local_date(reader.zone, now) + PAUSE):
        return "paused", _undo_token(reader, PAUSED)
    if act == "link" and reader.state in READING:
        return "mailed" if services.send_link(reader, now) else "busy", ""
    services.unsubscribe(reader, now, tell=not _is_one_click(posted))
    return "left", way_back(reader, now)


def _posted(request: HttpRequest) -> Mapping[str, str]:
    """What was sent; a body nobody can read still means "leave".

    One that was left alone (`config.headers.BodyLimit`) was sent in chunks or is too long: no form of ours is, so it
    came from a mail program.
    """
    if "offprint.unread" in request.META:
        return dict([ONE_CLICK])
    try:
        return request.POST
    except (MultiPartParserError, BadRequest, SuspiciousOperation, UnreadablePostError):
        return {}


def _undo(posted: Mapping[str, str], reader: Subscriber) -> str:
    """Only within an hour of a page that offered it, and no page does so later than `UNDO_WITHIN`."""
    now = timezone.now()
    try:
        subject = tokens.read("undo", posted.get("undo", ""))
    except tokens.TokenError:
        return "late"
    if subject == urls.subject(reader, PAUSED):
        return "resumed" if services.resume(reader, now) else "late"
    owner, mark = urls.owner(subject)
    before = _before(mark)
    if before and owner == reader.uuid and reader.state in READING:
        services.set_schedule(reader, now, **before)
        return "resumed"
    return "back" if subject == _departure(reader) and services.come_back(reader, now) else "late"


def _undo_token(reader: Subscriber, before: str) -> str:
    return tokens.make("undo", urls.subject(reader, before))


def _before(mark: str) -> dict[str, Any]:
    """The times that a token of “one letter a week” brings back, such as `chosen-18`; none for other tokens."""
    frequency, _, days = mark.partition("-")
    return {"frequency": frequency, "days": int(days)} if days and frequency in Frequency.values else {}


def way_back(reader: Subscriber, now: datetime) -> str:
    """A token that undoes a leaving just made; later there is none, as an old letter must bring nobody back."""
    left = reader.state == Subscriber.State.UNSUBSCRIBED and reader.confirmed_at and reader.ended_at
    return tokens.make("undo", _departure(reader)) if left and now - left < UNDO_WITHIN else ""


def _departure(reader: Subscriber) -> str:
    return urls.subject(reader, urls.departure_mark(reader))


def _page(request: HttpRequest, reader: Subscriber | None, what: str, undo: str = "") -> HttpResponse:
    """No name and no address: the link may be in a letter that was passed on."""
    context = {
        "what": what,
        "undo": way_back(reader, timezone.now()) if reader and what == "gone" else undo,
        "is_weekly": bool(reader and _is_weekly(reader)),
        "is_active": bool(reader and reader.state == Subscriber.State.ACTIVE),
        "is_reading": bool(reader and reader.state in READING),
        "is_here": bool(reader and _has_preferences_open(request, reader)),
        "next_letter": _next_letter(reader) if reader else None,
    }
    response = render(request, "subscriptions/unsubscribe.html", context, status=404 if what == "broken" else 200)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _is_weekly(reader: Subscriber) -> bool:
    one_day = reader.frequency == Frequency.CHOSEN and len(week.numbers(reader.days)) == 1
    return one_day or reader.frequency == Frequency.WEEKLY


def _has_preferences_open(request: HttpRequest, reader: Subscriber) -> bool:
    """Whether this visitor came to the reader's preferences by a link of its own."""
    try:
        return link_sessions.current(link_sessions.subject(request, "preferences")) == reader
    except tokens.TokenError:
        return False


def _next_letter(reader: Subscriber) -> datetime | None:
    return reader.next_digest_at and reader.next_digest_at.astimezone(schedule.zone_of(reader.zone))


@csrf_exempt
@link_sessions.private
@require_http_methods(["GET", "HEAD", "POST"])
def block(request: HttpRequest, token: str) -> HttpResponse:
    """“I never asked”: no letter of any kind to this address again."""
    blocked = request.method == "POST"
    if blocked:
        try:
            reader = link_sessions.current(tokens.read("block", token))
        except tokens.TokenError:
            reader = None
        if reader is not None:
            services.block(reader, timezone.now())
    response = render(request, "subscriptions/block.html", {"blocked": blocked})
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@link_sessions.private
@require_http_methods(["GET", "HEAD", "POST"])
def come_back(request: HttpRequest) -> HttpResponse:
    """The way back from the goodbye letter, for thirty days."""
    try:
        reader, mark = link_sessions.opened(request, "return")
    except tokens.TokenError:
        return link_sessions.closed(request, "return")
    if reader.state == Subscriber.State.ACTIVE:
        return render(request, "subscriptions/back.html", {"state": "back"})
    if mark != urls.departure_mark(reader):
        return link_sessions.closed(request, "return")
    state = "ask"
    if request.method == "POST":
        state = "back" if services.come_back(reader, timezone.now()) else "late"
    return render(request, "subscriptions/back.html", {"state": state})
