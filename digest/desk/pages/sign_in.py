"""Signing in: name and password, then the second factor; setting it up; signing out."""

from __future__ import annotations

from base64 import b32encode
from datetime import datetime

import segno
from django.contrib.auth import authenticate, get_user_model, login, logout
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django_otp import devices_for_user
from django_otp import login as otp_login
from django_otp.models import Device
from django_otp.oath import TOTP
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice
from django_otp.util import random_hex

from digest.desk import audit_log, roles, sign_in_limits
from digest.desk.access import refuse_nul
from digest.desk.pages.base import actor_of

RECOVERY_CODES = 8
CUT = 2  # letters of a name nobody has that the log keeps
PENDING = "second_factor_in_the_making"
WORKING_DAY = 12 * 3600  # seconds a sign-in lasts
WRONG = "That name and password do not go together. Check both; capitals count in the password."
SLOW = "Too many tries. Wait a few minutes, then try again."
WRONG_CODE = "That code is not right, or was used already. Wait for the next one and try again."


@never_cache
@sensitive_post_parameters("password")
def sign_in(request: HttpRequest) -> HttpResponse:
    """GET shows the form; POST signs in. The answer to a wrong name and a wrong password is the same."""
    following = _safe_next(request)
    if request.method == "POST":
        return _try(request, following)
    if request.method not in {"GET", "HEAD"}:
        return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
    return _form(request, "", following)


def _form(request: HttpRequest, name: str, following: str, error: str = "", status: int = 200) -> HttpResponse:
    context = {"error": error, "name": name, "next": following}
    return render(request, "desk/sign_in.html", context, status=status)


def _try(request: HttpRequest, following: str) -> HttpResponse:
    refuse_nul(request)
    now = timezone.now()
    name = request.POST.get("username", "")[:150]
    password = request.POST.get("password", "")[:1000]
    attempt = sign_in_limits.attempt_of(request, name)
    if not sign_in_limits.allowed(attempt, now):
        _log_failure(request, "sign in: refused", name, now)
        return _form(request, name, following, SLOW, 429)
    user = authenticate(request, username=name, password=password)
    is_attacked = sign_in_limits.needs_second_factor(attempt, now)
    if user is None or (is_attacked and not any(devices_for_user(user))):
        sign_in_limits.failed(attempt, now)
        _log_failure(request, "sign in: failed", name, now)
        if is_attacked:
            return _form(request, name, following, SLOW, 429)
        return _form(request, name, following, WRONG, 400)
    login(request, user)
    request.session.set_expiry(WORKING_DAY)
    audit_log.record(actor_of(request), "sign in", f"person {user.get_username()}", now)
    if roles.needs_second_factor(user):
        return redirect("desk-second")  # forgiven only then, or each password would buy new guesses at the code
    sign_in_limits.succeeded(attempt)
    response = redirect(following)
    sign_in_limits.remember(response, name)
    return response


def _log_failure(request: HttpRequest, verb: str, name: str, now: datetime) -> None:
    """Log a try that failed or was refused. A name nobody has may be a password in the wrong box: it is cut."""
    who = actor_of(request)
    if not sign_in_limits.is_logged(who.network, verb.endswith("refused"), now):
        return
    if not get_user_model().objects.filter(username=name).exists():
        name = f"{name[:CUT]}…"
    audit_log.record(who, verb, f"person {name}", now)


