"""Signing in: name and password, then the second factor; setting it up; signing out."""

from __future__ import annotations

import segno
from django.contrib.auth import authenticate, login, logout
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django_otp import devices_for_user
from django_otp import login as otp_login
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from digest.desk import log, roles, signin
from digest.desk.access import refuse_nul
from subscriptions import networks

RECOVERY_CODES = 8
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
    return render(request, "desk/sign_in.html", {"error": "", "name": "", "next": following})


def _try(request: HttpRequest, following: str) -> HttpResponse:
    refuse_nul(request)
    name, now = request.POST.get("username", "")[:150], timezone.now()
    where = networks.of(request)
    context = {"name": name, "next": following}
    if not signin.allowed(name, where, now):
        return render(request, "desk/sign_in.html", context | {"error": SLOW}, status=429)
    user = authenticate(request, username=name, password=request.POST.get("password", "")[:1000])
    if user is None:
        signin.failed(name, where, now)
        return render(request, "desk/sign_in.html", context | {"error": WRONG}, status=400)
    signin.succeeded(name, where)
    login(request, user)
    request.session.set_expiry(WORKING_DAY)
    log.record(request, "sign in", f"person {user.get_username()}", now)
    return redirect("desk-second" if roles.needs_second_factor(request.user) else following)


def _safe_next(request: HttpRequest) -> str:
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    inside = url_has_allowed_host_and_scheme(wanted, allowed_hosts=None, require_https=request.is_secure())
    return wanted if inside and wanted.startswith("/") else reverse("desk")


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
    error, status = "", 200
    if request.method == "POST":
        name, where, now = request.user.get_username(), networks.of(request), timezone.now()
        if not signin.allowed(name, where, now):
            error, status = SLOW, 429
        elif _verified(request):
            signin.succeeded(name, where)
            return redirect("desk")
        else:
            signin.failed(name, where, now)
            error, status = WRONG_CODE, 400
    return render(request, "desk/second.html", {"error": error}, status=status)


def _verified(request: HttpRequest) -> bool:
    code = request.POST.get("code", "").strip().replace(" ", "")[:20]
    for device in devices_for_user(request.user):
        if device.verify_token(code):
            otp_login(request, device)
            return True
    return False


def _set_up(request: HttpRequest) -> HttpResponse:
    """A new secret as a picture and as text; it counts once a code made from it has been typed in."""
    device, _ = TOTPDevice.objects.get_or_create(user=request.user, confirmed=False, defaults={"name": "app"})
    error, status = "", 200
    if request.method == "POST":
        if device.verify_token(request.POST.get("code", "").strip().replace(" ", "")[:6]):
            return _finish(request, device)
        error, status = WRONG_CODE, 400
    picture = segno.make(device.config_url).svg_data_uri(scale=5, border=3, dark="#000", light="#fff")
    secret = _spelt(device)
    return render(
        request, "desk/second_setup.html", {"error": error, "picture": picture, "secret": secret}, status=status
    )


def _spelt(device: TOTPDevice) -> str:
    """The secret in base 32, in groups of four, for typing."""
    from base64 import b32encode

    plain = b32encode(device.bin_key).decode().rstrip("=")
    return " ".join(plain[start : start + 4] for start in range(0, len(plain), 4))


def _finish(request: HttpRequest, device: TOTPDevice) -> HttpResponse:
    device.confirmed = True
    device.save(update_fields=["confirmed"])
    recovery, _ = StaticDevice.objects.get_or_create(user=request.user, name="recovery")
    recovery.token_set.all().delete()
    codes = [StaticToken.random_token() for _ in range(RECOVERY_CODES)]
    for code in codes:
        recovery.token_set.create(token=code)
    otp_login(request, device)
    log.record(request, "set up second factor", f"person {request.user.get_username()}", timezone.now())
    return render(request, "desk/second_done.html", {"codes": codes})


@never_cache
def sign_out(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    if request.user.is_authenticated:
        log.record(request, "sign out", f"person {request.user.get_username()}", timezone.now())
    logout(request)
    return redirect("desk-signin")
