"""The part of the preferences that tells of one's work: sentences, papers one likes, and what was learnt from them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.http import HttpRequest

from subscriptions import questions, signals
from subscriptions.forms import TasteForm
from subscriptions.limits import client_prefix, limiter
from subscriptions.models import Subscriber
from subscriptions.wants import liked_papers
from subscriptions.wants.interests import InterestError

LIKES = (("0", "not at all"), ("0.5", "a little"), ("1", "as usual"), ("2", "a lot"))
SHOWN = 50


def tell(request: HttpRequest, reader: Subscriber, form: TasteForm, now: datetime) -> str:
    """Keep the description, take the papers in, weigh the likes. In the caller's transaction. Raises InterestError."""
    _describe(reader, form.cleaned_data["description"], now)
    brought = _bring(request, reader, form, now)
    reader.likes_weight = weight_of(request, reader)
    reader.save(update_fields=["likes_weight"])
    if brought:
        signals.taste_changed.send(Subscriber, subscriber=reader, now=now, is_reset=False)
    return _outcome(brought)


def weight_of(request: HttpRequest, reader: Subscriber) -> float:
    """How much liked papers shall count: as chosen, or as before."""
    chosen = request.POST.get("likes_weight", "")
    return float(chosen) if chosen in dict(LIKES) else reader.likes_weight


def _bring(request: HttpRequest, reader: Subscriber, form: TasteForm, now: datetime) -> list[liked_papers.Imported]:
    """What was typed, and the file. Raises InterestError."""
    if form.brought and not limiter.take_for_list(client_prefix.prefix_of(request), now):
        raise InterestError("Many files came in at this hour. Bring this one in an hour.")
    lists = [text for text in (form.cleaned_data["papers"], form.reading_list) if text]
    return [liked_papers.bring(reader, text, now) for text in lists]


def _describe(reader: Subscriber, text: str, now: datetime) -> None:
    """The page has one box: it is the first description; an empty box takes that away."""
    first = reader.descriptions.first()
    if first is None:
        if text:
            liked_papers.describe(reader, text, now)
    elif not text:
        first.delete()
    elif text != first.text:
        liked_papers.rewrite(first, text, now)


def add(reader: Subscriber, sentences: Sequence[str], now: datetime) -> None:
    """Sentences typed among the filters join the description. Raises InterestError."""
    if sentences:
        first = reader.descriptions.first()
        _describe(reader, "\n".join([first.text, *sentences] if first else sentences), now)


def _outcome(brought: list[liked_papers.Imported]) -> str:
    if not brought:
        return "That is kept."
    added, known = sum(one.added for one in brought), sum(one.known for one in brought)
    said = f"{added} new, {known} known already"
    return f"Papers taken in: {said}. They count from the next night on."


def drop(request: HttpRequest, reader: Subscriber, now: datetime) -> dict[str, Any]:
    if not liked_papers.drop(reader, _number(request)):
        return {"trouble": "That paper is not on your list.", "status": 422}
    return {"done": "That paper no longer counts."}


def unsay(request: HttpRequest, reader: Subscriber, now: datetime) -> dict[str, Any]:
    if not questions.digest.take_back(reader, _number(request)):
        return {"trouble": "You have said nothing of that paper, or took it back already.", "status": 422}
    return {"done": "Taken back: it no longer counts."}


def _number(request: HttpRequest) -> int:
    """The paper a button names, as `drop:12`; 0 for none."""
    number = request.POST["act"].partition(":")[2]
    return int(number[:18]) if number.isdecimal() else 0


def reset(request: HttpRequest, reader: Subscriber, now: datetime) -> dict[str, Any]:
    """Descriptions, liked papers, answers from letters, and all that was learnt."""
    liked_papers.reset(reader, now)
    signals.taste_changed.send(Subscriber, subscriber=reader, now=now, is_reset=True)
    return {"done": "All of this is forgotten. Your topics and filters are as they were."}


def shown(reader: Subscriber) -> dict[str, Any]:
    """What the section needs."""
    first = reader.descriptions.first()
    return {
        "taste": questions.digest.profile_summary(reader),
        "taste_form": TasteForm(initial={"description": first.text if first else "", "papers": ""}),
        "liked": list(reader.liked_papers.order_by("-id")[:SHOWN]),
        "liked_count": reader.liked_papers.count(),
        "likes": LIKES,
        "untaken": (),
    }
