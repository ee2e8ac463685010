"""Reads bounce mails and complaint reports: the evidence of the SMTP channel.

A mail counts as a report only by its form (`report_mails`). A report is applied only where it names a letter of ours,
by the signed envelope sender or the letter's Message-ID, and only to the address that this letter went to. A request
to unsubscribe by mail, which the letters' List-Unsubscribe header offers, is processed here too.
"""

from __future__ import annotations

import email
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from digest.delivery.reports import events, report_mails
from digest.delivery.reports.provider_report import BY_MAIL
from digest.delivery.reports.report_mails import Bounce
from digest.models import Delivery
from subscriptions.mail import envelopes, notices, unsubscribe_mails
from subscriptions.models import Notice

LARGEST = 1_000_000  # bytes of one mail that are looked at


@dataclass
class Report:
    """A bounce mail in the shape of a `ProviderReport`."""

    event_type: str
    event_id: str | None
    message_id: str | None
    recipient: str | None
    timestamp: datetime | None
    description: str | None
    metadata: Mapping[str, object] | None
    esp_event: object
    reject_reason: str | None = None
    mta_response: str | None = None


def take(raw: bytes, now: datetime) -> str:
    """Read one mail and apply it.

    Answers `bounced`, `deferred`, `complained` or `delivered` for a report about a letter of ours, `unmatched` for one
    about no letter of ours or not about its recipient, `known` for one read before; `left` for a request to
    unsubscribe; `other` for any other mail. Raises whatever a mail that cannot be read makes the libraries raise.
    """
    raw = raw[:LARGEST]
    message = email.message_from_bytes(raw)
    bounce = report_mails.read(message, raw)
    if bounce is None:
        return unsubscribe_mails.take(message, now)
    letter = envelopes.read(message) or next(iter(bounce.message_ids), "")
    own = _address_of(letter)
    if own and events.address_hash(bounce.sender) == own:
        return "other"  # the reader's own mailbox answers by itself
    failure = bounce.about(lambda address: events.address_hash(address) == own)
    kind, identity = envelopes.parts(letter)
    metadata = {}
    if kind == "n":
        metadata["notice"] = str(identity)
    report = Report(
        event_type=failure.kind,
        event_id=sha256(raw).hexdigest()[:40],
        message_id=letter,
        recipient=failure.recipient or None,
        timestamp=bounce.at,
        description=failure.detail,
        metadata=metadata,
        esp_event={"kind": failure.cause.value},
    )
    row = events.remember(BY_MAIL, report, now)
    if row is None:
        return "known"
    events.apply(row, now)
    names_another = bool(row.address_hmac) and row.address_hmac != own
    return "unmatched" if not own or names_another else failure.kind


def read(raw: bytes) -> Bounce | None:
    """What this mail reports; None if it is no report (an automatic answer, a person's mail)."""
    raw = raw[:LARGEST]
    return report_mails.read(email.message_from_bytes(raw), raw)


def _address_of(letter: str) -> str:
    """The hash of the address that the letter of this Message-ID went to; empty where no letter has it."""
    kind, identity = envelopes.parts(letter)
    if kind == "d":
        return Delivery.objects.filter(uuid=identity).values_list("address_hmac", flat=True).first() or ""
    if kind == "n":
        notice = Notice.objects.filter(uuid=identity).select_related("subscriber").first()
        to = notices.went_to(notice) if notice else ""
        if to:
            return events.address_hash(to)
    return ""
