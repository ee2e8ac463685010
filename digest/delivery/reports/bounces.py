"""Bounce mails and complaint reports, read from a mailbox or file: the evidence of the SMTP channel.

`flufl.bounce` (Mailman's) knows dozens of servers' own formats; here are added what RFC 3464 says about
permanence, feedback reports (RFC 5965), servers it does not know, and which of our letters it is about.
Only a report that carries the letter's own Message-ID has consequences: it cannot be guessed, so nobody
can silence a reader by a forged bounce.
"""

from __future__ import annotations

import email
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import Message
from email.utils import parseaddr, parsedate_to_datetime
from hashlib import sha256
from typing import Any

from flufl.bounce import all_failures

from digest.delivery.reports import events

LARGEST = 1_000_000  # bytes of one report that are looked at
BY_MAIL = "smtp"  # the channel whose bounces come as mails


@dataclass(frozen=True)
class Bounce:
    """What a report says. `kind`: bounced, deferred, complained; `severity`: hard, soft or nothing."""

    kind: str
    severity: str
    recipients: tuple[str, ...]
    message_ids: tuple[str, ...]
    detail: str
    at: datetime | None = None


@dataclass
class Report:
    """A bounce in the shape of an Anymail event, for `events.remember`."""

    event_type: str
    event_id: str
    message_id: str
    recipient: str | None
    timestamp: datetime | None
    description: str
    reject_reason: str | None = None
    mta_response: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    esp_event: dict[str, Any] = field(default_factory=dict)


def take(raw: bytes, now: datetime) -> str:
    """Read one mail and draw its consequences: `bounced`, `deferred`, `complained`, `known`, `unmatched` or `other`."""
    bounce = read(raw[:LARGEST])
    if bounce is None:
        return "other"
    report = Report(
        event_type=bounce.kind,
        event_id=sha256(raw).hexdigest()[:40],
        message_id=bounce.message_ids[0] if bounce.message_ids else "",
        recipient=bounce.recipients[0] if bounce.recipients else None,
        timestamp=bounce.at,
        description=bounce.detail,
        metadata=_notice(bounce),
        esp_event={"severity": bounce.severity},
    )
    row = events.remember(BY_MAIL, report, now)
    if row is None:
        return "known"
    events.apply(row, now)
    return bounce.kind if row.delivery_id or row.raw.get("notice") else "unmatched"


def _notice(bounce: Bounce) -> dict[str, str]:
    """One-off mail is known by its Message-ID too: `<n.{uuid}.{repeat}@…>`."""
    found = re.match(r"<n\.([0-9a-f-]{36})", bounce.message_ids[0]) if bounce.message_ids else None
    return {"notice": found[1]} if found else {}


# -- reading ------------------------------------------------------------------------------------


def read(raw: bytes) -> Bounce | None:
    """What this mail reports; None if it is no report (an automatic answer, a person's mail)."""
    message = email.message_from_bytes(raw)
    text = _text(message)
    if _is_feedback(message):
        return Bounce(
            "complained", "", tuple(_feedback_recipients(message)), _ours(raw), "feedback report", _date(message)
        )
    temporary, permanent = all_failures(message)
    recipients = [one.decode("ascii", "replace") for one in (*permanent, *temporary)]
    if not recipients and not _looks_like_bounce(message):
        return None
    recipients = recipients or list(_named_in(text, message))
    statuses = list(_statuses(message))
    if not recipients and not statuses:
        return None
    kind, severity = _judge(statuses, text, bool(permanent), bool(temporary))
    return Bounce(kind, severity, tuple(recipients), _ours(raw), _detail(statuses, text), _date(message))


def _judge(statuses: list[tuple[str, str, str]], text: str, permanent: bool, temporary: bool) -> tuple[str, str]:
    """RFC 3464: the action first, then the class of the status; else the words and codes of the text."""
    for action, status, diagnostic in statuses:
        if action in {"delayed", "relayed", "expanded", "delivered"}:
            return ("deferred" if action == "delayed" else "delivered"), ""
        if status.startswith("5") or _GONE.search(diagnostic):
            return "bounced", "hard" if _is_gone(status, diagnostic) else "soft"
        if status.startswith("4"):
            return ("bounced", "soft") if action == "failed" else ("deferred", "")
    if temporary and not permanent:
        return "deferred", ""
    return "bounced", "hard" if _GONE.search(text) else "soft"


_GONE = re.compile(
    r"5\.1\.(1|2|3|6|10)\b|user unknown|unknown user|no such (user|address|recipient|mailbox|person)|does ?n.t exist|"
    r"does not exist|mailbox (unavailable|not found)|invalid (recipient|mailbox|address)|not a (known|valid) user|"
    r"address rejected|host (unknown|not found)|no mailbox here|recipient unknown|account (is )?disabled",
    re.IGNORECASE,
)


