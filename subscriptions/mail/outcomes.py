"""What became of one handed-over letter: read from what the mail library returned or raised.

The question that matters is always the same: can the provider have taken it? Only a definite
"no" may be tried again; a definite "yes" never; everything else is unclear and waits for evidence.
"""

from __future__ import annotations

import re
import smtplib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any

import requests
import urllib3.exceptions
from anymail.exceptions import (
    AnymailAPIError,
    AnymailConfigurationError,
    AnymailInvalidAddress,
    AnymailRecipientsRefused,
    AnymailSerializationError,
    AnymailUnsupportedFeature,
)
from botocore import exceptions as boto

from subscriptions.mail import answers
from subscriptions.mail.answers import Kind


class Outcome(StrEnum):
    ACCEPTED = "accepted"  # the provider has it
    REFUSED = "refused"  # this recipient, for good
    POLICY_REJECTED = (
        "policy_rejected"  # certainly not taken, for reasons of policy: ours, the relay's, or the reader's server's
    )
    MESSAGE_REJECTED = "message_rejected"  # this letter's content or form, whoever sends it again
    LATER = "later"  # certainly not taken; try again, not before `retry_after`
    BLOCKED = "blocked"  # the whole channel: wrong key, no quota, suspended
    UNCLEAR = "unclear"  # may have been taken: never send again without evidence
    SUPPRESSED = "suppressed"  # never offered: nobody may write to this address


@dataclass(frozen=True)
class Receipt:
    """The answer for one letter. `retry_after` is in seconds; `no_such_address` asks for a suppression."""

    outcome: Outcome
    provider_id: str = ""
    detail: str = ""
    status: int | None = None
    retry_after: float | None = None
    no_such_address: bool = False

    @property
    def definite(self) -> bool:
        return self.outcome is not Outcome.UNCLEAR


def of_message(message: Any) -> Receipt:
    """Accepted, with the provider's own id where it gave one (`anymail_status`)."""
    status = getattr(message, "anymail_status", None)
    identifier = getattr(status, "message_id", None)
    if isinstance(identifier, set):
        identifier = next(iter(identifier), None)
    return Receipt(Outcome.ACCEPTED, provider_id=str(identifier or message.extra_headers.get("Message-ID", "")))


def of_error(error: Exception, *, body_offered: bool = True) -> Receipt:
    """The verdict on what the library raised. `body_offered` is False when SMTP had not sent the text yet."""
    if isinstance(error, AnymailRecipientsRefused):
        return Receipt(Outcome.REFUSED, detail=_line(error), no_such_address=True)
    if isinstance(error, AnymailConfigurationError):
        return Receipt(Outcome.BLOCKED, detail=_line(error))
    if isinstance(error, AnymailInvalidAddress):
        return Receipt(Outcome.REFUSED, detail=_line(error))
    if isinstance(error, AnymailUnsupportedFeature | AnymailSerializationError):
        return Receipt(Outcome.MESSAGE_REJECTED, detail=_line(error))
    if isinstance(error, AnymailAPIError):
        return _of_api(error)
    if isinstance(error, smtplib.SMTPException | OSError):
        return _of_smtp(error, body_offered)
    return Receipt(Outcome.MESSAGE_REJECTED, detail=_line(error))


# -- HTTP providers -----------------------------------------------------------------------------


def _of_api(error: AnymailAPIError) -> Receipt:
    status = _status(error)
    if status is None:
        return Receipt(Outcome.LATER if _never_left(error) else Outcome.UNCLEAR, detail=_line(error))
    if _speaks_of_the_account(error):
        return Receipt(Outcome.BLOCKED, detail=_line(error), status=status)
    if _says_known(error):
        return Receipt(Outcome.ACCEPTED, detail="the provider knows this key: it had taken the letter", status=status)
    return _of_status(status, _line(error), _headers(error), _code(error))


def _status(error: AnymailAPIError) -> int | None:
    response = error.response
    if isinstance(response, dict):  # boto: the parsed answer
        return int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)) or None
    return error.status_code


def _headers(error: AnymailAPIError) -> Mapping[str, str]:
    response = error.response
    if isinstance(response, dict):
        return dict(response.get("ResponseMetadata", {}).get("HTTPHeaders", {}))
    return response.headers if response is not None else {}


def _code(error: AnymailAPIError) -> str:
    response = error.response
    return str(response.get("Error", {}).get("Code", "")) if isinstance(response, dict) else ""


# Postmark's codes for troubles of the account, not of a letter (postmarkapp.com/developer/api/overview).
_POSTMARK_ACCOUNT = frozenset({10, 400, 401, 402, 403, 405, 412, 413})


def _speaks_of_the_account(error: AnymailAPIError) -> bool:
    """Out of credits, a sender that is not confirmed: told by an answer that usually speaks of one letter."""
    response = error.response
    if isinstance(response, dict):
        said = response.get("Error", {})
        return said.get("Code") == "MessageRejected" and "not verified" in str(said.get("Message", ""))
    if error.esp_name != "Postmark" or response is None:
        return False
    try:
        body = response.json()
    except ValueError:
        return False
    return isinstance(body, dict) and body.get("ErrorCode") in _POSTMARK_ACCOUNT


def _says_known(error: AnymailAPIError) -> bool:
    """Brevo's answer to a key it has seen (developers.brevo.com, "Idempotency for batch emails")."""
    response = error.response
    return error.esp_name == "Brevo" and response is not None and "duplicate_parameter" in response.text


