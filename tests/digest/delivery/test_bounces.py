"""Bounce mails: which mails are reports, what they say, and that they act only on the letter's own recipient."""

from __future__ import annotations

import imaplib
import json
from collections.abc import Callable
from datetime import datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import OperationalError

from digest.delivery import plan
from digest.delivery.reports import bounces
from digest.models import Delivery, ProviderEvent
from subscriptions import accounts
from subscriptions.mail import envelopes, outgoing
from subscriptions.models import Notice, Subscriber, Suppression
from tests import captured_bounces, make
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


# -- only the letter's own recipient --------------------------------------------------------------


def state(email: str) -> str:
    return Subscriber.objects.get(email=email).state


@pytest.fixture
def stranger(db: None) -> Subscriber:
    return make.subscriber("bob@example.net")


def about(address: str, message_id: str) -> bytes:
    return report(message_id).replace(b"ada@example.org", address.encode())


@pytest.mark.parametrize("address", ["bob@example.net", "BOB@EXAMPLE.NET", "<bob@example.net>", "no address at all"])
def test_a_report_about_a_letter_never_silences_somebody_else(
    address: str, letter: Delivery, stranger: Subscriber
) -> None:
    assert bounces.take(about(address, f"d.{letter.uuid}"), NOW) == "unmatched"
    assert (state("ada@example.org"), state("bob@example.net")) == ("active", "active")
    assert not Suppression.objects.exists()
    assert Delivery.objects.get().fate == ""


@pytest.mark.parametrize("kind", ["confirm", "link", "goodbye", "address", "moved"])
def test_a_report_about_one_off_mail_never_silences_somebody_else(kind: str, stranger: Subscriber) -> None:
    forger = make.subscriber("ada@example.org", state="pending")
    row = Notice.objects.create(
        kind=kind, subscriber=forger, dedupe_key="f", next_at=NOW, created_at=NOW, state="accepted"
    )
    assert bounces.take(about("bob@example.net", f"n.{row.uuid}.0"), NOW) == "unmatched"
    assert not outgoing.suppressed(["bob@example.net", "ada@example.org"])
    assert state("bob@example.net") == "active"


def test_a_mistyped_new_address_is_given_up_and_the_reader_stays(db: None) -> None:
    reader = make.subscriber("ada@example.org", new_email="ada@new.example")
    row = Notice.objects.create(
        kind="address", subscriber=reader, dedupe_key="a", next_at=NOW, created_at=NOW, state="accepted"
    )
    assert bounces.take(about("ada@new.example", f"n.{row.uuid}.0"), NOW) == "bounced"
    assert outgoing.suppressed(["ada@example.org", "ada@new.example"]) == {"ada@new.example"}
    assert state("ada@example.org") == "active"


def test_a_report_about_an_earlier_request_never_counts_for_the_address_asked_later(stranger: Subscriber) -> None:
    """The forger asks for an address of their own, has that letter's Message-ID, and asks for a stranger's."""
    forger = make.subscriber("ada@example.org")
    accounts.ask_new_address(forger, "ada@forger.example", NOW)
    own = forger.notices.get(kind="address")
    accounts.ask_new_address(forger, "bob@example.net", NOW)
    assert bounces.take(about("bob@example.net", f"n.{own.uuid}.0"), NOW) == "unmatched"
    assert state("bob@example.net") == "active"
    assert not Suppression.objects.exists()


@pytest.mark.parametrize("kind", ["confirm", "link", "quiet", "goodbye"])
def test_the_old_mailbox_cannot_silence_the_new_one(kind: str, db: None) -> None:
    reader = make.subscriber("ada@old.example", new_email="ada@new.example")
    row = Notice.objects.create(
        kind=kind, subscriber=reader, dedupe_key="o", next_at=NOW, created_at=NOW, state="accepted"
    )
    accounts.take_new_address(reader, NOW)
    assert bounces.take(about("ada@new.example", f"n.{row.uuid}.0"), NOW) == "unmatched"
    assert state("ada@new.example") == "active"
    assert not Suppression.objects.exists()


def test_a_complaint_that_names_another_address_silences_nobody(letter: Delivery, stranger: Subscriber) -> None:
    assert bounces.take(complaint(letter, "bob@example.net"), NOW) == "unmatched"
    assert not Suppression.objects.exists()
    assert bounces.take(complaint(letter, "ada@example.org"), NOW) == "complained"
    assert state("ada@example.org") == "suppressed"


