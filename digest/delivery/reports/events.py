"""Provider events: each is stored once and applied once, in any order.

Anymail translates each provider's format. `remember` stores the event under a key of its own, `apply` changes the
letter and the reader. A letter's last provider event (`Delivery.fate`) only moves up in `PROVIDER_EVENTS`, so late,
repeated or shuffled events change nothing.
"""

from __future__ import annotations

import logging
import re
import uuid
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from django.db import transaction

from digest.delivery import settle
from digest.delivery.channels import circuit_breaker
from digest.delivery.failpoints import failpoint
from digest.delivery.reports import provider_report, reputation
from digest.delivery.reports.provider_report import ProviderReport
from digest.models import Attempt, Delivery, ProviderEvent
from subscriptions import addresses, services
from subscriptions.db_retry import retry_on_db_error
from subscriptions.mail import notices
from subscriptions.mail.answers import Kind
from subscriptions.models import Notice, Subscriber, Suppression

log = logging.getLogger(__name__)

# What a provider reports of a letter, the stronger news further right.
PROVIDER_EVENTS = (
    "",
    "queued",
    "sent",
    "deferred",
    "delivered",
    "opened",
    "clicked",
    "unsubscribed",
    "rejected",
    "bounced",
    "complained",
)
PROOFS = frozenset(PROVIDER_EVENTS[1:])  # every one of these means that the provider had taken the letter
AHEAD = timedelta(minutes=10)  # how far a provider's clock may be ahead of ours
_ADDRESS = re.compile(r"[^\s<>\"'(),;:]+@[^\s<>\"'(),;:]+")
_OWN_ID = re.compile(r"<?d\.([0-9a-f-]{32,36})@")  # the Message-ID of a letter of ours


def remember(channel: str, report: ProviderReport, now: datetime) -> ProviderEvent | None:
    """Store a report without addresses; None if an equal one was stored and applied before."""
    metadata = report.metadata or {}
    detail = " ".join(f"{report.description or ''} {report.mta_response or ''}".split())
    row = ProviderEvent(
        event_key=storable(key_of(channel, report), 200),
        channel=channel,
        type=storable(report.event_type, 30),
        occurred_at=_when(report.timestamp, now),
        received_at=now,
        attempt_key=storable(metadata.get("attempt", ""), 40),
        message_id=storable(report.message_id or "", 300),
        address_hmac=address_hash(storable(report.recipient or "", 400)),
        detail=storable(_ADDRESS.sub("<address>", detail), 300),
        raw={
            "severity": provider_report.severity(channel, report),
            "kind": provider_report.kind_of(channel, report).value,
            "notice": storable(metadata.get("notice", ""), 40),
        },
    )
    row.delivery = _letter_of(row, str(metadata.get("delivery", "")))
    ProviderEvent.objects.bulk_create([row], ignore_conflicts=True)
    failpoint("evidence.stored")
    stored = ProviderEvent.objects.get(event_key=row.event_key)
    if stored.applied_at is not None:
        return None
    return stored


def storable(value: object, most: int) -> str:
    """The value as text that every database takes: no NUL, no half of a surrogate pair, at most `most` characters."""
    return str(value).encode("utf-8", "replace").decode().replace("\x00", "")[:most]


def _when(told: datetime | None, now: datetime) -> datetime:
    """The time told, in UTC and at most `AHEAD` after `now`; `now` where none is told or it cannot be one."""
    if told is None:
        return now
    if told.tzinfo is None:
        told = told.replace(tzinfo=UTC)
    try:
        return min(told.astimezone(UTC), now + AHEAD)
    except (OverflowError, ValueError):  # the first or the last hours of the calendar, moved by a zone
        return now


def keep_unreadable(channel: str, said: object, error: Exception, now: datetime) -> None:
    """Note a report that could not be read: the error's kind and the names of the fields, as values may be personal."""
    log.warning("a report of %s could not be read: %s", channel, type(error).__name__)
    fields = type(said).__name__
    if isinstance(said, dict):
        fields = ", ".join(sorted(map(str, said)))
    detail = storable(f"{type(error).__name__}; fields: {fields}", 300)
    digest = sha256(f"{detail} {now.isoformat()}".encode()).hexdigest()
    row = ProviderEvent(
        event_key=f"{channel}:unreadable:{digest[:40]}",
        channel=channel,
        type="unreadable",
        occurred_at=now,
        received_at=now,
        applied_at=now,
        detail=detail,
    )
    ProviderEvent.objects.bulk_create([row], ignore_conflicts=True)


def key_of(channel: str, report: ProviderReport) -> str:
    """The key that is the same when the same event is reported again.

    Mailgun's token is the key by itself: its signature does not cover the body, so a second body under
    the same signature must count as the same event.
    """
    if report.event_id:
        if channel == "mailgun":
            return f"{channel}:{report.event_id}"[:200]
        return f"{channel}:{report.event_id}:{report.event_type}"[:200]
    at = ""
    if report.timestamp:
        at = report.timestamp.isoformat()
    parts = (
        report.event_type,
        report.message_id,
        report.recipient,
        at,
        report.reject_reason,
        report.description,
    )
    return f"{channel}:{sha256(repr(parts).encode()).hexdigest()}"


