"""Holds, breakers, the restore fence, low disk, and the one reason for every day without a letter."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import call_command

from digest import delivery
from digest.delivery import plan, reasons
from digest.delivery.accounts import why
from digest.delivery.channels import circuit_breaker, holds
from digest.delivery.channels.circuit_breaker import Counts
from digest.delivery.reports import events
from digest.models import Attempt, Channel, Delivery, Edition, ProviderEvent
from subscriptions.mail.outcomes import Outcome
from subscriptions.mail.outgoing import Letter, Receipt
from subscriptions.models import Subscriber
from tests import make
from tests.digest.delivery.conftest import Provider
from tests.make import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader(edition: Edition) -> Subscriber:
    return make.subscriber("ada@example.org", queries=["speech"])


def run(name: str, *arguments: str) -> dict[str, Any]:
    out = StringIO()
    call_command(name, *arguments, "--json", stdout=out)
    answer: dict[str, Any] = json.loads(out.getvalue())
    return answer


# -- holds --------------------------------------------------------------------------------------


def test_a_hold_stops_before_the_next_letter_and_resume_goes_on(
    reader: Subscriber, provider: Provider, channel: Callable[[str], None]
) -> None:
    plan.plan(NOW)
    run("hold", "the template is wrong")
    delivery.deliver(NOW)
    assert not provider.taken
    assert holds.reason("postmark", NOW) == "the template is wrong"
    run("resume")
    delivery.deliver(NOW)
    assert len(provider.taken) == 1


def test_a_hold_within_a_chunk_stops_before_the_next_letter(
    edition: Edition, provider: Provider, channel: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holds, "LOOK_AGAIN", 0.0)
    for number in range(10):
        make.subscriber(f"r{number}@example.org", queries=["speech"])
    plan.plan(NOW)

    def held_by_the_third(letter: Letter) -> Receipt:
        if len(provider.taken) == 2:
            run("hold", "the template is wrong")
        return provider.accept(letter)

    provider.answer = held_by_the_third
    delivery.deliver(NOW)
    assert len(provider.taken) == 3  # of one attempt of ten
    assert set(Delivery.objects.filter(state="pending").values_list("tries", flat=True)) == {0}
    run("resume")
    delivery.deliver(NOW + timedelta(seconds=5))
    assert len(provider.taken) == 10


def test_send_due_says_why_nothing_went(reader: Subscriber, provider: Provider, channel: Any) -> None:
    run("hold", "the template is wrong")
    answer = run("send_due", "--now", NOW.isoformat())
    assert (answer["held"], answer["pending"]) == ("the template is wrong", 1)


def test_f77_a_refused_account_holds_the_channel_and_fails_nobody(
    reader: Subscriber, provider: Provider, channel: Any
) -> None:
    provider.always(Outcome.BLOCKED, status=401, detail="bad key")
    plan.plan(NOW)
    delivery.deliver(NOW)
    row = Delivery.objects.get()
    assert (row.state, row.tries) == ("pending", 0)
    assert "bad key" in Channel.objects.get().held_reason


@pytest.mark.thorough
def test_f77_the_channel_is_tried_with_one_letter_and_goes_on_by_itself(
    reader: Subscriber, provider: Provider, channel: Any
) -> None:
    make.subscriber("bob@example.org", queries=["speech"])
    provider.always(Outcome.BLOCKED, status=401, detail="bad key")
    plan.plan(NOW)
    delivery.deliver(NOW)
    later = NOW + holds.HALF_OPEN_AFTER
    delivery.deliver(later)
    assert Channel.objects.get().held_by
    provider.answer = provider.accept
    later += holds.HALF_OPEN_AFTER
    delivery.deliver(later)
    assert not Channel.objects.get().held_by
    delivery.deliver(later)
    assert len(provider.taken) == 2


def test_a_half_open_channel_with_nothing_waiting_goes_on_waiting_for_a_letter(channel: Any, db: None) -> None:
    holds.hold("postmark", holds.BREAKER, "10 letters in a row did not go.", NOW, holds.HALF_OPEN_AFTER)
    assert not delivery.deliver(NOW + holds.HALF_OPEN_AFTER)
    assert Channel.objects.get().held_by == holds.BREAKER


def test_f41_nothing_is_claimed_while_the_disk_is_nearly_full(
    reader: Subscriber, provider: Provider, channel: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan.plan(NOW)
    full = SimpleNamespace(total=1000 * 2**20, free=20 * 2**20)
    monkeypatch.setattr(holds.shutil, "disk_usage", lambda _: full)
    delivery.deliver(NOW)
    assert not provider.taken
    assert not Attempt.objects.exists()
    assert "nearly full" in holds.reason("postmark", NOW)
    monkeypatch.undo()


# -- breakers -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("counts", "word"),
    [
        (Counts(accepted=1000, complained=4), "spam"),
        (Counts(accepted=1000, complained=3), ""),
        (Counts(accepted=100, bounced=10), "bounced"),
        (Counts(accepted=10, bounced=9), ""),
        (Counts(requests=30, errors=20), "failed"),
        (Counts(requests=100, errors=20), ""),
        (Counts(), ""),
    ],
)
def test_the_breaker_knows_harm_from_chance(counts: Counts, word: str) -> None:
    assert (word in circuit_breaker.reason_to_hold(counts)) if word else circuit_breaker.reason_to_hold(counts) == ""


def test_complaints_hold_the_channel_until_somebody_looks(edition: Edition, provider: Provider, channel: Any) -> None:
    for number in range(5):
        make.subscriber(f"r{number}@example.org", queries=["speech"])
    plan.plan(NOW)
    delivery.deliver(NOW)
    for number, row in enumerate(Delivery.objects.all()[:3]):
        said = SimpleNamespace(
            event_type="complained", event_id=str(number), message_id="", metadata={"delivery": str(row.uuid)},
            recipient=None, timestamp=NOW, reject_reason=None, description="", mta_response="", esp_event={},
        )  # fmt: skip
        stored = events.remember("postmark", said, NOW)
        assert stored is not None
        events.apply(stored, NOW)
    delivery.deliver(NOW)
    assert "reported as spam" in holds.reason("postmark", NOW + timedelta(hours=1))
    run("resume")
    assert ProviderEvent.objects.count() == 3


# -- a database that was put back ---------------------------------------------------------------


def test_f43_a_database_put_back_from_a_backup_sends_nobody_anything(
    reader: Subscriber, provider: Provider, channel: Any
) -> None:
    plan.plan(NOW)
    delivery.deliver(NOW)
    assert len(provider.taken) == 1
    _put_back(reader)
    plan.plan(NOW)
    delivery.deliver(NOW)
    assert len(provider.taken) == 1
    assert "put back from a backup" in holds.reason("postmark", NOW)


@pytest.mark.thorough
def test_f43_after_the_operator_looked_the_next_letter_is_the_next_days(
    reader: Subscriber, provider: Provider, channel: Any
) -> None:
    plan.plan(NOW)
    delivery.deliver(NOW)
    _put_back(reader)
    plan.plan(NOW)
    delivery.deliver(NOW)
    with pytest.raises(SystemExit):
        run("resume")
    assert run("resume", "--restored", "--now", NOW.isoformat())["readers"] == 1
    delivery.deliver(NOW)
    plan.plan(NOW)
    delivery.deliver(NOW)
    assert len(provider.taken) == 1
    tomorrow = NOW + timedelta(days=1)
    make.edition(tomorrow.date(), papers=[make.paper("Speech again")])
    plan.plan(tomorrow)
    delivery.deliver(tomorrow)
    assert len(provider.taken) == 2


def _put_back(reader: Subscriber) -> None:
    Delivery.objects.all().delete()
    Attempt.objects.all().delete()
    Subscriber.objects.filter(pk=reader.pk).update(cursor=0, next_digest_at=NOW)


# -- why ----------------------------------------------------------------------------------------


def test_why_names_the_letter(reader: Subscriber, provider: Provider, channel: Any) -> None:
    plan.plan(NOW)
    delivery.deliver(NOW)
    answer = run("why", "ada@example.org", "--date", str(NOW.date()))
    assert (answer["reason"], answer["edition"]) == ("accepted", str(NOW.date()))


def test_why_names_the_one_reason_for_none(edition: Edition) -> None:
    reader = make.subscriber(queries=["astronomy"])
    plan.plan(NOW)
    assert why.why(reader, NOW.date(), NOW).reason == reasons.NO_MATCH


@pytest.mark.parametrize(
    ("fields", "day", "reason"),
    [
        ({"state": "paused", "next_digest_at": None}, 0, reasons.PAUSED),
        ({"state": "suppressed", "next_digest_at": None}, 0, reasons.SUPPRESSED),
        ({"frequency": "weekly", "weekday": 0}, 0, reasons.NOT_A_DAY),
        ({"frequency": "chosen", "days": 0b0010010}, 0, reasons.NOT_A_DAY),
        ({"frequency": "chosen", "days": 0b0010010, "next_digest_at": NOW + timedelta(days=2)}, 2, reasons.NOT_YET),
        ({"next_digest_at": NOW + timedelta(days=1)}, 1, reasons.NOT_YET),
        ({"confirmed_at": None, "state": "pending"}, 0, reasons.NOT_CONFIRMED),
        ({}, -400, reasons.NOT_A_READER_YET),
    ],
)
def test_why_guesses_from_the_readers_wishes(fields: dict[str, Any], day: int, reason: str, db: None) -> None:
    reader = make.subscriber(**fields)
    assert why.why(reader, NOW.date() + timedelta(days=day), NOW).reason == reason


def test_why_says_that_a_late_edition_is_waited_for(db: None) -> None:
    make.edition(state="collecting", papers=[make.paper("Speech")])
    reader = make.subscriber(queries=["speech"])
    plan.plan(NOW)
    assert why.why(reader, NOW.date(), NOW).reason == reasons.WAITING


@pytest.mark.parametrize(
    "reason", [value for name, value in vars(reasons).items() if name.isupper() and isinstance(value, str)]
)
def test_every_reason_has_a_sentence(reason: str) -> None:
    assert reasons.sentence(reason).endswith(".")


def test_doubts_lists_the_names(reader: Subscriber, provider: Provider, channel: Callable[[str], None]) -> None:
    channel("smtp")
    provider.always(Outcome.UNCLEAR)
    plan.plan(NOW)
    delivery.deliver(NOW)
    [line] = run("doubts")["letters"]
    assert (line["email"], line["state"]) == ("ada@example.org", "uncertain")
    assert run("doubts", "--sent", line["letter"])["settled"]
    assert run("doubts")["letters"] == []
