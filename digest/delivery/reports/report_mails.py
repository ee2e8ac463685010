"""Delivery and complaint reports as mails: which mails are reports, and what they say of which address.

`flufl.bounce` (Mailman's) knows dozens of servers' own formats. This module adds the form by which a report is told
from a person's answer (RFC 3464, RFC 3834), a report's status fields (RFC 3464) and feedback reports (RFC 5965).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.message import Message
from email.utils import parseaddr, parsedate_to_datetime

from flufl.bounce import all_failures

from subscriptions.mail import answers
from subscriptions.mail.answers import Kind

MOST_TEXT = 20_000  # characters of a report's own words that are looked at


@dataclass(frozen=True)
class Failure:
    """What became of the letter at one recipient. `kind`: bounced, deferred, delivered or complained.

    `addresses` are the recipient's in this report, as reported and as first written; `recipient` is the one meant.
    """

    kind: str
    cause: Kind
    addresses: tuple[str, ...]
    detail: str
    recipient: str = ""

    @property
    def severity(self) -> str:
        """`hard` if the address does not exist, `soft` for any other bounce, else nothing."""
        if self.kind != "bounced":
            return ""
        if self.cause is Kind.GONE:
            return "hard"
        return "soft"


@dataclass(frozen=True)
class Bounce:
    """A report: at least one failure, the Message-IDs of ours in it, its date. The first failure speaks for it."""

    failures: tuple[Failure, ...]
    message_ids: tuple[str, ...]
    sender: str
    at: datetime | None = None

    @property
    def kind(self) -> str:
        return self.failures[0].kind

    @property
    def severity(self) -> str:
        return self.failures[0].severity

    @property
    def recipients(self) -> tuple[str, ...]:
        found: dict[str, None] = {}
        for failure in self.failures:
            found.update(dict.fromkeys(failure.addresses))
        return tuple(found)

    def about(self, is_own: Callable[[str], bool]) -> Failure:
        """The failure at the letter's own recipient; the first one, under its first address, where none is named so."""
        for failure in self.failures:
            for address in failure.addresses:
                if is_own(address):
                    return replace(failure, recipient=address)
        first = self.failures[0]
        return replace(first, recipient=next(iter(first.addresses), ""))


def read(message: Message, raw: bytes) -> Bounce | None:
    """What the mail (parsed, and as it came) reports; None if it is a person's or an automatic answer."""
    form = _form(message)
    if form is None:
        return None
    failures = _failures(message, form)
    if not failures:
        return None
    sender = parseaddr(str(message.get("from", "")))[1]
    return Bounce(tuple(failures), _own_message_ids(raw), sender, _date(message))


# -- which mails are reports ----------------------------------------------------------------------

# How much the form proves. A mail with an empty return path may still be an automatic answer (RFC 3834, section 4).
SURE, LIKELY = "sure", "likely"
_DAEMON = re.compile(r"mailer[-_. ]?daemon|^\W*<>\W*$|mail delivery (sub)?system", re.IGNORECASE)
_POSTMASTER = re.compile(r"(^|<|\s)postmaster@", re.IGNORECASE)
_NO_RETURN = re.compile(r"<?(\s*|null|mailer-daemon\b.*)>?", re.IGNORECASE)
# As a whole subject begins; a person's answer begins with "Re:" or its like.
_BOUNCING = re.compile(
    r"undeliver|failure notice|returned mail|(mail )?delivery (failed|failure|status|problem|error|notification)|"
    r"mail system error",
    re.IGNORECASE,
)


def _form(message: Message) -> str | None:
    """`SURE`, `LIKELY`, or None for a mail that is no report."""
    if _is_feedback(message):
        return SURE
    if message.get_content_type() == "multipart/report":
        if "disposition-notification" in str(message.get_param("report-type", "")).lower():
            return None  # a receipt: the letter was shown or deleted (RFC 8098)
        if any(part.get_content_type() == "message/delivery-status" for part in message.walk()):
            return SURE
    sender = str(message.get("from", ""))
    if _DAEMON.search(sender):
        return SURE
    if "in-reply-to" in message or "references" in message:
        return None
    returns = message.get("return-path")
    no_return = returns is not None and bool(_NO_RETURN.fullmatch(str(returns).strip()))
    bouncing = bool(_BOUNCING.match(str(message.get("subject", "")).strip()))
    is_automatic = "auto-replied" in str(message.get("auto-submitted", "")).lower()
    if _POSTMASTER.search(sender):
        is_sure = no_return or bouncing
        is_likely = False
    else:
        is_sure = no_return and bouncing and not is_automatic
        is_likely = no_return and not is_automatic
    if is_sure:
        return SURE
    if is_likely:
        return LIKELY
    return None


def _is_feedback(message: Message) -> bool:
    """RFC 5965, or Microsoft's own form."""
    if message.get_content_type() == "multipart/report":
        return any(part.get_content_type() == "message/feedback-report" for part in message.walk())
    return message.is_multipart() and any("x-hmxmroriginalrecipient" in part for part in message.walk())


# -- what they say --------------------------------------------------------------------------------


def _complaint(message: Message) -> Failure:
    """The recipients that a feedback report names; Microsoft's reports are not in the standard form."""
    found = []
    for part in message.walk():
        for name in ("original-rcpt-to", "x-hmxmroriginalrecipient"):
            for value in part.get_all(name, []):
                address = parseaddr(str(value))[1]
                if address:
                    found.append(address)
    return Failure("complained", Kind.UNSAID, tuple(found), "feedback report")


