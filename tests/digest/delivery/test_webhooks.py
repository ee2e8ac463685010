"""Group H of the fault list: what providers report, in their own formats, and what is not theirs."""

from __future__ import annotations

import base64
import hashlib
import hmac as hmac_module
import itertools
import json
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID
from django.test import Client

from digest.delivery import plan
from digest.delivery.reports import events, webhooks
from digest.models import BounceScore, Delivery, ProviderEvent
from subscriptions.addresses import hmac
from subscriptions.models import Subscriber, Suppression
from tests import make
from tests.make import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:django-anymail has dropped")]

SECRET = "offprint:0123456789abcdefghijkl"
SIGNING_KEY = "key-0123456789abcdef"


@pytest.fixture
def letter() -> Delivery:
    make.edition(papers=[make.paper("Speech")])
    make.subscriber("ada@example.org", queries=["speech"])
    plan.plan(NOW)
    Delivery.objects.update(state="accepted", settled_at=NOW)
    return Delivery.objects.select_related("subscriber").get()


@pytest.fixture
def provider(settings: Any) -> Callable[[str], None]:
    def use(name: str) -> None:
        settings.MAIL_CHANNEL = name
        settings.ANYMAIL = {"WEBHOOK_SECRET": SECRET, "MAILGUN_WEBHOOK_SIGNING_KEY": SIGNING_KEY}

    use("postmark")
    return use


def post(name: str, body: Any, secret: str = SECRET, **headers: str) -> int:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    token = base64.b64encode(secret.encode()).decode()
    kept = {"HTTP_AUTHORIZATION": f"Basic {token}"} if secret else {}
    client = Client(raise_request_exception=False)
    return client.post(f"/hooks/{name}/", raw, content_type="application/json", **kept, **headers).status_code


def postmark(letter: Delivery, kind: str = "Delivery", **fields: Any) -> dict[str, Any]:
    return {
        "RecordType": kind,
        "MessageID": "883953f4-6105-42a2-a16a-77a8eac79483",
        "Recipient": "ada@example.org",
        "DeliveredAt": "2026-06-03T06:05:00Z",
        "Metadata": {"delivery": str(letter.uuid), "attempt": "a"},
        **fields,
    }


def bounce(letter: Delivery, kind: str = "HardBounce", number: int = 1) -> dict[str, Any]:
    extra = {"ID": number, "Type": kind, "Email": "ada@example.org", "BouncedAt": "2026-06-03T06:06:00Z"}
    return postmark(letter, "Bounce", **extra, Details="smtp;550 5.1.1 no such user")


# -- each provider's own words ------------------------------------------------------------------


def resend(letter: Delivery) -> dict[str, Any]:
    metadata = json.dumps({"delivery": str(letter.uuid)})
    data = {
        "email_id": "e1",
        "to": ["ada@example.org"],
        "headers": [{"name": "X-Metadata", "value": metadata}],
        "bounce": {"type": "Permanent", "message": "The recipient's email provider sent a hard bounce message."},
    }
    return {"type": "email.bounced", "created_at": "2026-06-03T06:06:00Z", "data": data}


def brevo(letter: Delivery) -> dict[str, Any]:
    return {
        "event": "hard_bounce",
        "email": "ada@example.org",
        "message-id": "<x@relay.example>",
        "ts_epoch": 1780466760000,
        "X-Mailin-custom": json.dumps({"delivery": str(letter.uuid)}),
    }


def mailgun(letter: Delivery, stamp: float | None = None, token: str = "t" * 50, **data: Any) -> dict[str, Any]:
    at = str(int(time.time() if stamp is None else stamp))
    signature = hmac_module.new(SIGNING_KEY.encode(), f"{at}{token}".encode(), hashlib.sha256).hexdigest()
    event = {
        "event": "failed",
        "severity": "permanent",
        "reason": "bounce",
        "timestamp": 1780466760.0,
        "recipient": "ada@example.org",
        "message": {"headers": {"message-id": "m1@example.org"}},
        "delivery-status": {"code": 550, "message": "5.1.1 no such user", "description": ""},
        "user-variables": {"delivery": str(letter.uuid)},
        **data,
    }
    return {"signature": {"timestamp": at, "token": token, "signature": signature}, "event-data": event}


