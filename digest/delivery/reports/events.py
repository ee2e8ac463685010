"""What mail providers report about letters: stored once, applied once, in any order.

Anymail translates each provider's words; `remember` keeps the event under a key of its own, `apply`
draws the consequences. States only rise (see `PROVIDER_EVENTS`), so late, repeated or shuffled events change nothing.
"""

from __future__ import annotations

import logging
import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from django.db import transaction

from digest.delivery import settle
from digest.delivery.channels import circuit_breaker
from digest.delivery.failpoints import failpoint
from digest.delivery.reports import reputation
from digest.models import Attempt, Delivery, ProviderEvent
from subscriptions import addresses, services
from subscriptions.db_retry import retry_on_db_error
from subscriptions.mail import answers, notices
from subscriptions.mail.answers import Kind
from subscriptions.models import Notice, Subscriber, Suppression

log = logging.getLogger(__name__)

# A letter's fate only rises; what stands further right is the stronger news.
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
PROOFS = frozenset(PROVIDER_EVENTS[1:])  # every one of these means that the provider had taken it
# Most events a clock of a provider may be ahead of ours.
AHEAD = timedelta(minutes=10)


def remember(channel: str, event: Any, now: datetime) -> ProviderEvent | None:
    """Store an Anymail event; None if it is known. An event's text is kept without addresses."""
    metadata = event.metadata or {}
    row = ProviderEvent(
        event_key=storable(key_of(channel, event), 200),
        channel=channel,
        type=storable(event.event_type, 30),
        occurred_at=_when(event.timestamp, now),
        received_at=now,
        attempt_key=storable(metadata.get("attempt", ""), 40),
        message_id=storable(event.message_id or "", 300),
        address_hmac=address_hash(storable(event.recipient or "", 400)),
        detail=storable(_plain(event), 300),
        raw={
            "severity": severity(channel, event),
            "kind": kind_of(channel, event).value,
            "notice": storable(metadata.get("notice", ""), 40),
        },
    )
    row.delivery = _delivery(str(metadata.get("delivery", "")), row)
    ProviderEvent.objects.bulk_create([row], ignore_conflicts=True)
    failpoint("evidence.stored")
    stored = ProviderEvent.objects.get(event_key=row.event_key)
    return stored if stored.applied_at is None else None


def storable(value: object, most: int) -> str:
    """The value as text that every database takes: no NUL, no half of a surrogate pair, at most so many characters."""
    return str(value).encode("utf-8", "replace").decode().replace("\x00", "")[:most]


def _when(told: datetime | None, now: datetime) -> datetime:
    """The time told, where it can be one; a clock ahead of ours is believed for `AHEAD` only."""
    if told is None:
        return now
    try:
        aware = told if told.tzinfo else told.replace(tzinfo=UTC)
        return min(aware.astimezone(UTC), now + AHEAD)
    except (OverflowError, ValueError):  # the first or the last hours of the calendar, moved by a zone
        return now


def keep_unreadable(channel: str, said: object, error: Exception, now: datetime) -> None:
    """Note a report that could not be read: the error's kind and the names of the fields, as values may be personal."""
    log.warning("a report of %s could not be read: %s", channel, type(error).__name__)
    fields = ", ".join(sorted(str(name) for name in said)) if isinstance(said, dict) else type(said).__name__
    detail = storable(f"{type(error).__name__}; fields: {fields}", 300)
    key = f"{channel}:unreadable:{sha256(f'{detail} {now.isoformat()}'.encode()).hexdigest()[:40]}"
    row = ProviderEvent(
        event_key=key,
        channel=channel,
        type="unreadable",
        occurred_at=now,
        received_at=now,
        applied_at=now,
        detail=detail,
    )
    ProviderEvent.objects.bulk_create([row], ignore_conflicts=True)


