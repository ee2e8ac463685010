"""The desk's one door: every page says which right it asks for, and how it may be called."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import admin
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.utils.http import urlencode

from digest.desk import roles
from digest.desk.pages.base import missing, refused
from digest.desk.roles import Right

View = Callable[..., HttpResponseBase]
SAFE = ("GET", "HEAD")


def door(right: Right | None = Right.VIEW, *, post: Right | None = None, get: bool = True) -> Callable[[View], View]:
    """A page open to `right` by GET, and (with `post`) an act for POST. `right=None` asks for a staff member only."""
    needed: dict[str, Right | None] = dict.fromkeys(SAFE, right) if get else {}
    if post is not None:
        needed["POST"] = post

    def wrap(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            turned_away = _turn_away(request, needed)
            try:
                response = turned_away if turned_away is not None else view(request, *args, **kwargs)
            except Http404 as error:
                response = missing(request, error)
            response.headers["Cache-Control"] = "no-store"
            return response

        vars(guarded)["needed"] = needed  # the tests' matrix of rights reads it
        return guarded

    return wrap


def _turn_away(request: HttpRequest, needed: dict[str, Right | None]) -> HttpResponse | None:
    held = roles.rights(request.user)
    if not request.user.is_authenticated:
        return redirect("/desk/sign-in/?" + urlencode({"next": request.path}))
    if not held:
        return refused(request, None)
    if roles.needs_second_factor(request.user):
        return redirect("desk-second")
    if request.method not in needed:
        return HttpResponseNotAllowed(sorted(needed))
    right = needed[request.method or "GET"]
    if right is not None and right not in held:
        return refused(request, right)
    refuse_nul(request)
    return None


def refuse_nul(request: HttpRequest) -> None:
    """No form of ours holds a NUL, and PostgreSQL stores none: an answer of 400, not of 500."""
    if any("\0" in value for values in request.POST.lists() for value in values[1]):
        raise BadRequest("A NUL character in a form.")


def guard_admin() -> None:
    """The stock admin lets in whom the desk lets in: same door, same second factor, same throttle."""
    plain = admin.site.has_permission

    def has_permission(request: HttpRequest) -> bool:
        return plain(request) and not roles.needs_second_factor(request.user)

    def login(request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if plain(request):
            return redirect("desk-second" if roles.needs_second_factor(request.user) else "admin:index")
        return redirect("/desk/sign-in/?" + urlencode({"next": request.GET.get("next") or "/admin/"}))

    admin.site.has_permission = has_permission  # type: ignore[method-assign]
    admin.site.login = login  # type: ignore[method-assign]