# Amazon SES names its reasons in words; the numbers say only 400. (SES API reference, SendEmail.)
_SES_LATER = frozenset({"Throttling", "ThrottlingException", "TooManyRequestsException", "LimitExceededException"})
_SES_BLOCKED = frozenset(
    {
        "AccountSuspendedException",
        "SendingPausedException",
        "MailFromDomainNotVerifiedException",
        "NotFoundException",
        "AccessDeniedException",
        "UnrecognizedClientException",
        "InvalidClientTokenId",
        "SignatureDoesNotMatch",
    }
)


def _of_status(status: int, detail: str, headers: Mapping[str, str], code: str) -> Receipt:
    if status == 429 or code in _SES_LATER:
        return Receipt(Outcome.LATER, detail=detail, status=status, retry_after=_retry_after(headers))
    if status in {401, 402, 403, 404} or code in _SES_BLOCKED:
        return Receipt(Outcome.BLOCKED, detail=detail, status=status, retry_after=_retry_after(headers))
    # 408 and 409 speak of a request that may still be under way; 425 too.
    if 400 <= status < 500 and status not in {408, 409, 425}:
        over_quota = answers.kind(detail) is Kind.LIMIT
        return Receipt(Outcome.BLOCKED if over_quota else Outcome.MESSAGE_REJECTED, detail=detail, status=status)
    return Receipt(Outcome.UNCLEAR, detail=detail, status=status, retry_after=_retry_after(headers))


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """RFC 9110, 10.2.3: seconds, or a date."""
    raw = next((value for name, value in headers.items() if name.lower() == "retry-after"), "").strip()
    if raw.isdigit():
        return float(raw)
    try:
        at = parsedate_to_datetime(raw)
    except ValueError:
        return None
    aware = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (aware - datetime.now(UTC)).total_seconds())


_NEVER_CONNECTED = (
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ConnectTimeoutError,
    requests.exceptions.ConnectTimeout,
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
    boto.EndpointConnectionError,
    boto.ConnectTimeoutError,
    boto.NoCredentialsError,
    boto.ParamValidationError,
)


def _never_left(error: BaseException) -> bool:
    """True if somewhere under the error a connection was never made, or its certificate was refused."""
    for cause in _causes(error):
        if isinstance(cause, _NEVER_CONNECTED):
            return True
        if isinstance(cause, requests.exceptions.SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(cause):
            return True
    return False


def _causes(error: BaseException) -> Iterator[BaseException]:
    waiting: list[Any] = [error]
    seen: set[int] = set()
    while waiting:
        one = waiting.pop()
        if not isinstance(one, BaseException) or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]


# -- SMTP ---------------------------------------------------------------------------------------


def _of_smtp(error: Exception, body_offered: bool) -> Receipt:
    if isinstance(error, smtplib.SMTPAuthenticationError):
        outcome = Outcome.LATER if error.smtp_code < 500 else Outcome.BLOCKED
        return Receipt(outcome, detail=_line(error), status=error.smtp_code)
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, text = next(iter(error.recipients.values()))
        return _of_reply(int(code), _decode(text), Outcome.REFUSED)
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return Receipt(Outcome.REFUSED, detail=_line(error))
    if isinstance(error, smtplib.SMTPDataError):
        return _of_reply(error.smtp_code, _decode(error.smtp_error), Outcome.MESSAGE_REJECTED)
    if isinstance(error, smtplib.SMTPResponseException):
        return _of_command(error)
    if body_offered:
        return Receipt(Outcome.UNCLEAR, detail=_line(error))
    return Receipt(Outcome.LATER, detail=_line(error))


# What an answer for good makes of a letter, by the cause it names; other causes depend on when it came.
_CAUSES = {
    Kind.GONE: Outcome.REFUSED,
    Kind.FULL: Outcome.REFUSED,
    Kind.LIMIT: Outcome.BLOCKED,
    Kind.POLICY: Outcome.POLICY_REJECTED,
}


def _of_reply(code: int, text: str, otherwise: Outcome) -> Receipt:
    """`otherwise` is for an answer for good that names no cause: it depends on the command that was answered."""
    detail = _masked(f"{code} {text}")
    if code < 500:
        return Receipt(Outcome.LATER, detail=detail, status=code)
    kind = answers.kind(f"{code} {text}")
    outcome = _CAUSES.get(kind, otherwise)
    return Receipt(outcome, detail=detail, status=code, no_such_address=kind is Kind.GONE)


def _of_command(error: smtplib.SMTPResponseException) -> Receipt:
    """The answer to a command before RCPT (MAIL FROM, STARTTLS): about the channel, or a letter that is too large."""
    receipt = _of_reply(error.smtp_code, _decode(error.smtp_error), Outcome.BLOCKED)
    if receipt.outcome is Outcome.LATER:
        return receipt
    too_large = answers.kind(receipt.detail) is Kind.CONTENT
    outcome = Outcome.MESSAGE_REJECTED if too_large else Outcome.BLOCKED
    return replace(receipt, outcome=outcome, no_such_address=False)


def _decode(text: bytes | str) -> str:
    return text.decode("utf-8", "replace") if isinstance(text, bytes) else text


_ADDRESS = re.compile(r"[^\s<>\"'(),;:]+@[^\s<>\"'(),;:]+")


def _masked(text: str) -> str:
    """Servers quote the reader's address; it is not kept here."""
    return _ADDRESS.sub("<address>", " ".join(text.split()))[:300]


def _line(error: BaseException) -> str:
    """The error in one line without any address, since it is kept and logged."""
    return _masked(f"{type(error).__name__}: {error}")
