"""Every night: where papers lie beside one another, and what each reader's likes say of it.

A profile is only a summary of likes that are kept elsewhere: it may be thrown away and built again at any time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

import numpy as np
from django.db import transaction
from django.db.models import Q

from digest.matching import embeddings, liked_profile
from digest.matching.interest_query import Learned
from digest.matching.liked_profile import Background, Liked, LikedProfile
from digest.matching.lsa import LsaModel
from digest.matching.paper_text import PaperText
from digest.matching.serialize import pack_model, pack_profile, unpack_model, unpack_profile
from digest.models import Feedback, Identifier, Paper, Profile, StoredLsaModel
from subscriptions.models import LikedPaper

CORPUS = 20_000
SHARED = 2_000
FEWEST = 30
EVERY = timedelta(hours=20)
CHUNK = 500
MOST_LIKES = 400


@dataclass(frozen=True)
class Refit:
    """What a night's work came to: papers in the space, readers with a profile."""

    papers: int
    readers: int


@dataclass(frozen=True)
class _Said:
    """One paper a reader spoke of, as text."""

    paper: PaperText
    value: float
    at: datetime


def refit_if_due(now: datetime) -> Refit | None:
    """The nightly refit, when the last one is old enough; None when it is not."""
    last = StoredLsaModel.objects.order_by("-pk").first()
    return None if last and last.built_at > now - EVERY else refit(now)


def refit(now: datetime) -> Refit:
    """Build the space over the newest papers and every reader's profile in it. Old ones go when all is there."""
    loaded = embeddings.usable()
    name = loaded.name if loaded else ""
    papers = _corpus(name)
    if len(papers) < FEWEST:
        return Refit(len(papers), 0)
    space = LsaModel.build(papers, encoder=name)
    drawn = np.random.default_rng(len(papers)).choice(len(papers), min(SHARED, len(papers)), replace=False)
    shared = space.vectors([papers[place] for place in np.sort(drawn).tolist()])
    background = Background.of(space, shared)
    landscape = StoredLsaModel.objects.create(
        built_at=now, papers=len(papers), encoder=space.encoder, payload=pack_model(space)
    )
    readers = 0
    for chunk in _chunks(_readers()):
        readers += _fit(chunk, landscape, space, background, now)
    Profile.objects.exclude(landscape=landscape).delete()
    StoredLsaModel.objects.exclude(pk=landscape.pk).delete()
    return Refit(len(papers), readers)


def refresh(subscriber: int, now: datetime) -> bool:
    """Fit one reader anew, in the space there is: at once after they named papers. False where there is no space."""
    landscape = StoredLsaModel.objects.order_by("-pk").first()
    if landscape is None:
        return False
    space = _space(landscape.pk, landscape.built_at)
    newest = _corpus(landscape.encoder, SHARED)
    background = Background.of(space, space.vectors(newest))
    if not _fit([subscriber], landscape, space, background, now):
        Profile.objects.filter(subscriber=subscriber).delete()
    return True


def learned(subscribers: Sequence[int]) -> dict[int, Learned]:
    """The profiles of these readers, of those who have one; one query."""
    rows = Profile.objects.filter(subscriber__in=subscribers)
    columns = ("subscriber_id", "payload", "landscape_id", "landscape__built_at")
    return {pk: Learned(unpack_profile(payload), _space(*which)) for pk, payload, *which in rows.values_list(*columns)}


def unlearn(subscriber: int, title: str) -> None:
    """Name a liked paper no more, at once; without a last one there is no profile. The night fits the rest anew."""
    row = Profile.objects.filter(subscriber=subscriber).first()
    left = row and liked_profile.without(unpack_profile(row.payload), title)
    if row and left:
        Profile.objects.filter(pk=row.pk).update(payload=pack_profile(left))
    elif row:
        row.delete()


@lru_cache(maxsize=2)
def _space(landscape: int, built_at: datetime) -> LsaModel:
    """Kept in the process: `built_at` tells a restored database's landscape from ours of the same number."""
    return unpack_model(StoredLsaModel.objects.values_list("payload", flat=True).get(pk=landscape))


