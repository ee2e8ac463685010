"""Any letter before it goes: as one reader, one topic or words typed now; both parts, light and dark, framed off."""

from __future__ import annotations

import re
from dataclasses import replace

from django.contrib import messages
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from digest.desk import audit_log, roles
from digest.desk.access import requires
from digest.desk.acts import parsing
from digest.desk.pages.base import actor_of, fields, page
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
PLAIN_TEXT = "text/plain; charset=utf-8"
LOOKS = ("light", "dark", "text")


@requires(Right.VIEW)
def preview(request: HttpRequest) -> HttpResponse:
    asked = fields(request.GET, ASKED)
    letter, problem = _written(request, asked)
    look = request.GET.get("look", "light")
    if look not in LOOKS:
        look = "light"
    papers = EditionPaper.objects.filter(edition=OuterRef("pk"))
    return page(
        request,
        "preview.html",
        current="preview",
        asked=asked,
        letter=letter,
        problem=problem,
        look=look,
        looks=LOOKS,
        width="phone" if request.GET.get("width") == "phone" else "desktop",
        frame=f"{reverse('desk-letter')}?{urlencode(asked | {'look': look})}",
        query=query_of(asked),
        topics=Topic.objects.filter(is_active=True).order_by("group", "name"),
        # The first is the one that is shown where none is chosen (`previews.edition`).
        editions=list(Edition.objects.filter(Exists(papers)).order_by("-date")[:14]),
    )


def query_of(asked: dict[str, str]) -> str:
    """What was asked for as the query of an address, without what is empty."""
    return urlencode({name: value for name, value in asked.items() if value})


def _written(request: HttpRequest, asked: dict[str, str], to: str = "", mark: str = "") -> tuple[Letter | None, str]:
    """The letter, or why there is none; `to` is the address of another than its reader."""
    now = timezone.now()
    queries = [text for text in (asked["topic"], asked["q"]) if text]
    try:
        reader = reader_of(asked["reader"], Right.OPERATE in roles.rights(request.user))
        edition = previews.edition(parsing.day(asked["date"]))
        wanted = previews.queries_or_own(reader, queries)
        reader.email = to or reader.email
        if wanted or reader.pk:
            return previews.preview(reader, wanted, edition, now, mark), ""
        return previews.sample(reader, edition, now, mark), ""
    except previews.PreviewError as error:
        return None, str(error)


def reader_of(text: str, by_address: bool) -> Subscriber:
    """By number for everybody at the desk; by address for those who may look readers up. Raises PreviewError."""
    if not text:
        return previews.stranger()
    if "@" in text and not by_address:
        raise previews.PreviewError("Only operators look readers up by address. Give the reader’s number.")
    found: Subscriber | None = None
    number = parsing.number(text)
    if number is not None:
        found = Subscriber.objects.filter(pk=number).first()
    elif by_address:
        try:
            found = Subscriber.objects.filter(email_key=addresses.canonical(text)).first()
        except addresses.AddressError:
            found = None
    if found is None:
        called = "with this number or address" if by_address else "with this number"
        raise previews.PreviewError(f"There is no reader {called}: {text[:100]}")
    return found


@requires(Right.VIEW)
def letter(request: HttpRequest) -> HttpResponse:
    """The letter alone, for the frame."""
    asked = fields(request.GET, ASKED)
    written, problem = _written(request, asked)
    look = request.GET.get("look", "light")
    if written is None:
        response = HttpResponse(problem, content_type=PLAIN_TEXT)
    elif look == "text":
        response = HttpResponse(written.text, content_type=PLAIN_TEXT)
    else:
        # As a dark or a light mailbox shows it, whatever this browser is set to.
        media = "@media all" if look == "dark" else "@media not all"
        response = HttpResponse(DARK.sub(media, written.html or written.text))
    response["Content-Security-Policy"] = letter_policy("frame-ancestors 'self'", "sandbox")
    response["X-Frame-Options"] = "SAMEORIGIN"
    return response


@requires(get=False, post=Right.CURATE)
def send(request: HttpRequest) -> HttpResponse:
    """The letter to the curator's own address, marked as a test."""
    asked = fields(request.POST, ASKED)
    back = f"{reverse('desk-preview')}?{query_of(asked)}"
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
