"""What every page of the desk is given: who is here, what they may do, and what just happened."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from digest.desk import roles
from digest.desk.curating import CuratingError
from digest.models import Edition


def page(request: HttpRequest, template: str, status: int = 200, **context: Any) -> HttpResponse:
    """Render one of the desk's pages. `said` are the messages of the last act."""
    context |= {
        "rights": {str(right) for right in roles.rights(request.user)},
        "who": request.user.get_username(),
        "said": [{"level": message.level_tag, "text": str(message)} for message in messages.get_messages(request)],
    }
    return render(request, f"desk/{template}", context, status=status)


def edition_of(day: date) -> Edition:
    """The edition of the day, or the page that says there is none."""
    edition = Edition.objects.filter(date=day).first()
    if edition is None:
        raise Http404(f"There is no edition of {day}.")
    return edition


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
