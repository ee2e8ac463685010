"""One row of everything, for tests that open every page."""

from __future__ import annotations

import zlib
from datetime import timedelta

from digest.models import Attempt, AuditEntry, DayCount, Delivery, Fetch, Heartbeat, ProviderEvent, Skip
from subscriptions.models import Consent, Notice, Subscriber, Suppression
from tests import make


def one_of_each() -> None:
    """Fills every table of both apps with `several(1)`."""
    several(1)


def several(count: int) -> None:
    """`count` rows in every table, so that a query per row shows in the query count."""
    for n in range(count):
        _day(n)


def _day(n: int) -> None:
    day = make.TODAY - timedelta(days=n)
    source = make.source(f"arxiv-{n}")
    paper = make.paper()
    make.announcement(paper, source, day)
    edition = make.edition(day, [make.paper()])
    topic = make.topic(f"topic-{n}", f"word{n}")
    reader = make.subscriber(topics=[topic], queries=[f"other{n}"])
    Fetch.objects.create(source=source, at=make.NOW, day=day, outcome="ok", body=zlib.compress(b"x"))
    _letter(edition, reader, n)
    _reader_rows(reader, n)
    AuditEntry.objects.create(at=make.NOW, actor="a", verb="pin", subject="s")
    Heartbeat.objects.create(name=f"worker {n}", at=make.NOW)
    DayCount.objects.create(name="t", day=day, value=1, counted_at=make.NOW)


def _letter(edition, reader, n: int) -> None:
    attempt = Attempt.objects.create(channel="smtp", lease_until=make.NOW, worker="w", started_at=make.NOW)
    delivery = Delivery.objects.create(
        edition=edition, subscriber=reader, local_date=edition.date, due_at=make.NOW, next_at=make.NOW,
        attempt=attempt, address_hmac="0" * 64, planned_at=make.NOW,
    )  # fmt: skip
    ProviderEvent.objects.create(
        event_key=f"e{n}", channel="smtp", type="delivered", occurred_at=make.NOW, received_at=make.NOW,
        delivery=delivery,
    )  # fmt: skip


def _reader_rows(reader: Subscriber, n: int) -> None:
    Skip.objects.create(subscriber=reader, local_date=make.TODAY, reason="empty", at=make.NOW)
    Consent.objects.create(subscriber=reader, act="confirmed", at=make.NOW, wording="1")
    Suppression.objects.create(address_hmac=f"{n:064d}", reason="complaint", since=make.NOW)
    Notice.objects.create(
        kind="confirm", subscriber=reader, dedupe_key=f"confirm:{n}", next_at=make.NOW, created_at=make.NOW
    )
