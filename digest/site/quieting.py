"""The page behind "why is this here?" in a letter: each reason with a button that does without it from now on."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from digest import muting
from digest.rendering import reading
from digest.site.reactions import opened
from subscriptions import doors, links


@csrf_exempt  # the link itself is the permission, as for the other buttons of a letter
@doors.private
@require_http_methods(["GET", "HEAD", "POST"])
def quiet(request: HttpRequest, token: str, paper: int) -> HttpResponse:
    """GET shows the reasons; POST with `reason` (its number, from 0) does without that one."""
    delivery, found = opened(token, paper)
    reasons = muting.reasons(delivery, paper)
    done = ""
    if request.method == "POST":
        kind, label = _chosen(request, reasons)
        muting.mute(delivery.subscriber, kind, label, timezone.now())
        done = SAYS.get(kind, f"“{label}” brings no more papers.")
    context = {
        "card": reading.card(found),
        "reasons": [(number, SHORT.get(kind, label)) for number, (kind, label) in enumerate(reasons)],
        "done": done,
        "preferences_url": links.preferences_url(delivery.subscriber),
    }
    response = render(request, "site/quiet.html", context)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


SHORT = {"community": "Community picks", "explore": "Papers from just outside what you follow"}
SAYS = {
    "community": "Community picks no longer come.",
    "explore": "Papers from just outside what you follow no longer come.",
}


def _chosen(request: HttpRequest, reasons: list[tuple[str, str]]) -> tuple[str, str]:
    number = request.POST.get("reason", "")
    if not number.isdecimal() or len(number) > 3 or int(number) >= len(reasons):
        raise Http404("no such reason")
    return reasons[int(number)]
