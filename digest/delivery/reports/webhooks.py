"""The webhook `/hooks/<provider>/` for provider reports, for the configured provider only.

Anymail reads each provider's format and checks its signature or the shared secret. This module adds what Anymail
leaves out: it refuses reports where no secret is set, refuses Mailgun's signatures that are old, and verifies Amazon's
signatures against Amazon's certificate.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from functools import lru_cache
from typing import cast

import requests
from anymail import urls as anymail_urls
from anymail.exceptions import AnymailError
from anymail.signals import tracking
from anymail.utils import get_request_basic_auth
from anymail.webhooks.base import AnymailCoreWebhookView
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from django.conf import settings
from django.db import DataError
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.csrf import csrf_exempt

from digest.delivery.reports import events
from digest.delivery.reports.provider_report import ProviderReport

LARGEST = 1_000_000  # bytes; the largest real ones (batches of SendGrid) stay below
FRESH = 15 * 60  # seconds a Mailgun signature is good for (documentation.mailgun.com, "Securing Webhooks")
SIGNED = frozenset({"mailgun", "mandrill", "postal"})  # signed by their own key; the others need the shared secret


# What a report in a form that nobody foresaw raises where it is read. A database that is away is not among them.
UNREADABLE = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    ArithmeticError,
    RecursionError,
    DataError,
)


class RefusedError(Exception):
    """The report is not what it says it is, or not for us."""


@csrf_exempt
def hook(request: HttpRequest, provider: str) -> HttpResponseBase:
    """One report. 404 for other providers, 413 too large, 400 for what is forged, stale or malformed."""
    view = _view(provider)
    if provider != settings.MAIL_CHANNEL or view is None:
        return HttpResponse(status=404)
    if request.method == "HEAD":  # some providers try the address once; nothing changes
        return HttpResponse()
    if request.method == "GET":
        return HttpResponseNotAllowed(["HEAD", "POST"])
    if not settings.ANYMAIL.get("WEBHOOK_SECRET") and provider not in SIGNED:
        return HttpResponse("No secret is set for reports.", status=401)
    if int(request.headers.get("Content-Length") or 0) > LARGEST:
        return HttpResponse(status=413)
    if not _knows_the_secret(request):
        return HttpResponse("The secret is missing or wrong.", status=401, headers={"WWW-Authenticate": "Basic"})
    try:
        GUARDS.get(provider, lambda _: None)(request)
        return view(request)
    except (RefusedError, AnymailError, *UNREADABLE):
        return HttpResponse("This report is not understood.", status=400)
    except requests.RequestException:
        return HttpResponse("Amazon's certificate cannot be fetched now.", status=503)


def _knows_the_secret(request: HttpRequest) -> bool:
    """Whether the request has the shared secret, where one is set. Checked before anything is fetched or parsed."""
    secrets = settings.ANYMAIL.get("WEBHOOK_SECRET") or []
    if isinstance(secrets, str):
        secrets = [secrets]
    told = get_request_basic_auth(request) or ""
    return not secrets or any(constant_time_compare(told, one) for one in secrets)


@lru_cache(maxsize=32)
def _view(provider: str) -> Callable[..., HttpResponseBase] | None:
    """Anymail's own view for the provider's tracking reports, in which one bad report does not lose the others."""
    found = anymail_view(provider)
    if found is None:
        return None
    guarded = cast(type[AnymailCoreWebhookView], type("Guarded", (EachByItself, found), {}))
    view: Callable[..., HttpResponseBase] = guarded.as_view()
    return view


def anymail_view(provider: str) -> type[AnymailCoreWebhookView] | None:
    """The class of Anymail's view for the provider's tracking reports; None for a provider that it does not know."""
    wanted = {f"{provider}_tracking_webhook", f"{provider}_webhook"}
    for one in anymail_urls.urlpatterns:
        if one.name in wanted:
            return one.callback.view_class
    return None


class EachByItself:
    """For Anymail's views: of a batch of reports the readable ones are taken in, the others noted as unreadable."""

    def parse_events(self, request: HttpRequest) -> list[object]:
        found: list[object] = super().parse_events(request)  # type: ignore[misc]
        readable = [event for event in found if event is not None]
        if found and not readable:
            raise RefusedError("none of the reports can be read")
        return readable

    def parse_json_body(self, request: HttpRequest) -> object:
        """Unisender Go: what names no event is left out here, since its view asks each for a name."""
        body = super().parse_json_body(request)  # type: ignore[misc]
        for user in body.get("events_by_user", []):
            user["events"] = [one for one in user["events"] if isinstance(one, dict) and "event_name" in one]
        return body

    def unwrap_event(self, said: object) -> object:
        """SparkPost's envelope around each report; Anymail leaves out what has no event in it."""
        try:
            return super().unwrap_event(said)  # type: ignore[misc]
        except UNREADABLE as error:
            events.keep_unreadable(settings.MAIL_CHANNEL, said, error, timezone.now())
            return None, None, said

    def esp_to_anymail_event(self, *said: object) -> object:
        try:
            return super().esp_to_anymail_event(*said)  # type: ignore[misc]
        except UNREADABLE as error:
            events.keep_unreadable(settings.MAIL_CHANNEL, said[0], error, timezone.now())
            return None


