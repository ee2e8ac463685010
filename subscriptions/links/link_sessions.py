"""How a link from a letter becomes a page: the token goes into a cookie, the address bar shows a clean address.

So no token stays in the browser's history, leaves in a Referer, or lands in the next request's log.
A GET only sets that cookie: nothing is changed before a button is pressed.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Concatenate, ParamSpec

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from subscriptions.links import tokens, urls
from subscriptions.models import Subscriber

Rest = ParamSpec("Rest")
View = Callable[Concatenate[HttpRequest, Rest], HttpResponse]
KEPT_FOR = timedelta(hours=12)


def private(view: View[Rest]) -> View[Rest]:
    """No cache keeps the page, and no other site learns where its visitor came from."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Rest.args, **kwargs: Rest.kwargs) -> HttpResponse:
        response = view(request, *args, **kwargs)
        response.headers["Cache-Control"] = "no-store, private"
        response.headers["X-Robots-Tag"] = "noindex, nofollow"
        # A form's POST from a no-referrer page carries `Origin: null`, which the CSRF check must refuse,
        # so clean pages say same-origin, and pages with a token in their address say no-referrer.
        response.headers.setdefault("Referrer-Policy", "same-origin")
        return response

    return guarded


def cookie(purpose: str) -> str:
    """`__Host-` makes browsers refuse it from a sub-domain or without TLS (needs TLS to be set at all)."""
    return f"{'__Host-' if settings.PUBLIC else ''}{purpose}-link"


def enter(purpose: str, page: str) -> Callable[..., HttpResponse]:
    """A view for `/x/<token>/`: keeps the token, leads on to the page called `page`."""

    @private
    @require_safe
    def door(request: HttpRequest, token: str) -> HttpResponse:
        response = HttpResponseRedirect(reverse(page))
        keep(response, purpose, token)
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    return door


def keep(response: HttpResponse, purpose: str, token: str, life: timedelta = KEPT_FOR) -> None:
    response.set_cookie(
        cookie(purpose),
        token[: tokens.MAX_LENGTH],
        max_age=life,
        secure=settings.PUBLIC,
        httponly=True,
        samesite="Lax",
    )


def drop(response: HttpResponse, purpose: str) -> None:
    response.delete_cookie(cookie(purpose), samesite="Lax")


def opened(request: HttpRequest, purpose: str) -> tuple[Subscriber, str]:
    """The reader and the round in this visitor's link; raises `TokenError`."""
    return reader(subject(request, purpose))


def subject(request: HttpRequest, purpose: str) -> str:
    """What this visitor's link speaks of; raises `TokenError`."""
    return tokens.read(purpose, request.COOKIES.get(cookie(purpose), ""))


def reader(subject: str) -> tuple[Subscriber, str]:
    """Whoever a genuine token speaks of; raises `BadTokenError` where they have been erased."""
    identity, mark = urls.owner(subject)
    found = Subscriber.objects.filter(uuid=identity).exclude(state=Subscriber.State.FORGOTTEN).first()
    if found is None:
        raise tokens.BadTokenError("nobody is here any more")
    return found, mark


def current(subject: str) -> Subscriber:
    """Whoever a genuine token of the reader's present round speaks of; raises `BadTokenError` for an earlier one."""
    found, mark = reader(subject)
    if not urls.is_current(found, mark):
        raise tokens.BadTokenError("the link was made before the reader had a new address or new links")
    return found


def closed(request: HttpRequest, purpose: str) -> HttpResponse:
    """The page for a link that opens nothing: says why that happens, and offers a fresh one."""
    had_link = cookie(purpose) in request.COOKIES
    return render(request, "subscriptions/closed.html", {"had_link": had_link}, status=404 if had_link else 200)
