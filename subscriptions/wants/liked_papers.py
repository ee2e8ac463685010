"""What readers tell of their work: sentences, and papers they like. All of it can be seen, edited and reset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from subscriptions import bibliography
from subscriptions.bibliography import BadEntry, ParseResult, Reference
from subscriptions.bibliography.entries import identifier
from subscriptions.models import Consent, Description, LikedPaper, Subscriber
from subscriptions.query import tokenizer
from subscriptions.wants.interests import InterestError

LONGEST_DESCRIPTION = 50_000
MOST_DESCRIPTIONS = 5
MOST_LIKED = 5000
MOST_WEIGHT = 4.0


@dataclass(frozen=True)
class Imported:
    """What became of a reading list: how many papers are new here, how many were known, which could not be taken."""

    origin: str
    added: int
    known: int
    bad: tuple[BadEntry, ...]


def describe(subscriber: Subscriber, text: str, now: datetime, weight: float = 1.0) -> Description:
    """Add a description. Raises `InterestError` where there is nothing in it, or too much."""
    if subscriber.descriptions.count() >= MOST_DESCRIPTIONS:
        raise InterestError(f"You have {MOST_DESCRIPTIONS} descriptions, which is the most. Change one of them.")
    with transaction.atomic():
        row = subscriber.descriptions.create(text=_checked(text), weight=weigh(weight), created_at=now)
        _prove(subscriber, now)
    return row


def rewrite(description: Description, text: str, now: datetime, weight: float | None = None) -> None:
    """Change a description's sentences or weight. Raises `InterestError`."""
    description.text = _checked(text)
    description.weight = description.weight if weight is None else weigh(weight)
    description.save(update_fields=["text", "weight"])
    _prove(description.subscriber, now)


def like(subscriber: Subscriber, text: str, now: datetime, is_liked: bool = True) -> LikedPaper:
    """One paper by arXiv id, DOI or link. Raises `InterestError` where the text holds none."""
    name = identifier(text)
    if not name:
        raise InterestError("This is neither an arXiv id nor a DOI nor a link to one. Example: 2504.02302")
    row, _ = subscriber.liked_papers.update_or_create(
        identifier=name,
        defaults={"is_liked": is_liked},
        create_defaults={"is_liked": is_liked, "origin": "site", "at": now},
    )
    return row


def bring(subscriber: Subscriber, content: str | bytes, now: datetime) -> Imported:
    """Take a reading list in: BibTeX, RIS, or ids and links. Good entries are taken, bad ones are named.

    Raises `InterestError` where there is nothing to take from, or the reader would hold too many.
    """
    try:
        shelf = bibliography.read(content)
    except bibliography.ListError as error:
        raise InterestError(str(error)) from error
    with transaction.atomic():
        known = set(subscriber.liked_papers.values_list("identifier", flat=True))
        new = [one for one in shelf.references if one.identifier not in known]
        if len(known) + len(new) > MOST_LIKED:
            raise InterestError(f"Together these would be more than {MOST_LIKED} papers. Bring a part of them.")
        _shelve(subscriber, shelf, known, now)
        _prove(subscriber, now)
    return Imported(shelf.origin, len(new), len(shelf.references) - len(new), shelf.bad)


def replace(subscriber: Subscriber, description: str, lists: Sequence[str], now: datetime) -> None:
    """What a signup tells takes the place of what an earlier one told. Raises `InterestError`."""
    with transaction.atomic():
        subscriber.descriptions.all().delete()
        subscriber.liked_papers.all().delete()
        if description.strip():
            describe(subscriber, description, now)
        for papers in lists:
            if papers.strip():
                bring(subscriber, papers, now)


def described(subscriber: Subscriber) -> str:
    """Their descriptions as one text."""
    return "\n".join(subscriber.descriptions.values_list("text", flat=True))


def named(subscriber: Subscriber) -> list[Reference]:
    """The papers they like, as a preview takes them."""
    rows = subscriber.liked_papers.filter(is_liked=True)
    return [Reference(identifier, title) for identifier, title in rows.values_list("identifier", "title")]


def drop(subscriber: Subscriber, paper: int) -> bool:
    """Forget one liked paper; whether it was there."""
    return bool(subscriber.liked_papers.filter(pk=paper).delete()[0])


def reset(subscriber: Subscriber, now: datetime) -> None:
    """Forget every description and every liked paper, and weigh likes as at the start."""
    with transaction.atomic():
        subscriber.descriptions.all().delete()
        subscriber.liked_papers.all().delete()
        Subscriber.objects.filter(pk=subscriber.pk).update(likes_weight=1.0)
        _prove(subscriber, now)
    subscriber.likes_weight = 1.0


def weigh(weight: float) -> float:
    """A weight between 0 (off) and `MOST_WEIGHT`. Raises `InterestError`."""
    if not 0 <= weight <= MOST_WEIGHT:
        raise InterestError(f"A weight lies between 0 (off) and {MOST_WEIGHT:g}.")
    return float(weight)


def _checked(text: str) -> str:
    text = tokenizer.storable(text.strip())
    if len(text) > LONGEST_DESCRIPTION:
        raise InterestError(
            f"This is {len(text):,} characters long; {LONGEST_DESCRIPTION:,} is the most. A few sentences do best."
        )
    if not tokenizer.tokens(text):
        raise InterestError("Write a few words about your work, such as: I study how children learn to read.")
    return text


def _shelve(subscriber: Subscriber, shelf: ParseResult, known: set[str], now: datetime) -> None:
    LikedPaper.objects.bulk_create(
        LikedPaper(
            subscriber=subscriber,
            identifier=one.identifier[:300],
            title=one.title[:1000],
            abstract=one.abstract,
            authors=list(one.authors[:200]),
            origin=shelf.origin,
            at=now,
        )
        for one in shelf.references
        if one.identifier not in known
    )


def _prove(subscriber: Subscriber, now: datetime) -> None:
    Consent.objects.create(subscriber=subscriber, act="changed", at=now, wording="interests")
