"""Any letter before it goes: as one reader, one topic or words typed now; both parts, light and dark, framed off."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from digest.desk import audit_log, roles
from digest.desk.access import door
from digest.desk.acts import parsing
from digest.desk.pages.base import actor_of, page
from digest.desk.roles import Right
from digest.letters import previews
from digest.letters.policy import letter_policy
from digest.models import Edition, EditionPaper
from subscriptions import addresses
from subscriptions.mail import outgoing
from subscriptions.mail.outgoing import Letter
from subscriptions.models import Subscriber, Topic

DARK = re.compile(r"@media\s*\(\s*prefers-color-scheme\s*:\s*dark\s*\)")
# The letter is as hostile as its sources: no script, no form, no frame, nothing fetched, an origin of its own.
ASKED = ("reader", "topic", "q", "date")
LOOKS = ("light", "dark", "text")


@door(Right.VIEW)
def preview(request: HttpRequest) -> HttpResponse:
    asked = {name: request.GET.get(name, "").strip() for name in ASKED}
    letter, problem = _written(request, asked)
    look = request.GET.get("look", "light")
    return page(
        request,
        "preview.html",
        current="preview",
        asked=asked,
        letter=letter,
        problem=problem,
        look=look if look in LOOKS else "light",
        looks=LOOKS,
        width="phone" if request.GET.get("width") == "phone" else "desktop",
        frame=f"{reverse('desk-letter')}?{urlencode(asked | {'look': look})}",
        query=urlencode({name: value for name, value in asked.items() if value}),
        topics=Topic.objects.filter(is_active=True).order_by("group", "name"),
        editions=_editions(),
    )


def _editions() -> list[Edition]:
    """Those with papers; the first is the one that is shown where none is chosen (`previews.edition`)."""
    papers = EditionPaper.objects.filter(edition=OuterRef("pk"))
    return list(Edition.objects.filter(Exists(papers)).order_by("-date")[:14])


def _written(request: HttpRequest, asked: dict[str, str], to: str = "", mark: str = "") -> tuple[Letter | None, str]:
    """The letter, or why there is none; `to` is the address of another than its reader."""
    try:
        reader = _reader(asked["reader"], Right.OPERATE in roles.rights(request.user))
        of = previews.edition(parsing.day(asked["date"]))
        wanted = previews.wants_or_own(reader, [text for text in (asked["topic"], asked["q"]) if text])
        reader.email = to or reader.email
        now = timezone.now()
        if wanted or reader.pk:
            return previews.preview(reader, wanted, of, now, mark), ""
        return previews.sample(reader, of, now, mark), ""
    except previews.PreviewError as error:
        return None, str(error)


def _reader(text: str, by_address: bool) -> Subscriber:
    """By number for everybody at the desk; by address for those who may look readers up."""
    if not text:
        return previews.stranger()
    if "@" in text and not by_address:
        raise previews.PreviewError("Only operators look readers up by address. Give the reader’s number.")
    known = _known(text)
    found = Subscriber.objects.filter(**known).first() if known else None
    if found is None:
        called = "with this number or address" if by_address else "with this number"
        raise previews.PreviewError(f"There is no reader {called}: {text[:100]}")
    return found


def _known(text: str) -> dict[str, Any]:
    """What the reader is looked up by; nothing for what is neither a number nor an address."""
    number = parsing.number(text)
    if number is not None:
        return {"pk": number}
    try:
        return {"email_key": addresses.canonical(text)}
    except addresses.AddressError:
        return {}


@door(Right.VIEW)
def letter(request: HttpRequest) -> HttpResponse:
    """The letter alone, for the frame."""
    written, problem = _written(request, {name: request.GET.get(name, "").strip() for name in ASKED})
    look = request.GET.get("look", "light")
    if written is None or look == "text":
        text = written.text if written else problem
        response = HttpResponse(text, content_type="text/plain; charset=utf-8")
    else:
        response = HttpResponse(_in_light(written.html or written.text, look))
    response["Content-Security-Policy"] = letter_policy("frame-ancestors 'self'", "sandbox")
    response["X-Frame-Options"] = "SAMEORIGIN"
    return response


def _in_light(html: str, look: str) -> str:
    """The letter as a dark or a light mailbox shows it, whatever this browser is set to."""
    return DARK.sub("@media all" if look == "dark" else "@media not all", html)


@door(get=False, post=Right.CURATE)
def send(request: HttpRequest) -> HttpResponse:
    """The letter to the curator's own address, marked as a test."""
    asked: dict[str, Any] = {name: request.POST.get(name, "").strip() for name in ASKED}
    back = f"{reverse('desk-preview')}?{urlencode({name: value for name, value in asked.items() if value})}"
    to = getattr(request.user, "email", "")
    written, problem = _written(request, asked, to, previews.TEST)
    if not to or written is None:
        messages.error(request, problem or "Your account has no address. An admin can give it one under Records.")
        return redirect(back)
    receipt = outgoing.send(replace(written, tags=("test",), stream="notice"))
    audit_log.record(
        actor_of(request), "send test", "letter to self", timezone.now(), {}, {"outcome": receipt.outcome.value}
    )
    if receipt.outcome == outgoing.Outcome.ACCEPTED:
        messages.success(request, "Sent to your own address.")
    else:
        messages.error(request, f"Not sent: {receipt.outcome.value} {receipt.detail}")
    return redirect(back)