def address_hash(recipient: str) -> str:
    """The keyed hash of the reported address; empty for no address. One that cannot be an address is nobody's."""
    if not recipient:
        return ""
    try:
        return addresses.hmac(recipient)
    except addresses.AddressError:
        return addresses.keyed_hash(recipient.lower())


def _letter_of(row: ProviderEvent, identity: str) -> Delivery | None:
    """The letter that the event is about: by its own id, else by the provider's id for it."""
    own = _OWN_ID.match(row.message_id)
    if not identity and own:
        identity = own[1]
    named = _uuid(identity)
    if named.int:
        return Delivery.objects.filter(uuid=named).first()
    attempt = Attempt.objects.filter(key=_uuid(row.attempt_key)).first()
    if attempt is None:
        return None
    for pk, known in attempt.provider_ids.items():
        if known == row.message_id:
            return Delivery.objects.filter(pk=int(pk)).first()
    return None


def _uuid(text: str) -> uuid.UUID:
    """The id in `text`, or one that nobody has."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return uuid.UUID(int=0)


# -- consequences -------------------------------------------------------------------------------


def apply(row: ProviderEvent, now: datetime) -> bool:
    """Apply the event once; False if that was done, or if it waits for an operator (`circuit_breaker.admit`).

    An event about no letter of ours changes nothing.
    """
    try:
        return _apply(row, now)
    except circuit_breaker.SurgeError:
        circuit_breaker.keep_back(row, now)
    except (ValueError, LookupError, TypeError) as error:  # one odd row must not keep the others from being applied
        log.error("the report %s could not be applied: %s", row.pk, type(error).__name__)
    return False


@retry_on_db_error
def _apply(row: ProviderEvent, now: datetime) -> bool:
    with transaction.atomic():
        if not ProviderEvent.objects.filter(pk=row.pk, applied_at=None).update(applied_at=now):
            return False
        if row.delivery is not None:
            _apply_to_letter(row, row.delivery, now)
            _apply_to_reader(row, row.delivery.subscriber, row.delivery.address_hmac, now)
        elif row.raw.get("notice"):
            _apply_to_notice(row, now)
        failpoint("evidence.applied")
    return True


def _apply_to_letter(row: ProviderEvent, delivery: Delivery, now: datetime) -> None:
    """The letter was sent, whoever is named; only a report about its own recipient becomes its last provider event."""
    if row.type not in PROOFS:
        return
    settle.mark_proven_sent(delivery, now)
    if row.address_hmac in {"", delivery.address_hmac}:
        weaker = PROVIDER_EVENTS[: PROVIDER_EVENTS.index(row.type)]
        Delivery.objects.filter(pk=delivery.pk, fate__in=weaker).update(fate=row.type)


def _apply_to_reader(row: ProviderEvent, reader: Subscriber, address: str, now: datetime) -> None:
    """Apply the event to the hash `address` that the letter went to, never to another address of the reader."""
    if not address or row.address_hmac not in {"", address}:
        return
    if row.type == "complained":
        _suppress(reader, address, Suppression.Reason.COMPLAINT, row, now)
    elif row.raw.get("severity") == "hard":
        _suppress(reader, address, Suppression.Reason.HARD_BOUNCE, row, now)
    elif row.type == "unsubscribed":
        has_returned = reader.consents.filter(act__in=("confirmed", "returned"), at__gt=row.occurred_at).exists()
        if _is_theirs(reader, address) and not has_returned:
            circuit_breaker.admit(row, now)
            services.unsubscribe(reader, now)
    elif row.raw.get("kind") == Kind.REFUSED:
        if reputation.add_bounce(address, row.occurred_at):
            _suppress(reader, address, Suppression.Reason.HARD_BOUNCE, row, now)
    elif row.type == "delivered":
        reputation.restore(address, row.occurred_at)


def _is_theirs(reader: Subscriber, address: str) -> bool:
    return bool(reader.email) and addresses.keyed_hash(reader.email_key) == address


def _suppress(reader: Subscriber, address: str, reason: str, row: ProviderEvent, now: datetime) -> None:
    circuit_breaker.admit(row, now)
    if _is_theirs(reader, address):
        services.suppress(reader.email, reason, now, row.detail)
        return
    Suppression.objects.get_or_create(
        address_hmac=address, defaults={"reason": reason, "detail": row.detail[:300], "since": now}
    )


def _apply_to_notice(row: ProviderEvent, now: datetime) -> None:
    """Apply the event to a one-off mail, and to its reader where it names the address that the mail went to."""
    notice = Notice.objects.filter(uuid=_uuid(row.raw["notice"])).select_related("subscriber").first()
    if notice is None:
        return
    if row.type in PROOFS:
        doubtful = [Notice.State.UNCERTAIN, Notice.State.CLAIMED, Notice.State.PENDING]
        sent = Notice.objects.filter(pk=notice.pk, state__in=doubtful)
        sent.update(state=Notice.State.ACCEPTED, settled_at=now, claim=None, lease_until=None, to="")
    to = notices.went_to(notice)
    if to and row.address_hmac == addresses.hmac(to):  # where it names nobody, the reader may have moved since
        _apply_to_reader(row, notice.subscriber, row.address_hmac, now)
