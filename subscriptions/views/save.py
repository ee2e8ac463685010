"""Interests, work and times stand in one form: whichever of its buttons is pressed, all that was changed is kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.forms import Form
from django.http import HttpRequest

from subscriptions import services
from subscriptions.forms import ScheduleForm, TasteForm, WishesForm
from subscriptions.models import Subscriber
from subscriptions.views import liked_papers
from subscriptions.wants import interests

# In the order they are kept: sentences among the filters join the description that was typed.
TITLES = {
    "taste": "Your work, and what was learnt",
    "interests": "What you want to see",
    "schedule": "When and how much",
}
FORMS = {"taste": "taste_form", "interests": "wishes_form", "schedule": "schedule_form"}


class _RefusedError(Exception):
    """One part cannot be kept, so none is; its form says why."""


def keep(request: HttpRequest, reader: Subscriber, now: datetime) -> dict[str, Any]:
    """Keep the part whose button was pressed, and what was changed in those that were sent with it."""
    pressed, forms = request.POST["act"], _typed(request, reader)
    try:
        if any(form.errors for form in forms.values()):
            raise _RefusedError
        with transaction.atomic():
            said = [
                KEEP[part](request, reader, form, now)
                for part, form in forms.items()
                if part == pressed or CHANGED[part](request, reader, form)
            ]
    except _RefusedError:
        return _refused(pressed, forms)
    return {"done": " ".join(said), "untaken": forms["taste"].untaken if "taste" in forms else ()}


def unkept(request: HttpRequest, reader: Subscriber) -> dict[str, Any]:
    """After a button that keeps none of it: what had been typed, to be shown as it was."""
    forms = {part: form for part, form in _typed(request, reader).items() if CHANGED[part](request, reader, form)}
    if request.POST.get("act") == "reset":
        forms.pop("taste", None)  # the reader just had it forgotten
    return {FORMS[part]: form for part, form in forms.items()} | {"unkept": bool(forms)}


def _typed(request: HttpRequest, reader: Subscriber) -> dict[str, Any]:
    """The forms of the parts that were sent; a part not sent was not emptied."""
    sent = {*request.POST.getlist("part"), request.POST.get("act", "")}
    forms: dict[str, Callable[[], Form]] = {
        "taste": lambda: TasteForm(request.POST, request.FILES),
        "interests": lambda: WishesForm(request.POST),
        "schedule": lambda: ScheduleForm(request.POST, reader=reader),
    }
    return {part: form() for part, form in forms.items() if part in sent}


def _refused(pressed: str, forms: dict[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {FORMS[part]: form for part, form in forms.items()}
    elsewhere = [TITLES[part] for part, form in forms.items() if form.errors and part != pressed]
    if elsewhere:
        shown["trouble"] = f"Nothing is kept yet: see what stands under “{elsewhere[0]}”."
    return shown | {"status": 422}


# -- the three parts: whether it was changed, and how it is kept -------------------------------------


def _keep_interests(request: HttpRequest, reader: Subscriber, form: WishesForm, now: datetime) -> str:
    try:
        interests.change(reader, _weighed(request, reader, form), now)
        liked_papers.add(reader, form.sentences, now)
    except interests.InterestError as error:
        form.add_error("queries", error.message)
        raise _RefusedError from error
    moved = " What reads as a sentence stands in your description now." if form.sentences else ""
    return f"Your interests are kept. The next letter follows them.{moved}"


def _keep_taste(request: HttpRequest, reader: Subscriber, form: TasteForm, now: datetime) -> str:
    try:
        return liked_papers.tell(request, reader, form, now)
    except interests.InterestError as error:
        form.add_error("papers", error.message)
        raise _RefusedError from error


def _keep_schedule(request: HttpRequest, reader: Subscriber, form: ScheduleForm, now: datetime) -> str:
    services.set_schedule(reader, now, **form.wanted)
    return "Your times are kept."


def _new_interests(request: HttpRequest, reader: Subscriber, form: WishesForm) -> bool:
    if not form.is_valid() or form.sentences:
        return True
    kept = {(one.filter.text, one.weight, one.muted) for one in interests.of(reader)}
    return kept != {(one.canonical, one.weight, one.muted) for one in _weighed(request, reader, form)}


def _new_taste(request: HttpRequest, reader: Subscriber, form: TasteForm) -> bool:
    first = reader.descriptions.first()
    said = form["description"].value() or ""
    return (
        not form.is_valid()
        or bool(form.liked)
        or said.strip().splitlines() != (first.text.splitlines() if first else [])
        or liked_papers.weight_of(request, reader) != reader.likes_weight
    )


def _new_schedule(request: HttpRequest, reader: Subscriber, form: ScheduleForm) -> bool:
    return not form.is_valid() or any(getattr(reader, name) != value for name, value in form.wanted.items())


def _weighed(request: HttpRequest, reader: Subscriber, form: WishesForm) -> list[interests.Wish]:
    weights = {one.filter.text: request.POST.get(f"weight-{one.pk}", "") for one in interests.of(reader)}
    return interests.weigh(form.wishes, weights)


KEEP: dict[str, Callable[..., str]] = {
    "taste": _keep_taste,
    "interests": _keep_interests,
    "schedule": _keep_schedule,
}
CHANGED: dict[str, Callable[..., bool]] = {
    "taste": _new_taste,
    "interests": _new_interests,
    "schedule": _new_schedule,
}
