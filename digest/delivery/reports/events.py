"""What mail providers report about letters: stored once, applied once, in any order.

Anymail translates each provider's words; `remember` keeps the event under a key of its own, `apply`
draws the consequences. States only rise (see `FATES`), so late, repeated or shuffled events change nothing.
"""

from __future__ import annotations

import re
import uuid
from datetime import datetime, timedelta
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
from subscriptions.mail import notices
from subscriptions.models import Notice, Subscriber, Suppression

# A letter's fate only rises; what stands further right is the stronger news.
FATES = (
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
PROOFS = frozenset(FATES[1:])  # every one of these means that the provider had taken it
# Most events a clock of a provider may be ahead of ours.
AHEAD = timedelta(minutes=10)


def remember(channel: str, event: Any, now: datetime) -> ProviderEvent | None:
    """Store an Anymail event; None if it is known. An event's text is kept without addresses."""
    metadata = event.metadata or {}
    row = ProviderEvent(
        event_key=key_of(channel, event),
        channel=channel,
        type=str(event.event_type)[:30],
        occurred_at=min(event.timestamp or now, now + AHEAD),
        received_at=now,
        attempt_key=str(metadata.get("attempt", ""))[:40],
        message_id=str(event.message_id or "")[:300],
        address_hmac=_hash(event.recipient),
        detail=_plain(event)[:300],
        raw={"severity": severity(channel, event), "notice": str(metadata.get("notice", ""))[:40]},
    )
    row.delivery = _delivery(str(metadata.get("delivery", "")), row)
    ProviderEvent.objects.bulk_create([row], ignore_conflicts=True)
    failpoint("evidence.stored")
    stored = ProviderEvent.objects.get(event_key=row.event_key)
    return stored if stored.applied_at is None else None


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


def severity(channel: str, event: Any) -> str:
    """`hard` if the address does not exist, `soft` for any other bounce, else nothing."""
    if event.event_type not in {"bounced", "rejected", "failed"}:
        return ""
    raw = event.esp_event if isinstance(event.esp_event, dict) else {}
    hard = _HARD.get(channel, lambda _: None)(raw)
    if hard is None:
        text = f"{event.mta_response or ''} {event.description or ''}"
        hard = event.reject_reason == "invalid" or bool(_GONE.search(text))
    if event.event_type != "bounced" and not hard:
        return ""
    return "hard" if hard else "soft"


_GONE = re.compile(r"\b5\.(1\.[1236]|1\.10|2\.1)\b|user unknown|no such user|does not exist", re.IGNORECASE)
# Where the provider says by itself whether a bounce is for good.
_HARD: dict[str, Any] = {
    "postmark": lambda raw: raw.get("Type") in {"HardBounce", "BadEmailAddress"} if "Type" in raw else None,
    "brevo": lambda raw: raw.get("event") in {"hard_bounce", "invalid_email"},
    "amazon_ses": lambda raw: raw["bounce"].get("bounceType") == "Permanent" if "bounce" in raw else None,
    "resend": lambda raw: _resend_is_hard(raw.get("data", {}).get("bounce", {})),
    "smtp": lambda raw: raw.get("severity") == "hard",
    "mailgun": lambda raw: _mailgun_is_hard(raw.get("event-data", {})),
}


def _resend_is_hard(bounce: dict[str, Any]) -> bool:
    return bounce.get("type") == "Permanent" or "hard bounce" in str(bounce.get("message", ""))


def _mailgun_is_hard(data: dict[str, Any]) -> bool:
    code = data.get("delivery-status", {}).get("code") if isinstance(data.get("delivery-status"), dict) else None
    return data.get("severity") == "permanent" and code in {550, 551, 553, 605}


_ADDRESS = re.compile(r"[^\s<>\"'(),;:]+@[^\s<>\"'(),;:]+")


def _plain(event: Any) -> str:
    text = " ".join(f"{event.description or ''} {event.mta_response or ''}".split())
    return _ADDRESS.sub("<address>", text)


def _hash(recipient: str | None) -> str:
    try:
        return addresses.hmac(recipient) if recipient else ""
    except addresses.AddressError:
        return ""


def _delivery(identity: str, row: ProviderEvent) -> Delivery | None:
    """The letter it speaks of: by its own id, else by the provider's id for it."""
    try:
        return Delivery.objects.filter(uuid=uuid.UUID(identity)).first()
    except ValueError:
        pass
    message_id = row.message_id.strip("<>")
    own = re.match(r"d\.([0-9a-f-]{32,36})@", message_id)
    if own:
        return Delivery.objects.filter(uuid=uuid.UUID(own[1])).first()
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
    if row.type not in PROOFS:
        return
    settle.mark_proven_sent(delivery, now)
    weaker = FATES[: FATES.index(row.type)]
    Delivery.objects.filter(pk=delivery.pk, fate__in=weaker).update(fate=row.type)


def _to_reader(row: ProviderEvent, reader: Subscriber, address: str, now: datetime) -> None:
    """What an event means for the address the letter went to (not for one the reader has changed to since)."""
    if row.type == "complained":
        _suppress(reader, address, Suppression.Reason.COMPLAINT, row, now)
    elif row.raw.get("severity") == "hard":
        _suppress(reader, address, Suppression.Reason.HARD_BOUNCE, row, now)
    elif row.type == "unsubscribed":
        if not reader.consents.filter(act__in=("confirmed", "returned"), at__gt=row.occurred_at).exists():
            circuit_breaker.admit(row, now)
            services.unsubscribe(reader, now)
    elif row.raw.get("severity") == "soft":
        if reputation.add_bounce(address, row.occurred_at):
            _suppress(reader, address, Suppression.Reason.HARD_BOUNCE, row, now)
    elif row.type == "delivered":
        reputation.restore(address, row.occurred_at)


def _suppress(reader: Subscriber, address: str, reason: str, row: ProviderEvent, now: datetime) -> None:
    circuit_breaker.admit(row, now)
    if reader.email and addresses.keyed_hash(reader.email_key) == address:
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
    reader = notice.subscriber
    own = "" if notice.kind in notices.ELSEWHERE else addresses.keyed_hash(reader.email_key)
    if reader.email and (address := row.address_hmac or own):
        _to_reader(row, reader, address, now)