def key_of(channel: str, event: Any) -> str:
    """What makes an event the same when it is reported again.

    Mailgun's token is the key by itself: its signature does not cover the body, so a second body under
    the same signature must count as the same event.
    """
    if event.event_id:
        kind = "" if channel == "mailgun" else f":{event.event_type}"
        return f"{channel}:{event.event_id}{kind}"[:200]
    at = event.timestamp.isoformat() if event.timestamp else ""
    parts = (event.event_type, event.message_id, event.recipient, at, event.reject_reason, event.description)
    return f"{channel}:{sha256(repr(parts).encode()).hexdigest()}"


def kind_of(channel: str, event: Any) -> Kind:
    """What the report says of the address; `GONE` only where provider and mail server agree, or one is silent."""
    if event.event_type not in {"bounced", "rejected", "failed"}:
        return Kind.UNSAID
    raw = event.esp_event if isinstance(event.esp_event, dict) else {}
    if channel == BY_MAIL:
        return Kind(raw.get("kind", Kind.UNSAID))
    said = answers.kind(_said(channel, event, raw), failed=True)
    for_good = _FOR_GOOD.get(channel, lambda _: None)(raw)
    if for_good is None and event.reject_reason == "invalid":
        for_good = True
    if said is Kind.GONE and for_good is False:
        return Kind.REFUSED
    if said is Kind.UNSAID and for_good:
        return Kind.GONE
    return said


def _said(channel: str, event: Any, raw: dict[str, Any]) -> str:
    """The mail server's words. Resend and Postmark describe a bounce in sentences of their own, Mailjet in a field."""
    if channel == "mailjet":
        return str(raw.get("error", ""))
    own_words = "" if channel in {"resend", "postmark"} else event.description or ""
    return f"{event.mta_response or ''} {own_words}"


def severity(channel: str, event: Any) -> str:
    """`hard` if the address does not exist, `soft` for any other bounce, else nothing."""
    if kind_of(channel, event) is Kind.GONE:
        return "hard"
    return "soft" if event.event_type == "bounced" else ""


BY_MAIL = "smtp"  # the channel whose bounces come as mails, and are judged where they are read
# Whether the provider itself calls a bounce permanent; None where it does not say.
_FOR_GOOD: dict[str, Callable[[dict[str, Any]], bool | None]] = {
    "postmark": lambda raw: raw.get("Type") in {"HardBounce", "BadEmailAddress"} if "Type" in raw else None,
    "brevo": lambda raw: raw.get("event") in {"hard_bounce", "invalid_email"},
    "amazon_ses": lambda raw: raw.get("bounce", {}).get("bounceType") == "Permanent",
    "resend": lambda raw: _is_permanent(raw.get("data", {}).get("bounce", {})),
    "mailgun": lambda raw: False if raw.get("event-data", {}).get("severity") == "temporary" else None,
    "mailersend": lambda raw: raw.get("data", {}).get("type") == "hard_bounced",
    "mailjet": lambda raw: bool(raw.get("hard_bounce")) if "hard_bounce" in raw else None,
    "mandrill": lambda raw: raw.get("event") == "hard_bounce",
    "unisender_go": lambda raw: raw.get("status") == "hard_bounced",
}


def _is_permanent(bounce: dict[str, Any]) -> bool:
    return bounce.get("type") == "Permanent" or "hard bounce" in str(bounce.get("message", ""))


_ADDRESS = re.compile(r"[^\s<>\"'(),;:]+@[^\s<>\"'(),;:]+")


def _plain(event: Any) -> str:
    text = " ".join(f"{event.description or ''} {event.mta_response or ''}".split())
    return _ADDRESS.sub("<address>", text)


def address_hash(recipient: str) -> str:
    """Of the address reported; one that cannot be an address is nobody's, which is not the same as none."""
    try:
        return addresses.hmac(recipient) if recipient else ""
    except addresses.AddressError:
        return addresses.keyed_hash(recipient.lower())


def _delivery(identity: str, row: ProviderEvent) -> Delivery | None:
    """The letter it speaks of: by its own id, else by the provider's id for it."""
    own = re.match(r"<?d\.([0-9a-f-]{32,36})@", row.message_id)
    named = _uuid(identity) if identity else _uuid(own[1] if own else "")
    if named.int:
        return Delivery.objects.filter(uuid=named).first()
    attempt = Attempt.objects.filter(key=_uuid(row.attempt_key)).first() if row.attempt_key else None
    return _by_provider_id(attempt, row.message_id) if attempt else None