def _is_gone(status: str, diagnostic: str) -> bool:
    """Whether the address itself is said not to exist (RFC 3463, 3.2), not its mailbox full or the text unwanted."""
    if re.fullmatch(r"5\.1\.(1|2|3|6|10)|5\.2\.1", status):
        return True
    return status in {"5.0.0", "5.1.0", "5.2.0", "5.3.0", "5.5.0", ""} and bool(_GONE.search(diagnostic))


def _statuses(message: Message) -> Iterator[tuple[str, str, str]]:
    for part in message.walk():
        if part.get_content_type() == "message/delivery-status" and isinstance(part.get_payload(), list):
            for block in part.get_payload():
                if isinstance(block, Message) and ("action" in block or "status" in block):
                    found = re.search(r"[245]\.\d{1,3}\.\d{1,3}", str(block.get("status", "")))
                    action = str(block.get("action", "")).split()[:1]
                    diagnostic = " ".join(str(block.get("diagnostic-code", "")).split())
                    yield (action[0].lower() if action else ""), (found[0] if found else ""), diagnostic


def _is_feedback(message: Message) -> bool:
    """RFC 5965, or Microsoft's own form."""
    return any(
        part.get_content_type() == "message/feedback-report" or "x-hmxmroriginalrecipient" in part
        for part in message.walk()
    )


def _feedback_recipients(message: Message) -> Iterator[str]:
    for part in message.walk():
        if part.get_content_type() == "message/feedback-report":
            for block in part.get_payload() if isinstance(part.get_payload(), list) else [part]:
                if isinstance(block, Message):
                    yield from (parseaddr(str(one))[1] for one in block.get_all("original-rcpt-to", []))
    for part in message.walk():  # Microsoft's reports are not in the standard form
        if "x-hmxmroriginalrecipient" in part:
            yield parseaddr(str(part["x-hmxmroriginalrecipient"]))[1]


_BOUNCING = re.compile(
    r"undeliver|failure|delivery failed|returned|delivery (status|report|problem|error|notification)|"
    r"mail system error|could not be delivered|not delivered|rejected",
    re.IGNORECASE,
)


def _looks_like_bounce(message: Message) -> bool:
    if (
        str(message.get("auto-submitted", "")).lower().startswith("auto-replied")
        and "report" not in message.get_content_type()
    ):
        return bool(re.search(r"mailer-daemon|postmaster", str(message.get("from", "")), re.IGNORECASE))
    sender = re.search(
        r"mailer-daemon|postmaster|mail.?delivery|mailerdaemon", str(message.get("from", "")), re.IGNORECASE
    )
    return bool(sender) or bool(_BOUNCING.search(str(message.get("subject", ""))))


_ADDRESS = re.compile(r"[\w.+=#$%&'*/?^`{|}~-]+@[\w-]+(?:\.[\w-]+)+")


def _named_in(text: str, message: Message) -> Iterator[str]:
    """Addresses in the report's own words that are neither its sender nor whom it was sent to."""
    own = {parseaddr(str(message.get(name, "")))[1].lower() for name in ("from", "to", "return-path")}
    words = re.split(r"(?im)^\s*-{2,}.*(original|copy|returned).*$|^received:", text)[0]
    for found in dict.fromkeys(_ADDRESS.findall(words)):
        local = found.partition("@")[0].lower()
        if found.lower() not in own and local not in {"postmaster", "mailer-daemon", "abuse", "support"}:
            yield found


def _text(message: Message) -> str:
    """The first readable words of the report."""
    for part in message.walk():
        if part.get_content_maintype() == "text":
            payload = part.get_payload(decode=True)
            if isinstance(payload, bytes):
                return payload.decode("utf-8", "replace")[:20_000]
    return ""


_OURS = re.compile(rb"<[dn]\.[0-9a-f-]{36}[.0-9]*@[\w.-]+>")


def _ours(raw: bytes) -> tuple[str, ...]:
    """Message-IDs of our own letters anywhere in the report."""
    return tuple(dict.fromkeys(found.decode() for found in _OURS.findall(raw)))


def _detail(statuses: list[tuple[str, str, str]], text: str) -> str:
    said = " ".join(f"{status} {diagnostic}" for _, status, diagnostic in statuses).strip()
    return (said or " ".join(text.split()))[:300]


def _date(message: Message) -> datetime | None:
    try:
        at = parsedate_to_datetime(str(message.get("date", "")))
    except (ValueError, TypeError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
