"""What one provider report says of an address: the type of a report, and how its words are read.

Anymail translates each provider's format into one shape; `bounces.Report` has the same shape for a bounce mail.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from subscriptions.mail import answers
from subscriptions.mail.answers import Kind

BY_MAIL = "smtp"  # the channel whose bounces come as mails, and are read by `report_mails`


class ProviderReport(Protocol):
    """The fields of Anymail's tracking event that are read here (anymail.dev, "Tracking sent mail status")."""

    event_type: str
    event_id: str | None
    message_id: str | None
    recipient: str | None
    timestamp: datetime | None
    metadata: Mapping[str, object] | None
    reject_reason: str | None
    description: str | None
    mta_response: str | None
    esp_event: object


# Provider -> the field of its own report that calls a bounce permanent, and the values that do.
PERMANENT: dict[str, tuple[tuple[str, ...], frozenset[object]]] = {
    "postmark": (("Type",), frozenset({"HardBounce", "BadEmailAddress"})),
    "brevo": (("event",), frozenset({"hard_bounce", "invalid_email"})),
    "amazon_ses": (("bounce", "bounceType"), frozenset({"Permanent"})),
    "resend": (("data", "bounce", "type"), frozenset({"Permanent"})),
    "mailersend": (("data", "type"), frozenset({"hard_bounced"})),
    "mailjet": (("hard_bounce",), frozenset({True})),
    "mandrill": (("event",), frozenset({"hard_bounce"})),
    "unisender_go": (("status",), frozenset({"hard_bounced"})),
}
# Providers whose description of a bounce is their own sentence, not the mail server's answer.
OWN_WORDS = frozenset({"resend", "postmark"})


def kind_of(channel: str, report: ProviderReport) -> Kind:
    """What the report says of the address.

    `GONE` only where the provider and the mail server agree, or one of them says nothing.
    """
    if report.event_type not in {"bounced", "rejected", "failed"}:
        return Kind.UNSAID
    if channel == BY_MAIL:
        return Kind(str(field(report.esp_event, "kind") or Kind.UNSAID.value))
    said = report.mta_response or ""
    if channel == "mailjet":
        said = str(field(report.esp_event, "error") or "")
    elif channel not in OWN_WORDS:
        said = f"{said} {report.description or ''}"
    kind = answers.kind(said, failed=True)
    is_permanent = _is_permanent(channel, report)
    if kind is Kind.GONE and is_permanent is False:
        return Kind.REFUSED
    if kind is Kind.UNSAID and is_permanent:
        return Kind.GONE
    return kind


def severity(channel: str, report: ProviderReport) -> str:
    """`hard` if the address does not exist, `soft` for any other bounce, else empty."""
    if kind_of(channel, report) is Kind.GONE:
        return "hard"
    if report.event_type == "bounced":
        return "soft"
    return ""


def field(fields: object, *path: str) -> object:
    """The value at a path of names in a JSON object; None where there is none."""
    for name in path:
        if not isinstance(fields, dict):
            return None
        fields = fields.get(name)
    return fields


def _is_permanent(channel: str, report: ProviderReport) -> bool | None:
    """Whether the provider itself calls the bounce permanent; None where it does not say."""
    raw = report.esp_event
    said = None
    if channel in PERMANENT:
        path, values = PERMANENT[channel]
        value = field(raw, *path)
        if value is not None:
            said = value in values
    if channel == "mailgun" and field(raw, "event-data", "severity") == "temporary":
        said = False
    if channel == "resend" and "hard bounce" in str(field(raw, "data", "bounce", "message")):
        said = True
    if said is None and report.reject_reason == "invalid":
        return True
    return said
