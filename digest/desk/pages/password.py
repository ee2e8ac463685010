"""Changing one's own password: the old one is asked for, and guesses at it are throttled like those at the sign-in."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import get_user_model, update_session_auth_hash
from django.contrib.auth.forms import PasswordChangeForm
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters

from digest.desk import audit_log, sign_in_limits
from digest.desk.access import requires
from digest.desk.pages.base import actor_of, page
from digest.desk.roles import Right

SLOW = "Too many tries. Wait a few minutes, then try again."
LONGEST = 1000  # letters of a password that are looked at


@sensitive_post_parameters()
@requires(Right.VIEW, post=Right.VIEW)
def change(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return page(request, "password.html", current="")
    name = request.user.get_username()
    now = timezone.now()
    attempt = sign_in_limits.attempt_of(request, name)
    if not sign_in_limits.allowed(attempt, now):
        return page(request, "password.html", 429, current="", problems=[SLOW])
    user = get_user_model().objects.get(username=name)
    typed = {field: text[:LONGEST] for field, text in request.POST.items()}
    form = PasswordChangeForm(user, typed)
    if not form.is_valid():
        if "old_password" in form.errors:
            sign_in_limits.failed(attempt, now)
        problems = [text for texts in form.errors.values() for text in texts]
        return page(request, "password.html", 400, current="", problems=problems)
    with transaction.atomic():
        update_session_auth_hash(request, form.save())  # other sessions of this person end; this one goes on
        audit_log.record(actor_of(request), "change password", f"person {name}", now)
    messages.success(request, "Your password is changed. Wherever else you were signed in, you are not any more.")
    return redirect("desk")