@pytest.mark.parametrize(("name", "report"), [("resend", resend), ("brevo", brevo), ("mailgun", mailgun)])
def test_a_hard_bounce_suppresses_at_once(
    name: str, report: Callable[[Delivery], Any], letter: Delivery, provider: Callable[[str], None]
) -> None:
    provider(name)
    assert post(name, report(letter)) == 200
    assert Suppression.objects.get().reason == Suppression.Reason.HARD_BOUNCE
    assert Subscriber.objects.get().state == "suppressed"
    assert Delivery.objects.get().fate == "bounced"


def test_a_hard_bounce_by_postmark_suppresses_at_once(letter: Delivery, provider: Any) -> None:
    assert post("postmark", bounce(letter)) == 200
    assert Subscriber.objects.get().state == "suppressed"


def test_a_complaint_suppresses_at_once(letter: Delivery, provider: Any) -> None:
    post("postmark", postmark(letter, "SpamComplaint", Type="SpamComplaint", Email="ada@example.org", ID=3))
    assert Suppression.objects.get().reason == Suppression.Reason.COMPLAINT


def test_a_delivery_report_settles_a_doubt(letter: Delivery, provider: Any) -> None:
    Delivery.objects.update(state="ambiguous")
    post("postmark", postmark(letter))
    row = Delivery.objects.get()
    assert (row.state, row.fate) == ("accepted", "delivered")


def test_a_late_report_settles_what_was_named_as_uncertain(letter: Delivery, provider: Any) -> None:
    Delivery.objects.update(state="uncertain")
    post("postmark", postmark(letter))
    assert Delivery.objects.get().state == "accepted"


def refusal(letter: Delivery, day: int, details: str = "smtp;550 rejected") -> dict[str, Any]:
    at = f"2026-06-{day:02}T06:06:00Z"
    return {**bounce(letter, "SoftBounce", day), "DeliveredAt": at, "Details": details}


def test_refusals_without_a_reason_wear_an_address_down_and_a_delivery_restores_it(
    letter: Delivery, provider: Any
) -> None:
    for day in range(1, 6):
        post("postmark", refusal(letter, day))
    assert not Suppression.objects.exists()
    post("postmark", postmark(letter, DeliveredAt="2026-06-05T07:00:00Z"))
    for day in range(6, 11):
        post("postmark", refusal(letter, day))
    assert not Suppression.objects.exists()
    post("postmark", refusal(letter, 11))
    assert Suppression.objects.exists()


def test_many_refusals_of_one_day_count_once(letter: Delivery, provider: Any) -> None:
    for number in range(20):
        post("postmark", {**refusal(letter, 3), "ID": number})
    assert BounceScore.objects.get().bounces == 1


@pytest.mark.parametrize(
    "details",
    [
        "smtp;550 5.7.1 blocked by policy",
        "smtp;552 5.2.2 mailbox full",
        "smtp;550 5.4.5 daily sending limit exceeded",
        "smtp;550 too many messages per hour",
        "smtp;550 5.1.8 sender rejected",
        "smtp;451 4.4.1 connection timed out",
    ],
)
def test_troubles_that_are_not_the_addresses_never_end_a_reader(details: str, letter: Delivery, provider: Any) -> None:
    for day in range(1, 25):
        post("postmark", refusal(letter, day, details))
        post("postmark", {**refusal(letter, day, details), "Type": "HardBounce", "ID": 100 + day})
    assert ProviderEvent.objects.count() == 48
    assert Subscriber.objects.get().state == "active"
    assert not Suppression.objects.exists()


# -- the fault list -----------------------------------------------------------------------------


@pytest.mark.thorough
def test_f83_a_report_a_thousand_times_is_one_report(letter: Delivery, provider: Any) -> None:
    for _ in range(50):
        assert post("postmark", bounce(letter)) == 200
    assert ProviderEvent.objects.count() == 1


