"""From a due reader to a letter in the postbox, and what the ledger says afterwards."""

from __future__ import annotations

import email
import json
from datetime import timedelta
from email import policy
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from digest import delivery
from digest.delivery import plan, settle
from digest.delivery.accounts import audit
from digest.models import Attempt, Delivery, FrozenCopy
from subscriptions.addresses import hmac
from subscriptions.mail.outgoing import Letter
from subscriptions.models import Suppression
from tests import make
from tests.make import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def outbox(settings: Any) -> Path:
    settings.EMAIL_BACKEND = "subscriptions.mail.outgoing.OutboxBackend"
    settings.MAIL_CHANNEL = "outbox"
    return Path(settings.OUTBOX_DIR)


@pytest.fixture
def reader() -> Any:
    make.edition(papers=[make.paper("Speech for all"), make.paper("Vision in the dark")])
    return make.subscriber("ada@example.org", queries=["speech"])


@pytest.mark.thorough
def test_a_due_reader_finds_one_letter_in_the_postbox(outbox: Path, reader: Any) -> None:
    plan.plan(NOW)
    assert delivery.deliver(NOW)["accepted"] == 1
    [path] = outbox.glob("*.eml")
    assert path.name.startswith("ada_example.org--")
    letter = email.message_from_bytes(path.read_bytes(), policy=policy.default)
    assert letter["To"] == "ada@example.org"
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "Speech for all" in letter.get_body(("plain",)).get_content()
    assert letter["Message-ID"] == f"<d.{Delivery.objects.get().uuid}@offprint.localhost>"


def test_the_ledger_says_so_and_nothing_is_left_open(outbox: Path, reader: Any) -> None:
    plan.plan(NOW)
    delivery.deliver(NOW)
    row = Delivery.objects.get()
    assert (row.state, row.settled_at) == ("accepted", NOW)
    assert (row.attempt.state, row.attempt.intent_at is not None) == (Attempt.State.CLOSED, True)
    assert not FrozenCopy.objects.exists()
    assert audit.audit().good


def test_a_second_run_sends_nobody_anything(outbox: Path, reader: Any) -> None:
    for _ in range(2):
        plan.plan(NOW)
        delivery.deliver(NOW)
    assert len(list(outbox.iterdir())) == 1


def test_who_is_suppressed_meanwhile_gets_nothing(outbox: Path, reader: Any) -> None:
    plan.plan(NOW)
    Suppression.objects.create(address_hmac=hmac("ada@example.org"), reason="complaint", since=NOW)
    delivery.deliver(NOW)
    row = Delivery.objects.get()
    assert (row.state, row.reason) == ("skipped", "suppressed")
    assert not outbox.exists()


def test_send_due_answers_with_one_object(outbox: Path, reader: Any) -> None:
    out = StringIO()
    call_command("send_due", "--now", NOW.isoformat(), "--json", stdout=out)
    assert json.loads(out.getvalue()) == {
        "planned": 1,
        "accepted": 1,
        "skipped": {},
        "rejected": 0,
        "uncertain": 0,
        "expired": 0,
        "dead": 0,
        "pending": 0,
    }


def test_audit_answers_with_the_accounts(outbox: Path, reader: Any) -> None:
    plan.plan(NOW)
    delivery.deliver(NOW)
    out = StringIO()
    call_command("audit", "--json", stdout=out)
    answer = json.loads(out.getvalue())
    assert answer["good"]
    [line] = answer["editions"]
    assert (line["planned"], line["accepted"], line["even"]) == (1, 1, True)


def test_audit_fails_when_a_row_is_astray(outbox: Path, reader: Any) -> None:
    plan.plan(NOW)
    Delivery.objects.update(state="accepted")
    with pytest.raises(SystemExit) as exit:
        call_command("audit", "--json", stdout=StringIO())
    assert exit.value.code == 1


@pytest.mark.thorough
def test_the_next_day_brings_the_next_edition_only(outbox: Path, reader: Any) -> None:
    plan.plan(NOW)
    delivery.deliver(NOW)
    tomorrow = NOW + timedelta(days=1)
    make.edition(tomorrow.date(), papers=[make.paper("Speech again")])
    plan.plan(tomorrow)
    delivery.deliver(tomorrow)
    [first, second] = Delivery.objects.order_by("pk")
    assert len(second.papers) == 1
    assert first.papers[0]["paper"] != second.papers[0]["paper"]
    assert audit.audit().good


def test_a_frozen_copy_gives_back_every_byte(outbox: Path, reader: Any) -> None:
    plan.plan(NOW)
    delivery.deliver(NOW)
    row = Delivery.objects.get()
    letter = Letter(to="ada@example.org", subject="Ümläut", text="", tags=("digest",), raw=bytes(range(256)))
    settle._seal(row.attempt, [(row, letter)])
    assert settle.thaw(FrozenCopy.objects.get()) == letter
