"""Signing up and confirming."""

from __future__ import annotations

from datetime import datetime
from email.utils import parseaddr
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from subscriptions import questions, services
from subscriptions.forms import PreviewForm, ScheduleForm, SignupForm, choices
from subscriptions.limits import client_prefix, limiter
from subscriptions.links import link_sessions, tokens, urls
from subscriptions.models import SignupRequest, Subscriber
from subscriptions.signup import bot_check, requests
from subscriptions.wants import interests
from subscriptions.when import schedule, week

LISTS_FULL = (
    "Many files came in at this hour. Take yours off here and bring it later, on the page that every letter links to."
)


@link_sessions.private
@require_http_methods(["GET", "HEAD", "POST"])
def subscribe(request: HttpRequest) -> HttpResponse:
    """The signup page. `act=preview` shows the last weeks' papers for the wishes, before any address is given."""
    now = timezone.now()
    if request.method != "POST":
        form = _fresh_form(request)
        return _page(request, form, now, preview=_linked(form, now))
    wants_preview = request.POST.get("act") == "preview"
    form = SignupForm(request.POST, request.FILES, preview=wants_preview)
    is_valid = form.is_valid()
    if wants_preview:
        return _page(request, form, now, status=200 if is_valid else 422, preview=_preview(request, form, now))
    if not is_valid:
        return _page(request, form, now, status=422)
    return _sign_up(request, form, now)


@link_sessions.private
@require_POST
def preview(request: HttpRequest) -> HttpResponse:
    """The preview alone, as a piece of HTML, for a page that asks while the reader types."""
    form, now = PreviewForm(request.POST, request.FILES), timezone.now()
    form.full_clean()
    found = _preview(request, form, now)
    return render(request, "subscriptions/_preview.html", {"form": form, "preview": found})


def _fresh_form(request: HttpRequest) -> SignupForm:
    """Topics and a query may come with the link that led here (`?topic=speech&q=…`)."""
    wishes = {"topics": request.GET.getlist("topic")[:60], "queries": request.GET.get("q", "")[:500]}
    return SignupForm(initial=wishes | {"email": ""})


def _linked(form: SignupForm, now: datetime) -> questions.Preview | None:
    """What the wishes that came with the link would have brought. It costs no more than the search that led here."""
    sent = QueryDict(mutable=True)
    sent.setlist("topics", form.slugs)
    sent["queries"] = form["queries"].value()
    linked = PreviewForm(sent)
    if not linked.is_valid():
        return None
    form.wishes, form.sentences = linked.wishes, linked.sentences
    return questions.preview(form.wishes, now, form.described) if form.wishes or form.described else None


def _page(request: HttpRequest, form: SignupForm, now: datetime, status: int = 200, **shown: Any) -> HttpResponse:
    context = {"preview": None, "hurry": "", "busy": "", "challenge": "", "shown": "", "is_trapped": False} | shown
    context |= choices(form, now) | {
        "age": bot_check.carried(request.POST, now),
        "bits": bot_check.BITS,
        "trap": bot_check.TRAP,
        "current": "subscribe",
        "sender": _sender(),
    }
    return render(request, "subscriptions/subscribe.html", context, status=status)


def _preview(request: HttpRequest, form: PreviewForm, now: datetime) -> questions.Preview | None:
    """What could be read, previewed: one line with an error does not cost the others."""
    if not (form.wishes or form.described or form.liked) or not limiter.take(
        "preview", client_prefix.prefix_of(request), now
    ):
        return None
    return questions.preview(form.wishes, now, form.described, form.liked)


def _sign_up(request: HttpRequest, form: SignupForm, now: datetime) -> HttpResponse:
    """Checked in an order that says nothing about the address: the form, the visitor, the load."""
    if bot_check.is_honeypot_filled(request.POST):
        return _page(request, form, now, status=422, hurry=bot_check.TRAPPED, is_trapped=True)
    if hurry := bot_check.hurry(request.POST, now):
        return _page(request, form, now, status=422, hurry=hurry)
    if form.address.shown and request.POST.get("sure") != form.address.shown:
        return _page(request, form, now, status=422, shown=form.address.shown)
    network = client_prefix.prefix_of(request)
    if form.brought and not limiter.take_for_list(network, now):
        form.add_error("papers_file", LISTS_FULL)
        return _page(request, form, now, status=429)
    is_proved = bot_check.is_proof_of_work_solved(request.POST, now)
    if not limiter.take_for_signup(form.address, network, now, is_proved):
        return _busy(request, form, network, now)
    wishes = form.wanted | {"topics": form.slugs, "queries": [*filter(None, form.filters)], "paid": True}
    wishes |= {"description": form.described, "papers": form.cleaned_data["papers"]}
    wishes |= {"reading_list": form.reading_list} if form.brought else {}
    requests.store(SignupRequest.Kind.SIGNUP, form.address.typed, wishes, network, now)
    return render(request, "subscriptions/sent.html", _sent(form))