def test_f83_s16_a_captured_signature_cannot_carry_another_report(letter: Delivery, provider: Any) -> None:
    provider("mailgun")
    other = make.subscriber("bob@example.org")
    first = mailgun(letter, event="delivered", severity="")
    assert post("mailgun", first) == 200
    forged = {**first, "event-data": mailgun(letter, recipient=other.email)["event-data"]}
    assert post("mailgun", forged) == 200
    assert ProviderEvent.objects.count() == 1
    assert not Suppression.objects.exists()


def test_f83_s16_an_old_signature_is_refused(letter: Delivery, provider: Any) -> None:
    provider("mailgun")
    assert post("mailgun", mailgun(letter, stamp=time.time() - 3600)) == 400
    assert not ProviderEvent.objects.exists()


@pytest.mark.parametrize("secret", ["", "offprint:wrong", "other:0123456789abcdefghijkl"])
def test_f84_s16_a_report_without_the_secret_is_refused(secret: str, letter: Delivery, provider: Any) -> None:
    assert post("postmark", bounce(letter), secret=secret) == 401
    assert not ProviderEvent.objects.exists()


def test_f84_s16_without_a_secret_in_the_settings_nobody_is_let_in(
    letter: Delivery, provider: Any, settings: Any
) -> None:
    settings.ANYMAIL = {}
    assert post("postmark", bounce(letter), secret="") == 401
    assert not ProviderEvent.objects.exists()


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"RecordType": 5}', b"[" * 5000, b"\xff\xfe"])
def test_f84_s16_a_broken_report_is_refused_without_a_trace(body: bytes, letter: Delivery, provider: Any) -> None:
    assert post("postmark", body) in {200, 400}
    assert not Suppression.objects.exists()


def test_f84_s16_a_wrong_mailgun_key_is_refused(letter: Delivery, provider: Any, settings: Any) -> None:
    provider("mailgun")
    report = mailgun(letter)
    report["signature"]["signature"] = "0" * 64
    assert post("mailgun", report) == 400
    assert not ProviderEvent.objects.exists()


@pytest.mark.thorough
@pytest.mark.parametrize("name", ["mailgun", "postmark"])
def test_s16_a_thousand_guesses_at_a_secret_or_a_signature_leave_no_trace(
    name: str, letter: Delivery, provider: Any
) -> None:
    """Every guess differs from the right one in one place, or is another length."""
    provider(name)
    chance = random.Random(16)
    for _ in range(1000):
        if name == "mailgun":
            report = mailgun(letter)
            report["signature"]["signature"] = _off_by_one(report["signature"]["signature"], "0123456789abcdef", chance)
            assert post(name, report) == 400
        else:
            assert post(name, bounce(letter), secret=_off_by_one(SECRET, "abcdefgh0123456789:", chance)) == 401
    assert not ProviderEvent.objects.exists()
    assert not Suppression.objects.exists()


def _off_by_one(right: str, letters: str, chance: random.Random) -> str:
    at = chance.randrange(len(right))
    other = chance.choice([one for one in letters if one != right[at]])
    return chance.choice([right[:at] + other + right[at + 1 :], right[:at] + right[at + 1 :], right + other])


def test_f84_s16_another_providers_door_is_not_there(letter: Delivery, provider: Any) -> None:
    assert post("brevo", brevo(letter)) == 404
    assert post("nobody", {}) == 404


@pytest.fixture
def amazon(monkeypatch: pytest.MonkeyPatch, provider: Any) -> Callable[..., int]:
    """Signs SNS messages with a key of its own; the certificate stands where Amazon's would."""
    provider("amazon_ses")
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.example")])
    start = datetime.now(UTC) - timedelta(days=1)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    built = builder.serial_number(1).not_valid_before(start).not_valid_after(start + timedelta(days=9))
    pem = built.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    monkeypatch.setattr(webhooks, "certificate", lambda url: pem)

    def send(event: dict[str, Any], change: dict[str, Any] | None = None) -> int:
        message = {
            "Type": "Notification",
            "MessageId": "n1",
            "TopicArn": "arn:aws:sns:eu-west-1:1:bounces",
            "Message": json.dumps(event),
            "Timestamp": "2026-06-03T06:06:00.000Z",
            "SignatureVersion": "2",
            "SigningCertURL": "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123abcd.pem",
        }
        fields = ("Message", "MessageId", "Timestamp", "TopicArn", "Type")
        text = "".join(f"{one}\n{message[one]}\n" for one in fields)
        message["Signature"] = base64.b64encode(key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())).decode()
        sns = {"HTTP_X_AMZ_SNS_MESSAGE_TYPE": "Notification", "HTTP_X_AMZ_SNS_MESSAGE_ID": "n1"}
        return post("amazon_ses", {**message, **(change or {})}, **sns)

    return send


