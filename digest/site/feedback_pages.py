"""Save, more like this, less like this: a link shows one button, the button acts, and each can be taken back.

Scanners open every link of a letter, so GET changes nothing. The link itself is the permission (it is
good for the papers of one letter only), so the POST needs no cookie and no CSRF token.
"""

from __future__ import annotations

from datetime import datetime

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from digest.letters import links, load
from digest.models import Delivery, Feedback, Paper, Saved
from subscriptions.links import link_sessions, tokens, urls
from subscriptions.models import Subscriber

ACTS = ("save", "more", "less")
VALUES = {"more": Feedback.Value.MORE, "less": Feedback.Value.LESS}


@link_sessions.private
@require_safe
def start(request: HttpRequest, token: str) -> HttpResponse:
    """The bare start of the action links leads nowhere by itself."""
    raise Http404("name a paper")


@link_sessions.private
@require_safe
def choose(request: HttpRequest, token: str, paper: int) -> HttpResponse:
    """All three buttons for one paper: the text letter's link."""
    delivery, found = opened(token, paper)
    return _page(request, token, delivery, found, "", "choose")


@csrf_exempt
@link_sessions.private
@require_http_methods(["GET", "HEAD", "POST"])
def act(request: HttpRequest, token: str, paper: int, act: str) -> HttpResponse:
    """GET shows the button; POST acts, or takes it back with `undo`."""
    delivery, found = opened(token, paper)
    if act not in ACTS:
        raise Http404("no such button")
    if request.method != "POST":
        return _page(request, token, delivery, found, act, "ask")
    if request.POST.get("do") == "undo":
        undo(delivery.subscriber, found, act)
        return _page(request, token, delivery, found, act, "undone")
    do(delivery.subscriber, found, act, timezone.now())
    return _page(request, token, delivery, found, act, "done")


def do(reader: Subscriber, paper: Paper, act: str, now: datetime) -> None:
    """Doing it twice is doing it once."""
    if act == "save":
        Saved.objects.get_or_create(subscriber=reader, paper=paper, defaults={"at": now})
    else:
        Feedback.objects.update_or_create(subscriber=reader, paper=paper, defaults={"value": VALUES[act], "at": now})


def undo(reader: Subscriber, paper: Paper, act: str) -> None:
    if act == "save":
        Saved.objects.filter(subscriber=reader, paper=paper).delete()
    else:
        Feedback.objects.filter(subscriber=reader, paper=paper, value=VALUES[act]).delete()


def opened(token: str, paper: int) -> tuple[Delivery, Paper]:
    """The letter of this link and the paper on it, else 404."""
    try:
        identity, mark = links.identity("act", token)
    except (tokens.TokenError, ValueError) as error:
        raise Http404("no such letter") from error
    delivery = Delivery.objects.select_related("subscriber").filter(uuid=identity).first()
    if delivery is None or paper not in {row.get("paper") for row in delivery.papers}:
        raise Http404("no such paper on this letter")
    reader = delivery.subscriber
    found = Paper.objects.filter(pk=paper).first()
    if found is None or reader.state == Subscriber.State.FORGOTTEN or not urls.is_current(reader, mark):
        raise Http404("no such paper on this letter")
    return delivery, found


def _page(request: HttpRequest, token: str, delivery: Delivery, paper: Paper, act: str, what: str) -> HttpResponse:
    context = {
        "card": load.card(paper),
        "act": act,
        "what": what,
        "start": f"/k/{token}/{paper.pk}",
        "saved_url": links.saved_url(delivery.subscriber),
    }
    response = render(request, "site/act.html", context)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