def _sent(form: SignupForm) -> dict[str, Any]:
    """What the answer shows, whoever reads at the address: it depends on nothing but what was sent."""
    return {
        "typed": form.address.typed,
        "sender": _sender(),
        "untaken": form.untaken,
        "is_empty": not (form.wishes or form.described or form.liked),
        "choices": _choices_again(form),
        "current": "subscribe",
    }


def _choices_again(form: SignupForm) -> list[tuple[str, str]]:
    """Every choice as hidden fields, so that a mistyped address costs none of them."""
    names = {"email", "queries", "description", "papers", *ScheduleForm.base_fields} - {"days"}
    sent = [(name, value) for name, value in form.data.items() if name in names and value]
    kept = [("papers_kept", form.brought.carried)] if form.brought else []
    days = [("days", str(number)) for number in week.numbers(form.cleaned_data["days"] or 0)]
    return [*sent, *(("topics", slug) for slug in form.slugs), *days, *kept]


def _sender() -> str:
    """The address that letters come from."""
    return parseaddr(settings.MAIL_FROM)[1]


def _busy(request: HttpRequest, form: SignupForm, network: str, now: datetime) -> HttpResponse:
    minutes = 1 + int(limiter.wait_for_signup(form.address, network, now).total_seconds()) // 60
    busy = f"Many people are signing up from where you are, or everywhere. The next place is free in {minutes} minutes."
    challenge = bot_check.challenge() if limiter.would_a_proof_help(form.address, network, now) else ""
    response = _page(request, form, now, status=429, busy=busy, challenge=challenge)
    response.headers["Retry-After"] = str(minutes * 60)
    return response


# -- confirming -----------------------------------------------------------------------------------


@link_sessions.private
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest) -> HttpResponse:
    """Shows what is about to begin; the button begins it. An expired link is renewed in place."""
    now = timezone.now()
    try:
        reader = link_sessions.current(link_sessions.subject(request, "confirm"))
    except tokens.ExpiredTokenError as old:
        return _renew(request, old, now)
    except tokens.TokenError:
        return link_sessions.closed(request, "confirm")
    if request.method == "POST" and request.POST.get("act") == "now":
        return _confirmed(request, reader, now, said=_send_now(reader, now))
    if request.method == "POST":
        services.confirm(reader, now, client_prefix.prefix_of(request))
    if reader.state == Subscriber.State.ACTIVE:
        return _confirmed(request, reader, now)
    context = {
        "reader": reader,
        "interests": interests.of(reader),
        "described": reader.descriptions.first(),
        "liked": reader.liked_papers.count(),
    }
    return render(request, "subscriptions/confirm.html", context)


def _send_now(reader: Subscriber, now: datetime) -> str:
    return questions.send_now(reader, now) if reader.state == Subscriber.State.ACTIVE else ""


def _confirmed(request: HttpRequest, reader: Subscriber, now: datetime, said: str = "") -> HttpResponse:
    """What is true now: the link may be opened again days later, when letters have come."""
    reader.refresh_from_db()
    is_due, has_letters = services.is_due(reader, now), any(one.papers for one in questions.history(reader, now))
    response = render(
        request,
        "subscriptions/confirmed.html",
        {
            "reader": reader,
            "next_letter": _local(reader, reader.next_digest_at or now),
            "is_due": is_due,
            "has_letters": has_letters,
            "said": said,
            "can_send_now": questions.can_send_now() and not (said or is_due or has_letters),
        },
    )
    link_sessions.keep(response, "preferences", _preferences_token(reader))
    return response


def _preferences_token(reader: Subscriber) -> str:
    return tokens.make("preferences", urls.subject(reader, reader.link_round))


def _local(reader: Subscriber, at: datetime) -> datetime:
    return at.astimezone(schedule.zone_of(reader.zone))


def _renew(request: HttpRequest, old: tokens.ExpiredTokenError, now: datetime) -> HttpResponse:
    """Genuine but old: whoever holds it had the letter, so a fresh one may be sent where that one went."""
    try:
        reader = link_sessions.current(old.subject)
    except tokens.TokenError:
        return link_sessions.closed(request, "confirm")
    sent = request.method == "POST"
    if sent and reader.state == Subscriber.State.PENDING:
        services.ask_to_confirm(reader, now)
    return render(request, "subscriptions/renew.html", {"sent": sent}, status=200 if sent else 410)
