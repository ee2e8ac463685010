"""What every page of the desk is given: who is here, what they may do, and what just happened."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from digest.desk import openness, roles
from digest.desk.curating import CuratingError, state_of
from digest.models import Edition


def page(request: HttpRequest, template: str, status: int = 200, **context: Any) -> HttpResponse:
    """Render one of the desk's pages. `said` are the messages of the last act."""
    context |= {
        "rights": {str(right) for right in roles.rights(request.user)},
        "who": request.user.get_username(),
        "state_of": state_of,
        "said": [{"level": message.level_tag, "text": str(message)} for message in messages.get_messages(request)],
    }
    return render(request, f"desk/{template}", context, status=status)


class NotThereError(Http404):
    """What was asked for is not at the desk; the message says so to the person who asked."""


def edition_of(day: date) -> Edition:
    """The edition of the day, or the page that says there is none."""
    edition = Edition.objects.filter(date=day).first()
    if edition is None:
        now = timezone.now()
        coming = f" yet: the next one {openness.opening(now)}" if day >= now.date() else ""
        raise NotThereError(f"There is no edition of {day:%-d %B %Y}{coming}.")
    return edition


def missing(request: HttpRequest, error: Http404) -> HttpResponse:
    """The desk's own words for an address that leads nowhere."""
    return page(request, "missing.html", 404, current="", why=str(error) if isinstance(error, NotThereError) else "")


def act(request: HttpRequest, done: str, back: str, do: Callable[[], Any]) -> HttpResponse:
    """Carry out `do`, say `done` or why not, and go back to the page it was asked from."""
    try:
        do()
    except CuratingError as error:
        messages.error(request, str(error))
    else:
        if done:
            messages.success(request, done)
    return redirect(back)
