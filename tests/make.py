"""Builders for tests: each makes one valid row with plain defaults; pass what the test is about."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime
from typing import Any

from digest.models import Announcement, Edition, EditionPaper, Identifier, Paper, Source
from subscriptions.models import Filter, Interest, Subscriber, Topic

NOW = datetime(2026, 6, 3, 6, 0, tzinfo=UTC)  # a Wednesday
TODAY = NOW.date()
_numbers = itertools.count(1)


def source(slug: str = "arxiv-cs-cl", **fields: Any) -> Source:
    values = {"name": slug, "kind": "arxiv", "url": f"https://feeds.example/{slug}"} | fields
    return Source.objects.get_or_create(slug=slug, defaults=values)[0]


def paper(title: str = "", **fields: Any) -> Paper:
    number = next(_numbers)
    arxiv_id = fields.pop("arxiv_id", f"2606.{number:05d}")
    values: dict[str, Any] = {
        "identifier": f"arxiv:{arxiv_id}",
        "arxiv_id": arxiv_id,
        "url": f"https://arxiv.org/abs/{arxiv_id}",
        "pdf_url": f"https://arxiv.org/pdf/{arxiv_id}",
        "title": title or f"A study of thing {number}",
        "abstract": "We study a thing. It works.",
        "authors": ["Ada Example", "Ben Sample"],
        "categories": ["cs.CL"],
        "primary_category": "cs.CL",
        "published_on": TODAY,
        "first_seen_at": NOW,
        "updated_at": NOW,
    } | fields
    row = Paper.objects.create(**values)
    Identifier.objects.create(value=row.identifier, paper=row)
    return row


def announcement(of: Paper, by: Source | None = None, day: date = TODAY, **fields: Any) -> Announcement:
    return Announcement.objects.create(paper=of, source=by or source(), day=day, seen_at=NOW, **fields)


def edition(day: date = TODAY, papers: list[Paper] | None = None, state: str = "released", **fields: Any) -> Edition:
    """An edition with its papers; released by default, with the next serial."""
    if state == Edition.State.RELEASED:
        last = Edition.objects.exclude(serial=None).order_by("-serial").first()
        fields = {"serial": (last.serial or 0) + 1 if last else 1, "released_at": NOW, "frozen_at": NOW} | fields
    row = Edition.objects.create(date=day, state=state, **fields)
    for position, one in enumerate(papers or []):
        EditionPaper.objects.create(edition=row, paper=one, position=position)
        Announcement.objects.get_or_create(paper=one, source=source(), day=day, defaults={"seen_at": NOW})
    return row


def filter(text: str = "speech") -> Filter:
    return Filter.objects.get_or_create(text=text)[0]


def topic(slug: str = "speech", query: str = "speech", **fields: Any) -> Topic:
    values = {"name": slug.title(), "group": "Tests", "query": query, "filter": filter(query)} | fields
    return Topic.objects.get_or_create(slug=slug, defaults=values)[0]


def subscriber(
    email: str = "", topics: list[Topic] | None = None, queries: list[str] | None = None, **fields: Any
) -> Subscriber:
    """An active daily reader in UTC, due now; `queries` must already be canonical."""
    email = email or f"reader{next(_numbers)}@example.org"
    values: dict[str, Any] = {
        "email": email,
        "email_key": email.lower(),
        "state": Subscriber.State.ACTIVE,
        "hour": 6,
        "zone": "UTC",
        "next_digest_at": NOW,
        "created_at": NOW,
        "confirmed_at": NOW,
    } | fields
    row = Subscriber.objects.create(**values)
    for one in topics or []:
        Interest.objects.create(subscriber=row, kind="topic", topic=one, filter=one.filter)
    for text in queries or []:
        Interest.objects.create(subscriber=row, kind="filter", text=text, filter=filter(text))
    return row
