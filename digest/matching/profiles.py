"""The nightly refit: the LSA model of the newest papers, and each reader's profile in it.

A profile summarises likes that are stored elsewhere, so it can be deleted and fitted again at any time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

import numpy as np
from django.db import transaction

from digest.matching import embeddings, liked_profile
from digest.matching.interest_query import Learned
from digest.matching.liked_profile import Background, Liked
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
PAPER_COLUMNS = ("paper__id", "paper__title", "paper__abstract", "paper__authors", "paper__categories")


@dataclass(frozen=True)
class Refit:
    """What a refit made: papers in the model, readers with a profile."""

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
    if last and last.built_at > now - EVERY:
        return None
    return refit(now)


def refit(now: datetime) -> Refit:
    """Build the model of the newest papers and every reader's profile in it. Old ones are deleted at the end."""
    loaded = embeddings.usable()
    name = loaded.name if loaded else ""
    papers = _corpus(name)
    if len(papers) < FEWEST:
        return Refit(len(papers), 0)
    model = LsaModel.build(papers, encoder=name)
    drawn = np.random.default_rng(len(papers)).choice(len(papers), min(SHARED, len(papers)), replace=False)
    shared = model.vectors([papers[place] for place in np.sort(drawn).tolist()])
    background = Background.of(model, shared)
    landscape = StoredLsaModel.objects.create(
        built_at=now, papers=len(papers), encoder=model.encoder, payload=pack_model(model)
    )
    # Everybody who named a paper or answered one.
    named = LikedPaper.objects.values_list("subscriber_id", flat=True).distinct()
    answered = Feedback.objects.values_list("subscriber_id", flat=True).distinct()
    readers = sorted({*named, *answered})
    fitted = 0
    for low in range(0, len(readers), CHUNK):
        fitted += _fit(readers[low : low + CHUNK], landscape, model, background, now)
    Profile.objects.exclude(landscape=landscape).delete()
    StoredLsaModel.objects.exclude(pk=landscape.pk).delete()
    return Refit(len(papers), fitted)


def refresh(subscriber: int, now: datetime) -> bool:
    """Fit one reader anew, in the present model: at once after they named papers. False where there is no model."""
    landscape = StoredLsaModel.objects.order_by("-pk").first()
    if landscape is None:
        return False
    model = _model(landscape.pk, landscape.built_at)
    newest = _corpus(landscape.encoder, SHARED)
    background = Background.of(model, model.vectors(newest))
    if not _fit([subscriber], landscape, model, background, now):
        Profile.objects.filter(subscriber=subscriber).delete()
    return True


def learned(subscribers: Sequence[int]) -> dict[int, Learned]:
    """The profiles of these readers, of those who have one; one query."""
    rows = Profile.objects.filter(subscriber__in=subscribers)
    columns = ("subscriber_id", "payload", "landscape_id", "landscape__built_at")
    return {pk: Learned(unpack_profile(payload), _model(*which)) for pk, payload, *which in rows.values_list(*columns)}


def unlearn(subscriber: int, title: str) -> None:
    """Name a liked paper no more, at once; without a last one there is no profile. The night fits the rest anew."""
    row = Profile.objects.filter(subscriber=subscriber).first()
    if row is None:
        return
    left = liked_profile.without(unpack_profile(row.payload), title)
    if left is None:
        row.delete()
    else:
        Profile.objects.filter(pk=row.pk).update(payload=pack_profile(left))


@lru_cache(maxsize=2)
def _model(landscape: int, built_at: datetime) -> LsaModel:
    """Kept in the process: `built_at` tells a restored database's landscape from ours of the same number."""
    return unpack_model(StoredLsaModel.objects.values_list("payload", flat=True).get(pk=landscape))


def _corpus(encoder: str, most: int = CORPUS) -> list[PaperText]:
    """The newest papers as texts."""
    newest = Paper.objects.filter(is_withdrawn=False, merged_into=None).order_by("-id")[:most]
    columns = ("id", "title", "abstract", "authors", "categories")
    return embeddings.with_embeddings([_text(*row) for row in newest.values_list(*columns)], encoder)


def _text(pk: int, title: str, abstract: str, authors: Iterable[str], categories: Iterable[str]) -> PaperText:
    return PaperText(pk, title, abstract, tuple(authors), tuple(categories))


def _fit(readers: list[int], landscape: StoredLsaModel, model: LsaModel, background: Background, now: datetime) -> int:
    """Profiles for some readers; how many have one now. A paper that several of them liked is read once."""
    latest: dict[int, list[_Said]] = {}
    for reader, said in _said(readers).items():
        latest[reader] = sorted(said, key=lambda one: one.at, reverse=True)[:MOST_LIKES]
    texts = list(dict.fromkeys(one.paper for said in latest.values() for one in said))
    place = {text: number for number, text in enumerate(texts)}
    vectors = model.vectors(embeddings.with_embeddings(texts, landscape.encoder))
    rows = []
    for reader, said in latest.items():
        liked = [Liked(one.paper.title, one.value, (now - one.at) / timedelta(days=1)) for one in said]
        profile = liked_profile.fit(liked, vectors.taken([place[one.paper] for one in said]), background)
        if profile is not None:
            payload = pack_profile(profile)
            rows.append(
                Profile(subscriber_id=reader, landscape=landscape, likes=len(liked), payload=payload, fitted_at=now)
            )
    with transaction.atomic():
        Profile.objects.filter(subscriber__in=readers).delete()
        Profile.objects.bulk_create(rows)
    return len(rows)


def _said(readers: list[int]) -> dict[int, list[_Said]]:
    """What each reader said of which paper: their lists, and more or less in letters. The letter's word counts."""
    found: defaultdict[int, dict[str, _Said]] = defaultdict(dict)
    named = list(LikedPaper.objects.filter(subscriber__in=readers))
    stored = known({row.identifier for row in named})
    for row in named:
        text = stored.get(row.identifier) or PaperText(0, row.title, row.abstract, tuple(row.authors))
        if text.title:
            key = str(text.id or row.identifier)
            found[row.subscriber_id][key] = _Said(text, 1.0 if row.is_liked else -1.0, row.at)
    answered = Feedback.objects.filter(subscriber__in=readers).values_list(
        "subscriber_id", "value", "at", *PAPER_COLUMNS
    )
    for reader, value, at, *row in answered:
        found[reader][str(row[0])] = _Said(_text(*row), float(value), at)
    return {reader: list(said.values()) for reader, said in found.items()}


def known(identifiers: set[str]) -> dict[str, PaperText]:
    """The stored papers behind these identifiers; `title:` ones and strangers are not among them."""
    found: dict[str, PaperText] = {}
    wanted = sorted(identifiers)
    for low in range(0, len(wanted), CHUNK):
        part = wanted[low : low + CHUNK]
        for value, *row in Identifier.objects.filter(value__in=part).values_list("value", *PAPER_COLUMNS):
            found[value] = _text(*row)
    return found
