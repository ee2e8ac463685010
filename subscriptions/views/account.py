"""The address itself, the export, and erasure: only by a fresh link that was mailed to the address.

The link works once, for ten minutes; its button opens this page for half an hour on this device.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from subscriptions import accounts, exports, questions, services
from subscriptions.forms import AddressForm
from subscriptions.limits import limiter
from subscriptions.links import link_sessions, tokens, urls
from subscriptions.models import Subscriber

OPEN_FOR = timedelta(minutes=30)
OPEN = "open-account"


@link_sessions.private
@require_http_methods(["GET", "HEAD", "POST"])
def account(request: HttpRequest) -> HttpResponse:
    """Open already: the account. A link in hand: the button that opens it. Else: how to get a link."""
    now = timezone.now()
    reader = _owner(request)
    if reader is None:
        return _enter(request)
    act = ACTS.get(request.POST.get("act", "")) if request.method == "POST" else None
    if act is None:
        return _page(request, reader)
    return act(request, reader, now)


def _owner(request: HttpRequest) -> Subscriber | None:
    try:
        reader, mark = link_sessions.opened(request, OPEN)
    except tokens.TokenError:
        return None
    return reader if mark == str(reader.account_round) else None


def _enter(request: HttpRequest) -> HttpResponse:
    try:
        reader, mark = link_sessions.opened(request, "account")
    except tokens.TokenError:
        return link_sessions.closed(request, "account")
    if request.method != "POST":
        state = 200 if mark == str(reader.account_round) else 410
        return render(request, "subscriptions/enter.html", {"is_used": state == 410}, status=state)
    if not accounts.use_link(reader, mark):
        return render(request, "subscriptions/enter.html", {"is_used": True}, status=410)
    response = HttpResponseRedirect(reverse("account"))
    reader.refresh_from_db()
    _keep_open(response, reader)
    link_sessions.drop(response, "account")
    return response


def _keep_open(response: HttpResponse, reader: Subscriber) -> None:
    link_sessions.keep(response, OPEN, tokens.make(OPEN, urls.subject(reader, reader.account_round)), OPEN_FOR)


def _page(request: HttpRequest, reader: Subscriber, status: int = 200, **shown: Any) -> HttpResponse:
    context = {
        "reader": reader,
        "taste": questions.digest.profile_summary(reader),
        "form": AddressForm(initial={"email": ""}),
        "done": "",
        "trouble": "",
    } | shown
    response = render(request, "subscriptions/account.html", context, status=status)
    _keep_open(response, reader)
    return response


# -- one function a button --------------------------------------------------------------------------


def _move(request: HttpRequest, reader: Subscriber, now: datetime) -> HttpResponse:
    form = AddressForm(request.POST)
    if not form.is_valid():
        return _page(request, reader, 422, form=form)
    if not accounts.ask_new_address(reader, form.cleaned_data["email"], now):
        return _page(request, reader, 429, trouble="That was asked too often today. Try again tomorrow.")
    return _page(request, reader, done="Look in the inbox of the new address: the change waits for its confirmation.")


def _export(request: HttpRequest, reader: Subscriber, now: datetime) -> HttpResponse:
    if not limiter.take("export", reader.uuid.hex, now):
        return _page(request, reader, 429, trouble="You took several exports this hour. Try again in an hour.")
    if request.POST.get("form") == "opml":
        return _file(exports.opml(reader), "text/x-opml", "offprint.opml")
    document = json.dumps(services.export(reader), indent=2, ensure_ascii=False, default=str)
    return _file(document, "application/json", "offprint.json")


def _erase(request: HttpRequest, reader: Subscriber, now: datetime) -> HttpResponse:
    if request.POST.get("sure") != "yes":
        return _page(request, reader, 422, trouble="Tick the box beside the button first: erasing cannot be undone.")
    services.forget(reader, now)
    return _out(render(request, "subscriptions/erased.html"))


def _close(request: HttpRequest, reader: Subscriber, now: datetime) -> HttpResponse:
    return _out(HttpResponseRedirect(reverse("preferences")))


ACTS: dict[str, Callable[[HttpRequest, Subscriber, datetime], HttpResponse]] = {
    "move": _move,
    "export": _export,
    "erase": _erase,
    "close": _close,
}


def _out(response: HttpResponse) -> HttpResponse:
    for purpose in (OPEN, "account", "preferences"):
        link_sessions.drop(response, purpose)
    return response


def _file(text: str, kind: str, name: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(text, content_type=f"{kind}; charset=utf-8", headers=headers)


@link_sessions.private
@require_http_methods(["GET", "HEAD", "POST"])
def address(request: HttpRequest) -> HttpResponse:
    """The link that went to a new address: its button makes it the address."""
    try:
        reader, mark = link_sessions.opened(request, "address")
    except tokens.TokenError:
        return link_sessions.closed(request, "address")
    if not reader.new_email or mark != urls.address_mark(reader):
        return link_sessions.closed(request, "address")
    state = "ask"
    if request.method == "POST":
        try:
            state = "moved" if accounts.take_new_address(reader, timezone.now()) else "late"
        except accounts.AddressTakenError:
            state = "taken"
    context = {"state": state, "new_email": reader.new_email, "reader": reader}
    response = render(request, "subscriptions/address.html", context)
    if state == "moved":  # the page leads on to the preferences
        link_sessions.keep(response, "preferences", tokens.make("preferences", urls.subject(reader, reader.link_round)))
    return response
