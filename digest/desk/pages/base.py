"""What every page of the desk is given: who is here, what they may do, and what just happened."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone

from digest.desk import roles
from digest.desk.actor import NOBODY, Actor
from digest.desk.acts import edition_status
from digest.desk.acts.paper_acts import CuratingError, state_of
from digest.models import Edition
from subscriptions import kept_upload
from subscriptions.limits import client_prefix


def actor_of(request: HttpRequest) -> Actor:
    """Who sent the request, for an act and the audit log."""
    name = NOBODY
    if request.user.is_authenticated:
        name = request.user.get_username()
    return Actor(name, client_prefix.prefix_of(request))


def page(request: HttpRequest, template: str, status: int = 200, **context: Any) -> HttpResponse:
    """Render one of the desk's pages. `said` are the messages of the last act."""
    said = [{"level": message.level_tag, "text": str(message)} for message in messages.get_messages(request)]
    return _render(request, template, status, context | {"said": said})


def fragment(request: HttpRequest, template: str, **context: Any) -> HttpResponse:
    """A part of a page that is open already. What the last act said is left for the next whole page."""
    return _render(request, template, 200, context)


def _render(request: HttpRequest, template: str, status: int, context: dict[str, Any]) -> HttpResponse:
    given = {
        "rights": {str(right) for right in roles.rights(request.user)},
        "who": request.user.get_username(),
        "state_of": state_of,
        "has_factor": getattr(request.user, "is_verified", bool)(),
        "has_records": getattr(request.user, "is_staff", False),
    }
    return render(request, f"desk/{template}", context | given, status=status)


def fields(form: QueryDict, names: Iterable[str]) -> dict[str, str]:
    """What was typed into these fields, without space around it; empty where a field was not sent."""
    return {name: form.get(name, "").strip() for name in names}


def uploaded(request: HttpRequest, most: int) -> bytes:
    """The file that was chosen now, or the one that the page before carried; at most one byte more than `most`.

    Raises CuratingError where the carried file is damaged.
    """
    file = request.FILES.get("file")
    if file is not None:
        return bytes(file.read(most + 1))
    try:
        return kept_upload.unpacked(request.POST.get("carried", ""), most + 1)
    except ValueError as error:
        raise CuratingError("The file was lost on the way. Choose it again.") from error


class NotThereError(Http404):
    """What was asked for is not at the desk; the message says so to the person who asked."""


def edition_of(day: date) -> Edition:
    """The edition of the day, or the page that says there is none."""
    edition = Edition.objects.filter(date=day).first()
    if edition is None:
        now = timezone.now()
        says = f"There is no edition of {day:%-d %B %Y}"
        if day >= now.date():
            says += f" yet: the next one {edition_status.opening(now)}"
        raise NotThereError(f"{says}.")
    return edition


def missing(request: HttpRequest, error: Http404) -> HttpResponse:
    """The desk's own words for an address that leads nowhere."""
    why = str(error) if isinstance(error, NotThereError) else ""
    return page(request, "not_found.html", 404, current="", why=why)


def refused(request: HttpRequest, right: roles.Right | None) -> HttpResponse:
    """The desk's own words for a page or an act that the person's roles do not open."""
    return page(
        request,
        "forbidden.html",
        403,
        current="",
        mine=roles.of(request.user),
        whose=roles.with_right(right) if right else list(roles.ROLES),
    )


def carry_out(request: HttpRequest, done: str, act: Callable[..., object], *args: object) -> None:
    """Call `act(actor, *args)`. A message says what it answers (else `done`), or why it could not be done."""
    try:
        answer = act(actor_of(request), *args)
    except CuratingError as error:
        messages.error(request, str(error))
        return
    text = answer if isinstance(answer, str) else done
    if text:
        messages.success(request, text)


def act(request: HttpRequest, done: str, back: str, do: Callable[..., object], *args: object) -> HttpResponse:
    """Carry out an act and go back to the page it was asked from."""
    carry_out(request, done, do, *args)
    return redirect(back)