def complaint(letter: Delivery, address: str) -> bytes:
    return f"""\
From: reports@mail.example.net
Subject: complaint
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="b"

--b
Content-Type: message/feedback-report

Feedback-Type: abuse
Original-Rcpt-To: {address}

--b
Content-Type: text/rfc822-headers

Message-ID: <d.{letter.uuid}@offprint.localhost>

--b--
""".encode()


SECOND = b"""Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 no such user

Final-Recipient: rfc822; bob@example.net
Action: failed
Status: 5.2.2
Diagnostic-Code: smtp; 552 5.2.2 mailbox full
"""


def test_of_two_recipients_in_a_report_each_has_its_own_answer(letter: Delivery) -> None:
    """The other recipient's mailbox is full; ours does not exist. And the other way round."""
    first = report(f"d.{letter.uuid}", said="SAID")
    both = first.replace(b"Status: 5.1.1\nDiagnostic-Code: smtp; SAID\n", SECOND)
    swapped = both.replace(b"ada@example.org", b"x@x").replace(b"bob@example.net", b"ada@example.org")
    bounces.take(swapped.replace(b"x@x", b"bob@example.net"), NOW)
    assert state("ada@example.org") == "active"
    bounces.take(both, NOW)
    assert state("ada@example.org") == "suppressed"


# -- a person's mail is no report ------------------------------------------------------------------

GONE = "I have left. This address does not exist any more: user unknown. Write to bob@example.net or ada@example.org."
PERSONS = [
    ("Ada <ada@example.org>", "Re: 3 June: Failure modes of robots", "In-Reply-To: {id}\n"),
    ("Ada <ada@example.org>", "Undeliverable mail, returned", ""),
    ("Ada <ada@example.org>", "Automatic reply: 3 June", "Return-Path: <>\nAuto-Submitted: auto-replied\n"),
    ("Ada <ada@example.org>", "Out of office", "Return-Path: <>\n"),
    ("Ada <ada@example.org>", "Out of office: failure", "Return-Path: <>\nX-Autoreply: yes\n"),
    ("Desk <help@example.net>", "[#1] Delivery problem", "Auto-Submitted: auto-replied\nReferences: {id}\n"),
    ("Post Master <postmaster@example.org>", "Hello", ""),
    ("Post Master <postmaster@example.org>", "Re: delivery failure", "Return-Path: <>\nReferences: {id}\n"),
    ("Confirm <confirm@example.net>", "Delivery notification: confirm you are a person", ""),
]


@pytest.mark.parametrize(("sender", "subject", "more"), PERSONS)
def test_a_persons_mail_never_ends_letters(sender: str, subject: str, more: str, letter: Delivery) -> None:
    name = f"<d.{letter.uuid}@offprint.localhost>"
    head = f"From: {sender}\nTo: papers@offprint.localhost\nSubject: {subject}\n{more.format(id=name)}"
    assert bounces.take(f"{head}\n{GONE}\n\n> Message-ID: {name}\n".encode(), NOW) == "other"
    assert state("ada@example.org") == "active"
    assert not ProviderEvent.objects.exists()


def test_an_automatic_answer_that_looks_like_a_report_needs_a_servers_code(letter: Delivery) -> None:
    """An empty return path and another address of the reader's: words alone are no proof."""
    head = "Return-Path: <>\nFrom: Ada <ada.roe@example.net>\nSubject: I have left\n"
    bounces.take(f"{head}\n{GONE}\nMessage-ID: <d.{letter.uuid}@offprint.localhost>\n".encode(), NOW)
    assert state("ada@example.org") == "active"


def test_a_receipt_is_no_report(letter: Delivery) -> None:
    receipt = report(f"d.{letter.uuid}").replace(
        b"report-type=delivery-status", b"report-type=disposition-notification"
    )
    assert bounces.take(receipt, NOW) == "other"
    assert state("ada@example.org") == "active"