def _safe_next(request: HttpRequest) -> str:
    """Where to go after signing in: an address of this site."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    is_ours = url_has_allowed_host_and_scheme(wanted, allowed_hosts=None, require_https=request.is_secure())
    if is_ours and wanted.startswith("/"):
        return wanted
    return reverse("desk")


@never_cache
def second(request: HttpRequest) -> HttpResponse:
    """The second factor: asked for, or set up by whoever has none yet."""
    if not request.user.is_authenticated:
        return redirect("desk-signin")
    if request.method not in {"GET", "HEAD", "POST"}:
        return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
    if any(devices_for_user(request.user)):
        return _ask(request)
    return _set_up(request)


def _ask(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return render(request, "desk/second_factor.html", {"error": ""})
    name = request.user.get_username()
    now = timezone.now()
    attempt = sign_in_limits.attempt_of(request, name)
    if not sign_in_limits.allowed(attempt, now):
        _log_failure(request, "second factor: refused", name, now)
        return render(request, "desk/second_factor.html", {"error": SLOW}, status=429)
    if not _verified(request):
        sign_in_limits.failed(attempt, now)
        _log_failure(request, "second factor: failed", name, now)
        return render(request, "desk/second_factor.html", {"error": WRONG_CODE}, status=400)
    sign_in_limits.succeeded(attempt)
    response = redirect("desk")
    sign_in_limits.remember(response, name)
    return response


def _verified(request: HttpRequest) -> bool:
    code = _code(request)
    with transaction.atomic():  # the devices are locked: a code counts once, even if it comes twice at a time
        for device in devices_for_user(request.user, for_verify=True):
            if device.verify_token(code):
                _enter(request, device)
                return True
    return False


def _code(request: HttpRequest) -> str:
    return request.POST.get("code", "").strip().replace(" ", "")[:20]


def _enter(request: HttpRequest, device: Device) -> None:
    """From here on the session may do more, so it gets a key that nobody can have seen before."""
    otp_login(request, device)
    request.session.cycle_key()


def _set_up(request: HttpRequest) -> HttpResponse:
    """A new secret as a picture and as text; it counts once a code made from it has been typed in.

    Until then it waits in this session alone: whoever knew only the password cannot have read it elsewhere.
    """
    key = request.session.setdefault(PENDING, random_hex())
    device = TOTPDevice(user=request.user, name="app", key=key)
    error = ""
    status = 200
    if request.method == "POST":
        if _fits(device, _code(request)):
            return _finish(request, device)
        error = WRONG_CODE
        status = 400
    picture = segno.make(device.config_url).svg_data_uri(scale=5, border=3, dark="#000", light="#fff")
    base32 = b32encode(device.bin_key).decode().rstrip("=")
    groups = [base32[start : start + 4] for start in range(0, len(base32), 4)]  # of four letters, for typing
    context = {"error": error, "picture": picture, "secret": " ".join(groups)}
    return render(request, "desk/second_factor_setup.html", context, status=status)


def _fits(device: TOTPDevice, code: str) -> bool:
    """Whether the code was made from the secret; it is then used up."""
    now = TOTP(device.bin_key, device.step, device.t0, device.digits)
    if not code.isascii() or not code.isdigit() or not now.verify(int(code), device.tolerance):
        return False
    device.last_t, device.drift = now.t(), now.drift
    return True


def _finish(request: HttpRequest, device: TOTPDevice) -> HttpResponse:
    with transaction.atomic():
        get_user_model().objects.select_for_update().get(username=request.user.get_username())
        if any(devices_for_user(request.user)):
            return redirect("desk-second")  # another session was first, and its device is asked for
        device.save()
    del request.session[PENDING]
    recovery, _ = StaticDevice.objects.get_or_create(user=request.user, name="recovery")
    recovery.token_set.all().delete()
    codes = [StaticToken.random_token() for _ in range(RECOVERY_CODES)]
    for code in codes:
        recovery.token_set.create(token=code)
    _enter(request, device)
    audit_log.record(actor_of(request), "set up second factor", f"person {request.user.get_username()}", timezone.now())
    response = render(request, "desk/recovery_codes.html", {"codes": codes})
    sign_in_limits.remember(response, request.user.get_username())
    return response


@never_cache
def sign_out(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    if request.user.is_authenticated:
        audit_log.record(actor_of(request), "sign out", f"person {request.user.get_username()}", timezone.now())
    logout(request)
    return redirect("desk-signin")
