"""What happens to a reader's place when they confirm, come back, export or are erased."""

from __future__ import annotations

from datetime import timedelta

import pytest

from digest.models import Delivery, Skip
from subscriptions import signals
from subscriptions.models import Subscriber
from tests import make
from tests.make import NOW, TODAY

pytestmark = pytest.mark.django_db


def editions(count: int) -> None:
    for number in range(count):
        make.edition(TODAY - timedelta(days=count - 1 - number), [make.paper()])


def cursor_after(signal, cursor: int = 0) -> int:
    reader = make.subscriber(cursor=cursor)
    signal.send(sender=Subscriber, subscriber=reader, now=NOW)
    reader.refresh_from_db()
    return reader.cursor


def test_a_first_letter_brings_the_newest_edition_and_not_the_archive():
    editions(3)
    assert cursor_after(signals.confirmed) == 2


def test_before_the_first_edition_a_reader_starts_at_its_beginning():
    assert cursor_after(signals.confirmed) == 0


def test_a_reader_who_returns_never_gets_an_edition_again():
    editions(3)
    assert cursor_after(signals.confirmed, cursor=3) == 3


def test_a_reader_who_wants_no_catch_up_starts_with_todays_edition():
    editions(3)
    assert cursor_after(signals.resumed) == 2
    assert cursor_after(signals.resumed, cursor=3) == 3


def letter(reader: Subscriber) -> Delivery:
    edition = make.edition()
    return Delivery.objects.create(
        edition=edition,
        subscriber=reader,
        state="accepted",
        papers=[{"paper": 1, "score": 1.0, "reasons": []}],
        local_date=TODAY,
        due_at=NOW,
        next_at=NOW,
        planned_at=NOW,
        address_hmac="a" * 64,
    )


def test_an_export_has_every_letter_and_every_day_without_one():
    reader = make.subscriber()
    letter(reader)
    Skip.objects.create(subscriber=reader, local_date=TODAY, reason="nothing_new", at=NOW)
    document: dict = {}
    signals.exporting.send(sender=Subscriber, subscriber=reader, document=document)
    assert [one["state"] for one in document["letters"]] == ["accepted"]
    assert [one["reason"] for one in document["days_without_a_letter"]] == ["nothing_new"]


def test_an_erased_readers_letters_keep_neither_address_nor_papers():
    reader = make.subscriber()
    row = letter(reader)
    signals.erased.send(sender=Subscriber, subscriber=reader, now=NOW)
    row.refresh_from_db()
    assert (row.state, row.papers, row.address_hmac) == ("accepted", [], "")