@pytest.mark.parametrize(
    "head",
    ["From: MAILER-DAEMON@mx.example.net", "Return-Path: <>\nFrom: postmaster@mx.example.net"],
)
def test_a_report_in_free_words_counts(head: str, letter: Delivery) -> None:
    words = (
        f"Sorry, no such user: <ada@example.org>\n\n--- copy of the message\nMessage-ID: <d.{letter.uuid}@x.example>"
    )
    assert bounces.take(f"{head}\nSubject: Mail failure\n\n{words}\n".encode(), NOW) == "bounced"
    assert state("ada@example.org") == "suppressed"


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("5.7.1", "550 5.7.1 user unknown"),
        ("5.1.1", "550 5.7.26 unauthenticated mail"),
        ("5.1.1", "550 5.1.1 blocked: spam"),
        ("5.0.0", "550 Sender address rejected: user unknown"),
        ("5.0.0", "553 sender domain does not exist"),
        ("5.4.5", "550 5.4.5 daily sending limit exceeded"),
        ("5.2.2", "552 5.2.2 mailbox full"),
        ("5.0.0", "550 too many recipients per hour"),
        ("4.1.1", "450 4.1.1 user unknown"),
        ("5.1.1", "450 4.2.0 user unknown, try again later"),
        ("5.0.0", "550 rejected"),
    ],
)
def test_one_sign_of_a_missing_address_does_not_suffice(status: str, said: str, letter: Delivery) -> None:
    bounces.take(report(f"d.{letter.uuid}", status, said), NOW)
    assert state("ada@example.org") == "active"


# -- odd mails -------------------------------------------------------------------------------------


def nested(kind: bytes) -> bytes:
    start = b"From: MAILER-DAEMON@x\nSubject: failure\nMIME-Version: 1.0\n"
    if kind == b"rfc822":
        return start + b"Content-Type: message/rfc822\n\n" * 5000
    each = b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n"
    return start + b"".join(each % (number, number) for number in range(5000))


def odd(letter: Delivery) -> dict[str, bytes]:
    good = report(f"d.{letter.uuid}")
    own = f"d.{letter.uuid}".encode()
    return {
        "no sender": good.replace(b"From: MAILER-DAEMON@mx.example.net (Mail Delivery System)\n", b""),
        "empty": b"",
        "bytes": bytes(range(256)) * 50,
        "raw": good.replace(b"no such user", b"\xff\xfe no such user \x80"),
        "raw sender": good.replace(b"Mail Delivery System", b"\xff\xfe"),
        "nul": good.replace(b"no such user", b"no \x00 such user"),
        "nul in address": good.replace(b"ada@example.org", b"a\x00da@example.org"),
        "dashes": good.replace(own, b"d." + b"-" * 36),
        "notice of dashes": good.replace(own, b"n." + b"-" * 36),
        "short": good.replace(own, b"d." + b"0" * 35 + b"-"),
        "first year": good.replace(b"Wed, 03 Jun 2026 06:10:00 +0000", b"Mon, 1 Jan 0001 00:00:00 +1400"),
        "last year": good.replace(b"Wed, 03 Jun 2026 06:10:00 +0000", b"Fri, 31 Dec 9999 23:59:59 -1400"),
        "no such zone": good.replace(b"06:10:00 +0000", b"06:10:00 +9999"),
        "no such hour": good.replace(b"06:10:00 +0000", b"99999999999999999999:00:00 +0000"),
        "long": good.replace(b"ada@example.org", b"a" * 100_000 + b"@example.org"),
        "charset": good.replace(b"text/plain", b'text/plain; charset="x-\x00-none"'),
        "encoding": good.replace(b"text/plain", b"text/plain\nContent-Transfer-Encoding: base64"),
        "words": good.replace(b"Undelivered", b"=?x-nope?b?AAAA?="),
        "deep": nested(b"mixed"),
        "deep mails": nested(b"rfc822"),
        "slow": b"From: MAILER-DAEMON@x\nSubject: undeliverable\n\n" + b"a." * 9000 + b"@" + b"a-" * 400 + b"\n",
    }  # fmt: skip


def read_all(place: Path | str) -> dict[str, int]:
    out = StringIO()
    call_command("read_bounces", str(place), "--json", stdout=out)
    found: dict[str, int] = json.loads(out.getvalue())
    return found


def as_folder(path: Path, mails: list[bytes]) -> Path:
    path.mkdir()
    for number, raw in enumerate(mails):
        (path / f"{number:03}.eml").write_bytes(raw)
    return path


