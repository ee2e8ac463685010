"""Who may call a page of the desk: every page names the right it requires, and the methods it takes."""

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


def requires(right: Right = Right.VIEW, *, post: Right | None = None, get: bool = True) -> Callable[[View], View]:
    """A page open to `right` by GET, and (with `post`) an act for POST."""
    needed: dict[str, Right] = {}
    if get:
        needed = dict.fromkeys(SAFE, right)
    if post is not None:
        needed["POST"] = post

    def wrap(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
            try:
                response = refusal(request, needed) or view(request, *args, **kwargs)
            except Http404 as error:
                response = missing(request, error)
            response.headers["Cache-Control"] = "no-store"
            return response

        vars(guarded)["needed"] = needed  # the tests' matrix of rights reads it
        return guarded

    return wrap


def refusal(request: HttpRequest, needed: dict[str, Right]) -> HttpResponse | None:
    """The answer to whoever may not see the page or do the act; None to whoever may."""
    held = roles.rights(request.user)
    if not request.user.is_authenticated:
        return redirect("/desk/sign-in/?" + urlencode({"next": request.path}))
    if not held:
        return refused(request, None)
    if roles.needs_second_factor(request.user):
        return redirect("desk-second")
    if request.method not in needed:
        return HttpResponseNotAllowed(sorted(needed))
    right = needed[request.method]
    if right not in held:
        return refused(request, right)
    refuse_nul(request)
    return None


def refuse_nul(request: HttpRequest) -> None:
    """No form of ours holds a NUL, and PostgreSQL stores none: an answer of 400, not of 500."""
    for _, values in request.POST.lists():
        if any("\0" in value for value in values):
            raise BadRequest("A NUL character in a form.")


def guard_admin() -> None:
    """The stock admin lets in whom the desk lets in: same rights, same second factor, same limits."""
    plain = admin.site.has_permission

    def has_permission(request: HttpRequest) -> bool:
        return plain(request) and not roles.needs_second_factor(request.user)

    def login(request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if plain(request):
            return redirect("desk-second" if roles.needs_second_factor(request.user) else "admin:index")
        return redirect("/desk/sign-in/?" + urlencode({"next": request.GET.get("next") or "/admin/"}))

    admin.site.has_permission = has_permission  # type: ignore[method-assign]
    admin.site.login = login  # type: ignore[method-assign]
