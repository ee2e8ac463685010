"""The page behind "why is this here?" in a letter: each reason with a button that does without it from now on."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from digest.letters import load
from digest.readers import mute
from digest.site.feedback_pages import opened
from subscriptions.links import link_sessions, urls


@csrf_exempt  # the link itself is the permission, as for the other buttons of a letter
@link_sessions.private
@require_http_methods(["GET", "HEAD", "POST"])
def quiet(request: HttpRequest, token: str, paper: int) -> HttpResponse:
    """GET shows the reasons; POST does without one (`reason`: its number from 0) or takes that back (`undo`)."""
    delivery, found = opened(token, paper)
    reasons = mute.reasons(delivery, paper)
    done = gone = ""
    if request.method == "POST" and "undo" in request.POST:
        done = STAYS
        if mute.restore(delivery.subscriber, request.POST["undo"], timezone.now()):
            done = "It is back, as it was."
    elif request.method == "POST":
        number = request.POST.get("reason", "")
        if not number.isdecimal() or len(number) > 3 or int(number) >= len(reasons):
            raise Http404("no such reason")
        kind, label = reasons[int(number)]
        gone = mute.mute(delivery.subscriber, kind, label, timezone.now())
        done = SAYS.get(kind, f"“{label}” brings no more papers.")
    context = {
        "gone": gone,
        "card": load.card(found),
        "reasons": [(number, SHORT.get(kind, label)) for number, (kind, label) in enumerate(reasons)],
        "done": done,
        "preferences_url": urls.preferences_url(delivery.subscriber),
    }
    response = render(request, "site/quiet.html", context)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


STAYS = "It could not be taken back: it is there already, or a day is over."
SHORT = {"community": "Community picks", "explore": "Papers from just outside what you follow"}
SAYS = {
    "community": "Community picks no longer come.",
    "explore": "Papers from just outside what you follow no longer come.",
}
