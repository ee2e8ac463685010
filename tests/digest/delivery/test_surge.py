"""S17: reports that would end too many readers' letters at once wait until a person has looked."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.test import Client

from digest import delivery
from digest.delivery import blockers, plan
from digest.delivery.accounts import restore_guard
from digest.delivery.channels import circuit_breaker, holds
from digest.delivery.run import sweep
from digest.desk.pages import dashboard
from digest.models import Delivery, Edition, ProviderEvent
from subscriptions.models import Subscriber, Suppression
from tests import make
from tests.digest.delivery.conftest import Provider
from tests.make import NOW

pytestmark = pytest.mark.django_db
SECRET = "offprint:0123456789abcdefghijkl"
READERS = 60
BOUNCE = {"RecordType": "Bounce", "Type": "HardBounce", "Details": "550 5.1.1 no such user"}
COMPLAINT = {"RecordType": "SpamComplaint", "Type": "SpamComplaint"}
LEAVE = {"RecordType": "SubscriptionChange", "SuppressSending": True}


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Coordinates]:
    with time_machine.travel(NOW, tick=False) as moved:
        yield moved


@pytest.fixture
def sent(edition: Edition, provider: Provider, channel: Any, settings: Any) -> Provider:
    """Sixty readers have today's letter."""
    settings.ANYMAIL = {"WEBHOOK_SECRET": SECRET}
    for number in range(READERS):
        make.subscriber(f"r{number}@example.org", queries=["speech"])
    plan.plan(NOW)
    delivery.deliver(NOW)
    assert len(provider.taken) == READERS
    return provider


def report(kind: dict[str, Any], first: int = 0, last: int = READERS) -> None:
    """What somebody who knows the secret can post, about one letter after the other."""
    token = base64.b64encode(SECRET.encode()).decode()
    for letter in Delivery.objects.select_related("subscriber").order_by("pk")[first:last]:
        body = {
            "MessageID": f"m{letter.pk}", "ID": letter.pk, "Email": letter.subscriber.email,
            "Recipient": letter.subscriber.email, "BouncedAt": "2026-06-03T06:06:00Z",
            "ChangedAt": "2026-06-03T06:06:00Z", "Metadata": {"delivery": str(letter.uuid)}, **kind,
        }  # fmt: skip
        headers = {"Authorization": f"Basic {token}"}
        answer = Client().post("/hooks/postmark/", json.dumps(body), "application/json", headers=headers)
        assert answer.status_code == 200


def command(name: str, *words: str) -> Any:
    out = StringIO()
    call_command(name, *words, "--json", stdout=out)
    return json.loads(out.getvalue())


def active() -> int:
    return Subscriber.objects.filter(state="active").count()


@pytest.mark.thorough
@pytest.mark.parametrize("kind", [BOUNCE, COMPLAINT, LEAVE])
def test_s17_a_forged_batch_ends_few_readers_letters_and_stops_the_channel(kind: dict[str, Any], sent: Any) -> None:
    report(kind)
    assert active() == READERS - circuit_breaker.SURGE_LEAST
    assert ProviderEvent.objects.filter(waits=True, applied_at=None).count() == READERS - circuit_breaker.SURGE_LEAST
    assert holds.reason("postmark", NOW) == circuit_breaker.SURGE
    assert any("Reports would end the letters" in one.says for one in dashboard.alerts(None, NOW))


@pytest.mark.thorough
def test_s17_a_report_that_waits_leaves_no_trace_on_its_letter(sent: Any) -> None:
    report(COMPLAINT)
    assert (
        Delivery.objects.filter(fate="complained").count() == Suppression.objects.count() == circuit_breaker.SURGE_LEAST
    )


@pytest.mark.thorough
def test_s17_what_ends_nobodys_letters_goes_on(sent: Any) -> None:
    report(BOUNCE)
    report({"RecordType": "Delivery", "DeliveredAt": "2026-06-03T06:07:00Z"})
    assert Delivery.objects.filter(fate="delivered").count() == READERS - circuit_breaker.SURGE_LEAST


@pytest.mark.thorough
def test_s17_dropped_reports_are_kept_and_nothing_comes_of_them(sent: Any) -> None:
    report(BOUNCE)
    with pytest.raises(CommandError, match=r"40 reports about 40 readers wait.*again with --apply-reports"):
        call_command("resume")
    assert command("resume", "--drop-reports")["dropped"] == 40
    sweep(NOW)
    assert active() == READERS - circuit_breaker.SURGE_LEAST
    assert ProviderEvent.objects.count() == READERS
    assert not holds.reason("postmark", NOW)


@pytest.mark.thorough
def test_s17_real_ones_count_before_anybody_is_written_to_again(sent: Provider) -> None:
    report(COMPLAINT)
    assert command("resume", "--apply-reports")["applied"] == 40
    assert active() == 0
    assert Delivery.objects.filter(fate="complained").count() == READERS
    assert not holds.reason("postmark", NOW)


@pytest.mark.thorough
def test_s17_while_reports_wait_others_of_their_kind_wait_too(sent: Any, clock: Any) -> None:
    report(BOUNCE, 0, 20)
    clock.shift(timedelta(minutes=59))
    report(BOUNCE, 20, 21)
    clock.shift(timedelta(hours=2))
    report(BOUNCE, 21, 22)
    assert active() == READERS - 20
    command("resume", "--apply-reports")
    assert active() == READERS - 22
    report(BOUNCE, 22, 42)
    assert active() == READERS - 42


def test_s17_the_next_sweep_holds_again_what_was_resumed_beside_a_report(sent: Any) -> None:
    report(BOUNCE, 0, 21)
    holds.resume("postmark", NOW)
    sweep(NOW)
    assert holds.reason("postmark", NOW) == circuit_breaker.SURGE


@pytest.mark.parametrize("by", [holds.OPERATOR, holds.RESTORE])
def test_s17_another_hold_beside_reports_that_wait_names_what_becomes_of_them(by: str, sent: Any) -> None:
    report(BOUNCE, 0, 22)
    holds.hold("postmark", by, "a holiday", NOW)
    [stop] = blockers.find(NOW)
    assert "--apply-reports" in stop.way_out
    assert "--drop-reports" in stop.way_out


def test_s17_a_restored_database_beside_reports_that_wait_is_let_go_in_one_command(sent: Any) -> None:
    report(BOUNCE, 0, 22)
    holds.hold("postmark", holds.RESTORE, restore_guard.BEHIND, NOW)
    with pytest.raises(CommandError, match="again with --apply-reports"):
        call_command("resume", "--restored")
    assert command("resume", "--restored", "--drop-reports")["dropped"] == 2
    assert not blockers.find(NOW)


def test_s17_a_hold_that_probes_by_itself_gives_way_to_one_that_waits_for_a_word(sent: Any) -> None:
    holds.hold("postmark", holds.BREAKER, "10 letters in a row did not go.", NOW, holds.HALF_OPEN_AFTER)
    report(BOUNCE)
    later = NOW + timedelta(hours=1)
    assert holds.reason("postmark", later) == circuit_breaker.SURGE
    assert not holds.is_half_open("postmark", later)


@pytest.mark.thorough
def test_s17_a_large_site_may_lose_more_readers_within_the_hour(sent: Any) -> None:
    Subscriber.objects.bulk_create(
        Subscriber(email=f"m{n}@example.org", email_key=f"m{n}@example.org", state="active", created_at=NOW)
        for n in range(1_500)
    )
    report(BOUNCE)
    assert Suppression.objects.count() == 31  # the thirty-second would need more than 50 x 31 readers who go on