def ses_bounce(letter: Delivery) -> dict[str, Any]:
    metadata = {"name": "X-Metadata", "value": json.dumps({"delivery": str(letter.uuid)})}
    return {
        "eventType": "Bounce",
        "bounce": {
            "bounceType": "Permanent",
            "bounceSubType": "General",
            "timestamp": "2026-06-03T06:06:00Z",
            "bouncedRecipients": [{"emailAddress": "ada@example.org", "diagnosticCode": "550 5.1.1"}],
        },
        "mail": {"messageId": "m", "destination": ["ada@example.org"], "headers": [metadata], "tags": {}},
    }


@pytest.mark.thorough
def test_a_hard_bounce_by_amazon_suppresses_at_once(letter: Delivery, amazon: Callable[..., int]) -> None:
    assert amazon(ses_bounce(letter)) == 200
    assert Subscriber.objects.get().state == "suppressed"


@pytest.mark.parametrize(
    "change",
    [
        {"Message": "{}"},
        {"Signature": base64.b64encode(b"no").decode()},
        {"SigningCertURL": "https://evil.example/SimpleNotificationService-0123abcd.pem"},
        {"SigningCertURL": "https://sns.eu-west-1.amazonaws.com.evil.example/SimpleNotificationService-01.pem"},
        {"Type": "UnsubscribeConfirmation"},
    ],
)
def test_f84_s16_a_message_amazon_did_not_sign_is_refused(
    change: dict[str, Any], letter: Delivery, amazon: Callable[..., int]
) -> None:
    assert amazon(ses_bounce(letter), change) == 400
    assert not Suppression.objects.exists()


def said(letter: Delivery, kind: str, number: int) -> SimpleNamespace:
    return SimpleNamespace(
        event_type=kind, event_id=str(number), message_id="m", metadata={"delivery": str(letter.uuid)},
        recipient="ada@example.org", timestamp=NOW, reject_reason=None, description=None, mta_response=None,
        esp_event={},
    )  # fmt: skip


@pytest.mark.thorough
def test_f85_reports_in_any_order_end_the_same(letter: Delivery) -> None:
    kinds = ("sent", "deferred", "delivered", "complained")
    ends = set()
    for order in itertools.permutations(kinds):
        ProviderEvent.objects.all().delete()
        Suppression.objects.all().delete()
        Subscriber.objects.update(state="active")
        Delivery.objects.update(state="ambiguous", fate="")
        for kind in order:
            row = events.remember("postmark", said(letter, kind, kinds.index(kind)), NOW)
            assert row is not None
            events.apply(row, NOW)
        row = Delivery.objects.get()
        ends.add((row.state, row.fate, Suppression.objects.count(), Subscriber.objects.get().state))
    assert ends == {("accepted", "complained", 1, "suppressed")}


@pytest.mark.parametrize("odd", ["a\x00b", "a\ud800b", "\udcff"])
def test_a_report_with_what_no_database_stores_counts_all_the_same(letter: Delivery, odd: str) -> None:
    report = said(letter, "bounced", 1)
    report.event_id, report.message_id, report.description, report.mta_response = odd, odd, odd, odd
    report.metadata |= {"attempt": odd, "notice": odd}
    row = events.remember("postmark", report, NOW)
    assert row is not None
    assert row.delivery == letter
    assert events.remember("postmark", report, NOW) == row


def test_f86_a_report_about_no_letter_of_ours_changes_nothing(letter: Delivery, provider: Any) -> None:
    stranger = {**bounce(letter), "Metadata": {"delivery": "5b7de42c-0000-4000-8000-000000000000"}}
    assert post("postmark", stranger) == 200
    assert ProviderEvent.objects.get().delivery is None
    assert not Suppression.objects.exists()