def _corpus(encoder: str, most: int = CORPUS) -> list[PaperText]:
    """The newest papers as texts."""
    newest = Paper.objects.filter(is_withdrawn=False, merged_into=None).order_by("-id")[:most]
    columns = ("id", "title", "abstract", "authors", "categories")
    return embeddings.with_embeddings([_text(*row) for row in newest.values_list(*columns)], encoder)


def _text(pk: int, title: str, abstract: str, authors: Iterable[str], categories: Iterable[str]) -> PaperText:
    return PaperText(pk, title, abstract, tuple(authors), tuple(categories))


def _readers() -> list[int]:
    """Everybody who named a paper or answered one."""
    named = LikedPaper.objects.values_list("subscriber_id", flat=True).distinct()
    answered = Feedback.objects.values_list("subscriber_id", flat=True).distinct()
    return sorted({*named, *answered})


def _chunks(readers: list[int]) -> Iterator[list[int]]:
    return (readers[low : low + CHUNK] for low in range(0, len(readers), CHUNK))


def _fit(readers: list[int], landscape: StoredLsaModel, space: LsaModel, background: Background, now: datetime) -> int:
    """Profiles for some readers; how many have one now. A paper that several of them liked is read once."""
    latest = {
        reader: sorted(said, key=lambda one: one.at, reverse=True)[:MOST_LIKES]
        for reader, said in _said(readers).items()
    }
    texts = list(dict.fromkeys(one.paper for said in latest.values() for one in said))
    place = {text: number for number, text in enumerate(texts)}
    vectors = space.vectors(embeddings.with_embeddings(texts, landscape.encoder))
    rows = []
    for reader, said in latest.items():
        liked = [Liked(one.paper.title, one.value, (now - one.at) / timedelta(days=1)) for one in said]
        profile = liked_profile.fit(liked, vectors.taken([place[one.paper] for one in said]), background)
        if profile is not None:
            rows.append(_row(reader, landscape, profile, len(liked), now))
    with transaction.atomic():
        Profile.objects.filter(subscriber__in=readers).delete()
        Profile.objects.bulk_create(rows)
    return len(rows)


def _row(reader: int, landscape: StoredLsaModel, profile: LikedProfile, likes: int, now: datetime) -> Profile:
    return Profile(subscriber_id=reader, landscape=landscape, likes=likes, payload=pack_profile(profile), fitted_at=now)


def _said(readers: list[int]) -> dict[int, list[_Said]]:
    """What each reader said of which paper: their lists, and more or less in letters. The letter's word counts."""
    found: defaultdict[int, dict[str, _Said]] = defaultdict(dict)
    named = list(LikedPaper.objects.filter(subscriber__in=readers))
    stored = known({row.identifier for row in named})
    for row in named:
        text = stored.get(row.identifier) or PaperText(0, row.title, row.abstract, tuple(row.authors))
        if text.title:
            found[row.subscriber_id][_key(text, row.identifier)] = _Said(text, 1.0 if row.is_liked else -1.0, row.at)
    columns = [f"paper__{name}" for name in ("id", "title", "abstract", "authors", "categories")]
    answered = Feedback.objects.filter(subscriber__in=readers).values_list("subscriber_id", "value", "at", *columns)
    for reader, value, at, *row in answered:
        found[reader][str(row[0])] = _Said(_text(*row), float(value), at)
    return {reader: list(said.values()) for reader, said in found.items()}


def _key(text: PaperText, identifier: str) -> str:
    return str(text.id) if text.id else identifier


def known(identifiers: set[str]) -> dict[str, PaperText]:
    """The stored papers behind these identifiers; `title:` ones and strangers are not among them."""
    found: dict[str, PaperText] = {}
    wanted = sorted(identifiers)
    for low in range(0, len(wanted), CHUNK):
        part = wanted[low : low + CHUNK]
        rows = Identifier.objects.filter(Q(value__in=part)).values_list(
            "value", "paper__id", "paper__title", "paper__abstract", "paper__authors", "paper__categories"
        )
        found.update({value: _text(*row) for value, *row in rows})
    return found