def _failures(message: Message, form: str) -> list[Failure]:
    """A complaint; else one failure for each recipient with status fields; else one by the report's own words."""
    if _is_feedback(message):
        return [_complaint(message)]
    text = _RETURNED.split(_text(message), maxsplit=1)[0]
    temporary, permanent = _known_formats(message)
    named = [*permanent, *temporary]
    failures = [_of_fields(fields, text) for fields in _recipient_fields(message)]
    if len(failures) == 1 and not failures[0].addresses:
        failures = [replace(failures[0], addresses=tuple(named or _named_in(text, message)))]
    if failures:
        return failures
    if form == LIKELY and not named and answers.kind(text) is Kind.UNSAID:
        return []
    cause = answers.kind(text, failed=form == SURE)
    addresses = tuple(named or _named_in(text, message))
    if not addresses and cause is Kind.UNSAID:
        return []
    kind = "bounced"
    if (temporary and not permanent) or _STILL_TRYING.search(text):
        kind = "deferred"
    return [Failure(kind, cause, addresses, " ".join(text.split())[:300])]


_STILL_TRYING = re.compile(
    r"warning message only|will be retried|not yet been delivered|no need to resend", re.IGNORECASE
)


def _known_formats(message: Message) -> tuple[list[str], list[str]]:
    """Addresses that `flufl.bounce` finds: of passing failures, of those for good."""
    try:
        found = all_failures(message)
    except Exception:  # it falls over a mail without From, and over others that nobody foresees
        return [], []
    temporary = sorted(one.decode("ascii", "replace") for one in found[0])
    permanent = sorted(one.decode("ascii", "replace") for one in found[1])
    return temporary, permanent


def _recipient_fields(message: Message) -> Iterator[Message]:
    """The fields about each recipient (RFC 3464, 2.3)."""
    for part in message.walk():
        if part.get_content_type() != "message/delivery-status":
            continue
        payload = part.get_payload()
        if not isinstance(payload, list):
            continue
        for fields in payload:
            if isinstance(fields, Message) and ("action" in fields or "status" in fields):
                yield fields


def _of_fields(fields: Message, text: str) -> Failure:
    """RFC 3464: the action first, then the class of the status; the report's own words where no diagnostic is given."""
    addresses = []
    for name in ("original-recipient", "final-recipient"):
        for value in fields.get_all(name, []):
            address = str(value).rpartition(";")[2].strip()
            if address:
                addresses.append(address.strip("<>"))
    action = str(fields.get("action", "")).strip().lower().partition(" ")[0]
    status = _STATUS.search(str(fields.get("status", "")))
    code = ""
    if status:
        code = status[0]
    said = " ".join(str(fields.get("diagnostic-code", "")).split())
    detail = f"{code} {said}".strip() or " ".join(text.split())
    kind = "bounced"
    cause = answers.kind(said or text, code, failed=action == "failed")
    if action in {"relayed", "expanded", "delivered"}:
        kind = "delivered"
        cause = Kind.UNSAID
    elif action == "delayed" or (code.startswith("4") and action != "failed"):
        kind = "deferred"
    return Failure(kind, cause, tuple(addresses), detail[:300])


_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_ADDRESS = re.compile(r"[\w.+=#$%&'*/?^`{|}~-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_NOBODY = frozenset({"postmaster", "mailer-daemon", "abuse", "support"})
# Where a report's own words end and the returned letter begins.
_RETURNED = re.compile(
    r"(?im)^[ \t]*-{2,}.*(original|copy|returned|unsent|below this line).*$|^received:|^message headers follow|"
    r"^(the header of the )?original message\b|^below is a copy of the original message"
)


def _named_in(text: str, message: Message) -> Iterator[str]:
    """Addresses in the report's own words that are neither its sender nor whom it was sent to."""
    own = set()
    for name in ("from", "to", "return-path"):
        own.add(parseaddr(str(message.get(name, "")))[1].lower())
    for found in dict.fromkeys(_ADDRESS.findall(text)):
        if found.lower() not in own and found.partition("@")[0].lower() not in _NOBODY:
            yield found


def _text(message: Message) -> str:
    """The first readable words of the report."""
    for part in message.walk():
        if part.get_content_maintype() == "text":
            payload = part.get_payload(decode=True)
            if isinstance(payload, bytes):
                return payload.decode("utf-8", "replace")[:MOST_TEXT]
    return ""


_OURS = re.compile(rb"(?i)(message-id:\s{0,9})?(<[dn]\.[0-9a-f-]{36}[.0-9]{0,9}@[\w.-]{1,255}>)")


def _own_message_ids(raw: bytes) -> tuple[str, ...]:
    """Message-IDs of our own letters in the report; first those in a field of that name, as the returned letter has."""
    in_field = []
    elsewhere = []
    for field, message_id in _OURS.findall(raw):
        if field:
            in_field.append(message_id.decode())
        else:
            elsewhere.append(message_id.decode())
    return tuple(dict.fromkeys(in_field + elsewhere))


def _date(message: Message) -> datetime | None:
    try:
        at = parsedate_to_datetime(str(message.get("date", "")))
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return at