def test_a_report_that_names_another_address_ends_nobody(letter: Delivery, provider: Any) -> None:
    make.subscriber("bob@example.org")
    assert post("postmark", {**bounce(letter), "Email": "bob@example.org"}) == 200
    assert post("postmark", {**bounce(letter, number=2), "Email": "not an address"}) == 200
    assert not Suppression.objects.exists()
    assert set(Subscriber.objects.values_list("state", flat=True)) == {"active"}


def test_a_mailbox_given_up_ends_nothing_at_the_new_one(letter: Delivery, provider: Any) -> None:
    """The provider's own button, pressed in the old mailbox after its reader moved."""
    Subscriber.objects.update(email="new@example.org", email_key="new@example.org")
    change = {"RecordType": "SubscriptionChange", "SuppressSending": True, "SuppressionReason": "ManualSuppression"}
    fields = {"ChangedAt": "2026-06-03T07:00:00Z", "Origin": "Recipient", "Recipient": "ada@example.org"}
    post("postmark", {**postmark(letter), **change, **fields})
    assert ProviderEvent.objects.get().type == "unsubscribed"
    assert Subscriber.objects.get().state == "active"


@pytest.mark.parametrize("bad", ["\x00", "\ud800", "\x00" * 500, "a\udfff\x00"])
def test_characters_that_no_database_takes_are_left_out(bad: str, letter: Delivery, provider: Any) -> None:
    report = {**bounce(letter), "MessageID": bad, "Details": f"550 5.1.1 user {bad} unknown", "Description": bad}
    report["Metadata"] = {"delivery": str(letter.uuid), "attempt": bad, "notice": bad}
    assert post("postmark", report) == 200
    row = ProviderEvent.objects.get()
    stored = f"{row.event_key}{row.message_id}{row.detail}{row.attempt_key}{row.raw}"
    assert "\x00" not in stored
    stored.encode()


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "1970-01-01T00:00:00Z"])
def test_a_time_at_the_end_of_the_calendar_is_stored(at: str, letter: Delivery, provider: Any) -> None:
    assert post("postmark", {**bounce(letter), "DeliveredAt": at}) == 200
    assert Subscriber.objects.get().state == "suppressed"


def sendgrid(letter: Delivery, number: int, **fields: Any) -> dict[str, Any]:
    return {
        "event": "bounce",
        "sg_event_id": f"event-{number}",
        "email": "ada@example.org",
        "timestamp": 1780466760 + number,
        "reason": "550 5.1.1 no such user",
        "delivery": str(letter.uuid),
        **fields,
    }


@pytest.mark.parametrize(
    "bad",
    [
        {"reason": "550 no\x00such"},
        {"email": None},
        {"timestamp": "soon"},
        {"timestamp": 10**30},
        {"event": ["bounce"]},
        {"email": {"a": 1}},
    ],
)
def test_one_bad_report_of_a_batch_does_not_lose_the_others(
    bad: dict[str, Any], letter: Delivery, provider: Callable[[str], None]
) -> None:
    provider("sendgrid")
    first = sendgrid(letter, 1, event="delivered")
    assert post("sendgrid", [first, sendgrid(letter, 2, **bad), sendgrid(letter, 3)]) == 200
    assert set(ProviderEvent.objects.values_list("type", flat=True)) >= {"delivered", "bounced"}
    assert ProviderEvent.objects.count() == 3
    assert Subscriber.objects.get().state == "suppressed"


@pytest.mark.parametrize("bad", [None, [], "x", 5])
def test_what_is_no_report_in_a_batch_is_noted_as_unreadable(
    bad: Any, letter: Delivery, provider: Callable[[str], None]
) -> None:
    provider("sendgrid")
    assert post("sendgrid", [bad, sendgrid(letter, 3)]) == 200
    assert sorted(ProviderEvent.objects.values_list("type", flat=True)) == ["bounced", "unreadable"]