def as_maildir(path: Path, mails: list[bytes]) -> Path:
    for name in ("cur", "new", "tmp"):
        (path / name).mkdir(parents=True)
    for number, raw in enumerate(mails):
        (path / "new" / f"{number:03}.x").write_bytes(raw)
    return path


def as_mbox(path: Path, mails: list[bytes]) -> Path:
    path.write_bytes(b"".join(b"From x Wed Jun  3 06:00:00 2026\n" + raw + b"\n\n" for raw in mails))
    return path


@pytest.mark.parametrize("write", [as_folder, as_maildir, as_mbox])
def test_no_odd_mail_keeps_the_others_from_being_read(
    write: Callable[[Path, list[bytes]], Path], letter: Delivery, tmp_path: Path
) -> None:
    mails = [*odd(letter).values(), report(f"d.{letter.uuid}")]
    counts = read_all(write(tmp_path / "mails", mails))
    assert counts["read"] == len(mails)
    assert counts["unreadable"] >= 2
    assert state("ada@example.org") == "suppressed"


def test_an_unreadable_mail_stays_where_it_is(letter: Delivery, tmp_path: Path) -> None:
    folder = as_folder(tmp_path / "mails", [nested(b"mixed")])
    (folder / "a folder.eml").mkdir()
    assert read_all(folder) == {"read": 2, "unreadable": 2}
    assert (folder / "000.eml").read_bytes() == nested(b"mixed")