@receiver(tracking)
def keep(sender: object, event: ProviderReport, esp_name: str, **_: object) -> None:
    """Store a report, then apply it; what fails in between is applied by the next sweep.

    A report that cannot be stored is noted and answered like the others, which the provider would else send again.
    """
    now = timezone.now()
    try:
        row = events.remember(settings.MAIL_CHANNEL, event, now)
    except UNREADABLE as error:
        events.keep_unreadable(settings.MAIL_CHANNEL, event.esp_event, error, now)
        return
    if row is not None:
        events.apply(row, now)


# -- what Anymail leaves open -------------------------------------------------------------------


def _mailgun(request: HttpRequest) -> None:
    """Refuse an old signature. It covers time and token only; a used token is the same event (`events.key_of`)."""
    if request.content_type == "application/json":
        stamp = json.loads(request.body)["signature"]["timestamp"]
    else:
        stamp = request.POST["timestamp"]
    if abs(timezone.now().timestamp() - float(stamp)) > FRESH:
        raise RefusedError("the signature is too old")


# The fields that are signed, in their order (docs.aws.amazon.com/sns, "Verifying the signatures").
_SIGNED_FIELDS = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
_CERTIFICATE = re.compile(
    r"https://sns\.[a-z]{2}(-[a-z]+)+-\d\.amazonaws\.com(\.cn)?/SimpleNotificationService-[0-9a-f]+\.pem"
)


def _amazon_ses(request: HttpRequest) -> None:
    message = json.loads(request.body)
    topic = settings.ANYMAIL.get("AMAZON_SES_TOPIC_ARN", "")
    if topic and message.get("TopicArn") != topic:
        raise RefusedError("the report is about another topic")
    fields = _SIGNED_FIELDS.get(message.get("Type", ""))
    if fields is None:
        raise RefusedError("this kind of message is not signed")
    text = "".join(f"{name}\n{message[name]}\n" for name in fields if name in message)
    digest: hashes.HashAlgorithm = hashes.SHA1()  # noqa: S303 - Amazon's choice
    if message.get("SignatureVersion") == "2":
        digest = hashes.SHA256()
    url = message["SigningCertURL"]
    if not _CERTIFICATE.fullmatch(url):
        raise RefusedError("the certificate is not Amazon's")
    key = x509.load_pem_x509_certificate(certificate(url)).public_key()
    if not isinstance(key, RSAPublicKey):
        raise RefusedError("the certificate has no RSA key")
    try:
        key.verify(base64.b64decode(message["Signature"]), text.encode(), padding.PKCS1v15(), digest)
    except InvalidSignature as error:
        raise RefusedError("the signature is wrong") from error


@lru_cache(maxsize=8)
def certificate(url: str) -> bytes:
    """Amazon's certificate, fetched once; the address was checked."""
    answer = requests.get(url, timeout=10, allow_redirects=False)
    answer.raise_for_status()
    return answer.content


GUARDS: dict[str, Callable[[HttpRequest], None]] = {"mailgun": _mailgun, "amazon_ses": _amazon_ses}