def test_a_batch_of_sparkpost_is_taken_apart_too(letter: Delivery, provider: Callable[[str], None]) -> None:
    provider("sparkpost")
    event = {"type": "bounce", "event_id": "1", "rcpt_to": "ada@example.org", "timestamp": "1780466760",
             "rcpt_meta": {"delivery": str(letter.uuid)}, "bounce_class": "10",
             "raw_reason": "550 5.1.1 user unknown"}  # fmt: skip
    whole = {"msys": {"message_event": event}}
    assert post("sparkpost", [{"msys": 5}, {"no": 1}, whole]) == 200
    assert sorted(ProviderEvent.objects.values_list("type", flat=True)) == ["bounced", "unreadable", "unreadable"]
    assert Subscriber.objects.get().state == "suppressed"


def test_a_note_of_an_unreadable_report_holds_no_address(letter: Delivery, provider: Callable[[str], None]) -> None:
    provider("sendgrid")
    post("sendgrid", [sendgrid(letter, 1, timestamp="soon"), sendgrid(letter, 3)])
    assert "@" not in ProviderEvent.objects.get(type="unreadable").detail


MAILGUN_ANSWERS = [
    (550, "5.7.1 this message is likely unsolicited mail", "active"),
    (550, "5.7.26 the sender is unauthenticated", "active"),
    (553, "5.7.1 Sender address rejected: policy of this site", "active"),
    (552, "5.2.2 mailbox full", "active"),
    (550, "no", "active"),
    (550, "5.1.1 no such user", "suppressed"),
    (511, "user unknown", "suppressed"),
]


@pytest.mark.parametrize(("code", "said", "state"), MAILGUN_ANSWERS)
def test_mailgun_is_asked_for_the_servers_words_not_for_its_number(
    code: int, said: str, state: str, letter: Delivery, provider: Callable[[str], None]
) -> None:
    provider("mailgun")
    assert post("mailgun", mailgun(letter, **{"delivery-status": {"code": code, "message": said}})) == 200
    assert Subscriber.objects.get().state == state


def test_a_provider_that_calls_a_policy_permanent_ends_nobody(letter: Delivery, amazon: Callable[..., int]) -> None:
    report = ses_bounce(letter)
    report["bounce"]["bouncedRecipients"][0]["diagnosticCode"] = "smtp; 550 5.7.1 blocked by our policy"
    assert amazon(report) == 200
    assert Subscriber.objects.get().state == "active"


def test_f87_a_report_that_is_too_large_is_refused_unread(letter: Delivery, provider: Any) -> None:
    assert post("postmark", b" " * 1_100_000) == 413


def test_f12_a_report_stored_but_not_applied_is_taken_up_later(letter: Delivery) -> None:
    from digest.delivery.channels import evidence

    events.remember("postmark", said(letter, "complained", 1), NOW)
    assert not Suppression.objects.exists()
    assert evidence.apply_waiting(NOW) == {"complained": 1}
    assert evidence.apply_waiting(NOW) == {}
    assert Suppression.objects.count() == 1


def test_a_report_that_cannot_be_applied_keeps_no_other_waiting(
    letter: Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    from digest.delivery.channels import evidence
    from digest.delivery.reports import reputation

    def fall(address: str, at: datetime) -> None:
        raise ValueError("an odd row")

    monkeypatch.setattr(reputation, "restore", fall)
    events.remember("postmark", said(letter, "delivered", 1), NOW)
    events.remember("postmark", said(letter, "complained", 2), NOW)
    assert evidence.apply_waiting(NOW) == {"complained": 1}
    assert Subscriber.objects.get().state == "suppressed"


def test_f89_a_bounce_is_for_the_address_the_letter_went_to(letter: Delivery, provider: Any) -> None:
    Subscriber.objects.update(email="new@example.org", email_key="new@example.org")
    post("postmark", bounce(letter))
    assert Suppression.objects.get().address_hmac == hmac("ada@example.org")
    assert Subscriber.objects.get().state == "active"


def test_no_address_is_kept_with_a_report(letter: Delivery, provider: Any) -> None:
    post("postmark", {**bounce(letter), "Details": "550 <ada@example.org> unknown"})
    row = ProviderEvent.objects.get()
    assert "ada@" not in f"{row.raw} {row.detail} {row.event_key}"


def test_looking_at_the_door_changes_nothing(provider: Any, client: Client) -> None:
    assert client.get("/hooks/postmark/").status_code == 405
    assert client.head("/hooks/postmark/").status_code == 200