def _by_provider_id(attempt: Attempt, message_id: str) -> Delivery | None:
    for identity, known in attempt.provider_ids.items():
        if known == message_id:
            return Delivery.objects.filter(pk=int(identity)).first()
    return None


def _uuid(text: str) -> uuid.UUID:
    """The id in `text`, or one that nobody has."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return uuid.UUID(int=0)


# -- consequences -------------------------------------------------------------------------------


def apply(row: ProviderEvent, now: datetime) -> bool:
    """Draw the consequences, once; False if that was done, or if they wait for a person's word (`breaker.admit`).

    An event about no letter of ours has none.
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
            _to_letter(row, row.delivery, now)
            _to_reader(row, row.delivery.subscriber, row.delivery.address_hmac, now)
        elif row.raw.get("notice"):
            _to_notice(row, now)
        failpoint("evidence.applied")
    return True


def _to_letter(row: ProviderEvent, delivery: Delivery, now: datetime) -> None:
    """It was sent, whoever is named; what became of it is told by a report about its own recipient only."""
    if row.type not in PROOFS:
        return
    settle.mark_proven_sent(delivery, now)
    if row.address_hmac in {"", delivery.address_hmac}:
        weaker = PROVIDER_EVENTS[: PROVIDER_EVENTS.index(row.type)]
        Delivery.objects.filter(pk=delivery.pk, fate__in=weaker).update(fate=row.type)


def _to_reader(row: ProviderEvent, reader: Subscriber, address: str, now: datetime) -> None:
    """What an event means for the address the letter went to: no other it names, none the reader has changed to."""
    if not address or row.address_hmac not in {"", address}:
        return
    if row.type == "complained":
        _suppress(reader, address, Suppression.Reason.COMPLAINT, row, now)
    elif row.raw.get("severity") == "hard":
        _suppress(reader, address, Suppression.Reason.HARD_BOUNCE, row, now)
    elif row.type == "unsubscribed":
        if _is_theirs(reader, address) and not _said_yes_since(reader, row.occurred_at):
            circuit_breaker.admit(row, now)
            services.unsubscribe(reader, now)
    elif row.raw.get("kind") == Kind.REFUSED:
        if reputation.add_bounce(address, row.occurred_at):
            _suppress(reader, address, Suppression.Reason.HARD_BOUNCE, row, now)
    elif row.type == "delivered":
        reputation.restore(address, row.occurred_at)


def _is_theirs(reader: Subscriber, address: str) -> bool:
    return bool(reader.email) and addresses.keyed_hash(reader.email_key) == address


def _said_yes_since(reader: Subscriber, at: datetime) -> bool:
    return reader.consents.filter(act__in=("confirmed", "returned"), at__gt=at).exists()


def _suppress(reader: Subscriber, address: str, reason: str, row: ProviderEvent, now: datetime) -> None:
    circuit_breaker.admit(row, now)
    if _is_theirs(reader, address):
        services.suppress(reader.email, reason, now, row.detail)
        return
    Suppression.objects.get_or_create(
        address_hmac=address, defaults={"reason": reason, "detail": row.detail[:300], "since": now}
    )


def _to_notice(row: ProviderEvent, now: datetime) -> None:
    notice = Notice.objects.filter(uuid=_uuid(row.raw["notice"])).select_related("subscriber").first()
    if notice is None:
        return
    if row.type in PROOFS:
        doubtful = [Notice.State.UNCERTAIN, Notice.State.CLAIMED, Notice.State.PENDING]
        sent = Notice.objects.filter(pk=notice.pk, state__in=doubtful)
        sent.update(state=Notice.State.ACCEPTED, settled_at=now, claim=None, lease_until=None, to="")
    to = notices.address(notice)
    if to and row.address_hmac == addresses.hmac(to):  # where it names nobody, the reader may have moved since
        _to_reader(row, notice.subscriber, row.address_hmac, now)