def test_a_database_that_is_away_is_no_fault_of_the_mail(
    letter: Delivery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(raw: bytes, now: datetime) -> str:
        raise OperationalError("the server closed the connection")

    monkeypatch.setattr(bounces, "take", away)
    with pytest.raises(OperationalError):
        read_all(as_folder(tmp_path / "mails", [b"x"]))


class Mailbox:
    """An IMAP server's mailbox as imaplib shows it."""

    def __init__(self, mails: list[bytes]) -> None:
        self.mails = mails
        self.flags: dict[int, str] = {}

    def __call__(self, host: str, port: int) -> Mailbox:
        return self

    def __enter__(self) -> Mailbox:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def login(self, user: str, password: str) -> None:
        pass

    def select(self, name: str) -> None:
        pass

    def search(self, charset: None, what: str) -> tuple[str, list[bytes]]:
        unread = [str(number) for number in range(len(self.mails)) if number not in self.flags]
        return "OK", [" ".join(unread).encode()]

    def fetch(self, number: str, what: str) -> tuple[str, list[object]]:
        return "OK", [(b"BODY", self.mails[int(number)]), b")"]

    def store(self, number: bytes, act: str, flags: str) -> None:
        self.flags[int(number)] = flags


def test_an_odd_mail_in_a_mailbox_is_flagged_and_met_once(letter: Delivery, monkeypatch: pytest.MonkeyPatch) -> None:
    box = Mailbox([nested(b"mixed"), report(f"d.{letter.uuid}"), b""])
    monkeypatch.setattr(imaplib, "IMAP4_SSL", box)
    counts = read_all("imaps://u:p@mail.example.net/INBOX")
    assert counts == {"read": 3, "unreadable": 1, "bounced": 1, "other": 1}
    assert box.flags == {0: r"(\Seen \Flagged)", 1: r"(\Seen)", 2: r"(\Seen)"}
    assert state("ada@example.org") == "suppressed"


# -- the letter's own envelope sender --------------------------------------------------------------


@pytest.fixture
def own_envelopes(settings: Any) -> None:
    settings.MAIL_BOUNCE_ADDRESS = "bounces@example.org"


def to_envelope(letter: Delivery, name: str = "Delivered-To") -> bytes:
    """A report that quotes nothing of the letter."""
    envelope = envelopes.sender(f"<d.{letter.uuid}@offprint.localhost>")
    return f"{name}: {envelope}\n".encode() + report("of-another-letter")


@pytest.mark.parametrize("name", ["Delivered-To", "X-Original-To", "Envelope-To", "To"])
def test_a_report_to_the_letters_own_envelope_sender_names_the_letter(
    name: str, letter: Delivery, own_envelopes: None
) -> None:
    assert bounces.take(to_envelope(letter, name), NOW) == "bounced"
    assert state("ada@example.org") == "suppressed"


def test_the_envelope_sender_counts_for_the_letters_own_recipient_only(
    letter: Delivery, stranger: Subscriber, own_envelopes: None
) -> None:
    assert bounces.take(to_envelope(letter).replace(b"ada@", b"bob@"), NOW) == "unmatched"
    assert (state("ada@example.org"), state("bob@example.net")) == ("active", "active")


def test_a_vacation_answer_to_the_envelope_sender_ends_nothing(letter: Delivery, own_envelopes: None) -> None:
    """RFC 3834, section 4: automatic answers go to the return path."""
    envelope = envelopes.sender(f"<d.{letter.uuid}@offprint.localhost>")
    head = f"Return-Path: <>\nDelivered-To: {envelope}\nTo: {envelope}\nSubject: Auto: 3 June\n"
    for sender in ("Ada <ada@example.org>", "Ada <ada.roe@example.org>"):
        bounces.take(f"{head}From: {sender}\n\n{GONE}\n".encode(), NOW)
    assert state("ada@example.org") == "active"


# -- captured mails --------------------------------------------------------------------------------


def test_captured_answers_are_read_by_their_kind(captured: Path) -> None:
    """Nobody is ended by a policy, a quota or a passing failure; most missing addresses are known for what they are."""
    rows = captured_bounces.mails(captured / "mail" / "sisimai")
    assert sum(row.count for row in rows.values()) == 108
    assert {kind: rows[kind].final for kind in captured_bounces.NEVER_FINAL if rows[kind].final} == {}
    permanent = [rows[kind] for kind in captured_bounces.PERMANENT]
    found = sum(len(row.final) for row in permanent)
    assert found >= 0.85 * sum(row.count for row in permanent)


def test_captured_events_of_providers_are_read_by_their_kind(captured: Path) -> None:
    rows = captured_bounces.provider_events(captured / "mail" / "esp_webhooks_from_anymail")
    assert {kind: row.final for kind, row in rows.items() if kind in captured_bounces.NEVER_FINAL and row.final} == {}
    missing = rows[captured_bounces.ADDRESS]
    assert len(missing.final) >= 0.85 * missing.count


def test_the_table_in_the_documentation_is_what_is_measured(captured: Path) -> None:
    told = (Path(__file__).parents[3] / "docs" / "reliability.md").read_text()
    for line in captured_bounces.table(captured / "mail"):
        assert line in told


NOT_BOUNCES = ("is-not-bounce", "rfc3834")


def test_captured_reports_name_their_recipient(captured: Path) -> None:
    """All but a complaint and a mobile network's report without an address, and a notification in a form of its own."""
    files = sorted((captured / "mail" / "sisimai").glob("*.eml"))
    read = {path.name: bounces.read(path.read_bytes()) for path in files}
    real = {name: one for name, one in read.items() if not name.startswith(NOT_BOUNCES)}
    named = [name for name, one in real.items() if one and one.recipients]
    assert len(named) >= len(real) - 3, sorted(set(real) - set(named))
    assert not [name for name, one in read.items() if one and name.startswith(NOT_BOUNCES)]


@pytest.mark.parametrize(
    ("name", "kind", "severity"),
    [
        ("lhost-postfix-14", "bounced", "hard"),
        ("lhost-office365-12", "bounced", "soft"),
        ("lhost-exim-41", "deferred", ""),
        ("arf-16", "complained", ""),
        ("rhost-kddi-01", "bounced", "hard"),
    ],
)
def test_captured_bounces_say_how_final_they_are(name: str, kind: str, severity: str, captured: Path) -> None:
    found = bounces.read((captured / "mail" / "sisimai" / f"{name}.eml").read_bytes())
    assert found is not None
    assert (found.kind, found.severity) == (kind, severity)


def test_read_bounces_reads_a_folder(letter: Delivery, tmp_path: Path) -> None:
    (tmp_path / "one.eml").write_bytes(report(f"d.{letter.uuid}"))
    (tmp_path / "two.eml").write_bytes(b"Subject: hello\n\nhello\n")
    out = StringIO()
    call_command("read_bounces", str(tmp_path), "--json", stdout=out)
    assert json.loads(out.getvalue()) == {"read": 2, "bounced": 1, "other": 1}
