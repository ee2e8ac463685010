"""Bounce mails: read from real ones of a hundred servers, applied only where they carry our own Message-ID."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from digest.delivery import plan
from digest.delivery.reports import bounces
from digest.models import Delivery, ProviderEvent
from subscriptions.mail import outgoing
from subscriptions.models import Notice, Subscriber, Suppression
from tests import make
from tests.make import NOW

REPORT = """\
Return-Path: <>
From: MAILER-DAEMON@mx.example.net (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: papers@offprint.localhost
Date: Wed, 03 Jun 2026 06:10:00 +0000
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

I could not deliver your letter to <ada@example.org>.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net

Final-Recipient: rfc822; ada@example.org
Action: {action}
Status: {status}
Diagnostic-Code: smtp; {said}

--b
Content-Type: text/rfc822-headers

Message-ID: <{message_id}@offprint.localhost>
Subject: 3 June

--b--
"""


def report(
    message_id: str, status: str = "5.1.1", said: str = "550 5.1.1 no such user", action: str = "failed"
) -> bytes:
    return REPORT.format(message_id=message_id, status=status, said=said, action=action).encode()


@pytest.fixture
def letter(db: None) -> Delivery:
    make.edition(papers=[make.paper("Speech")])
    make.subscriber("ada@example.org", queries=["speech"])
    plan.plan(NOW)
    Delivery.objects.update(state="accepted", settled_at=NOW)
    return Delivery.objects.get()


def test_a_hard_bounce_with_our_message_id_suppresses(letter: Delivery) -> None:
    assert bounces.take(report(f"d.{letter.uuid}"), NOW) == "bounced"
    assert Subscriber.objects.get().state == "suppressed"
    assert Delivery.objects.get().fate == "bounced"


def test_the_same_bounce_again_is_known(letter: Delivery) -> None:
    bounces.take(report(f"d.{letter.uuid}"), NOW)
    assert bounces.take(report(f"d.{letter.uuid}"), NOW) == "known"
    assert ProviderEvent.objects.count() == 1


def test_a_bounce_settles_a_letter_named_as_uncertain(letter: Delivery) -> None:
    Delivery.objects.update(state="uncertain")
    bounces.take(report(f"d.{letter.uuid}", "4.2.2", "452 mailbox full", "delayed"), NOW)
    assert Delivery.objects.get().state == "accepted"


def test_a_full_mailbox_does_not_suppress(letter: Delivery) -> None:
    bounces.take(report(f"d.{letter.uuid}", "5.2.2", "552 5.2.2 mailbox full"), NOW)
    assert not Suppression.objects.exists()


def test_a_forged_bounce_without_our_message_id_silences_nobody(letter: Delivery) -> None:
    assert bounces.take(report("a-guess"), NOW) == "unmatched"
    assert not Suppression.objects.exists()


def test_a_bounce_of_a_confirmation_counts_too(db: None) -> None:
    reader = make.subscriber("ada@example.org", state="pending")
    row = Notice.objects.create(
        kind="confirm", subscriber=reader, dedupe_key="c", next_at=NOW, created_at=NOW, state="accepted"
    )
    assert bounces.take(report(f"n.{row.uuid}.0"), NOW) == "bounced"
    assert Suppression.objects.count() == 1


@pytest.mark.parametrize("kind", ["moved", "address"])
def test_a_bounce_at_another_address_is_not_held_against_the_readers_own(kind: str, db: None) -> None:
    """An old mailbox that is closed, or a mistyped new one; the provider's event need not name it."""
    reader = make.subscriber("ada@new.example")
    row = Notice.objects.create(
        kind=kind, subscriber=reader, dedupe_key="m", next_at=NOW, created_at=NOW, state="accepted"
    )
    anonymous = report(f"n.{row.uuid}.0").replace(b"Final-Recipient: rfc822; ada@example.org\n", b"")
    bounces.take(anonymous.replace(b" to <ada@example.org>", b""), NOW)
    assert ProviderEvent.objects.exists()
    assert not outgoing.suppressed([reader.email])
    reader.refresh_from_db()
    assert reader.state == Subscriber.State.ACTIVE


def test_a_persons_answer_is_no_bounce(db: None) -> None:
    mail = b"From: ada@example.org\nSubject: Re: 3 June\nTo: papers@offprint.localhost\n\nThank you, ada@example.org\n"
    assert bounces.take(mail, NOW) == "other"


@pytest.mark.parametrize(
    "raw", [b"", b"\x00\xff" * 50, b"Subject: failure\n\n" + b"<" * 5000, b"Content-Type: multipart/report\n\n"]
)
def test_rubbish_is_no_bounce(raw: bytes, db: None) -> None:
    assert bounces.take(raw, NOW) == "other"


NOT_BOUNCES = ("is-not-bounce", "rfc3834")


def test_real_bounces_of_a_hundred_servers_are_read(captured: Path) -> None:
    """99 of the 105 and more must name an address; neither an ordinary mail nor an automatic answer may."""
    files = sorted((captured / "mail" / "sisimai").glob("*.eml"))
    read = {path.name: bounces.read(path.read_bytes()) for path in files}
    real = {name: one for name, one in read.items() if not name.startswith(NOT_BOUNCES)}
    named = [name for name, one in real.items() if one and one.recipients]
    assert len(named) >= len(real) - 2, sorted(set(real) - set(named))
    assert not [name for name, one in read.items() if one and name.startswith(NOT_BOUNCES)]


@pytest.mark.parametrize(
    ("name", "kind", "severity"),
    [
        ("lhost-postfix-01", "bounced", "hard"),
        ("lhost-office365-12", "bounced", "soft"),
        ("lhost-exim-41", "deferred", ""),
        ("arf-16", "complained", ""),
        ("rhost-kddi-01", "bounced", "hard"),
    ],
)
def test_real_bounces_say_how_final_they_are(name: str, kind: str, severity: str, captured: Path) -> None:
    found = bounces.read((captured / "mail" / "sisimai" / f"{name}.eml").read_bytes())
    assert found is not None
    assert (found.kind, found.severity) == (kind, severity)


def test_read_bounces_reads_a_folder(letter: Delivery, tmp_path: Path) -> None:
    (tmp_path / "one.eml").write_bytes(report(f"d.{letter.uuid}"))
    (tmp_path / "two.eml").write_bytes(b"Subject: hello\n\nhello\n")
    out = StringIO()
    call_command("read_bounces", str(tmp_path), "--json", stdout=out)
    assert json.loads(out.getvalue()) == {"read": 2, "bounced": 1, "other": 1}
