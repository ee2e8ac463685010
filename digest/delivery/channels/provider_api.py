"""Asking a provider's own record which letters of an attempt it accepted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urljoin

import requests
from anymail.utils import get_anymail_setting

from digest.models import Attempt, Delivery
from subscriptions.addresses import AddressError, hmac

TIMEOUT = 20
MOST_PAGES = 50


class PullError(Exception):
    """The record could not be read completely, so it proves nothing."""


def accepted(attempt: Attempt) -> set[str]:
    """Delivery uuids of the attempt that the provider accepted. Raises `PullError` if the answer is not whole."""
    pull = PULLS.get(attempt.channel)
    if pull is None:
        raise PullError(f"{attempt.channel} has no record that can be asked")
    found = pull(attempt)
    if not found and not _shows_another(attempt, pull):
        raise PullError("the record does not show letters that were accepted for certain")
    return found


def _shows_another(attempt: Attempt, pull: Callable[[Attempt], set[str]]) -> bool:
    """An empty answer proves something only if the same question finds a letter that did go.

    Else the query may look into another stream or domain than the one that is sent by.
    """
    closed = Attempt.objects.filter(channel=attempt.channel, state=Attempt.State.CLOSED, outcome="accepted")
    control = closed.exclude(pk=attempt.pk).order_by("-pk").first()
    return control is not None and bool(pull(control))


def _postmark(attempt: Attempt) -> set[str]:
    """`GET /messages/outbound?tag=` (postmarkapp.com/developer/api/messages-api): the tag is the attempt's key."""
    base = get_anymail_setting("api_url", esp_name="Postmark", default="https://api.postmarkapp.com/")
    token = get_anymail_setting("server_token", esp_name="Postmark", allow_bare=True)
    headers = {"X-Postmark-Server-Token": token, "Accept": "application/json"}
    found: set[str] = set()
    for page in range(MOST_PAGES):
        params = {"tag": str(attempt.key), "count": 500, "offset": 500 * page}
        answer = _get(urljoin(_slash(base), "messages/outbound"), params=params, headers=headers)
        messages = _list(answer, "Messages")
        found |= {str(one.get("Metadata", {}).get("delivery", "")) for one in messages}
        if len(messages) < 500:
            return found - {""} | _by_address(attempt, messages)
    raise PullError("the answer has too many pages")


def _by_address(attempt: Attempt, messages: list[dict[str, Any]]) -> set[str]:
    """Where the list leaves metadata out, the recipient tells: an attempt has each address once."""
    addresses = {
        str(to.get("Email", "")).lower() for one in messages if not one.get("Metadata") for to in one.get("To", [])
    }
    hashes = {_hash(one) for one in addresses}
    rows = Delivery.objects.filter(attempt=attempt)  # by the address it went to: the reader may have moved since
    return {str(row.uuid) for row in rows if row.address_hmac and row.address_hmac in hashes}


def _hash(address: str) -> str:
    try:
        return hmac(address)
    except AddressError:
        return ""


def _mailgun(attempt: Attempt) -> set[str]:
    """`GET /v3/{domain}/events?event=accepted` over the attempt's time (documentation.mailgun.com, Events)."""
    base = get_anymail_setting("api_url", esp_name="Mailgun", default="https://api.mailgun.net/v3")
    key = get_anymail_setting("api_key", esp_name="Mailgun", allow_bare=True)
    domain = get_anymail_setting("sender_domain", esp_name="Mailgun", allow_bare=True, default="")
    start = (attempt.intent_at or attempt.started_at) - timedelta(minutes=5)
    end = (attempt.ambiguous_at or attempt.lease_until) + timedelta(minutes=10)
    params: dict[str, Any] | None = {
        "event": "accepted",
        "begin": start.timestamp(),
        "end": end.timestamp(),
        "ascending": "yes",
        "limit": 300,
    }
    url, found = urljoin(_slash(base), f"{domain}/events"), set()
    for _ in range(MOST_PAGES):
        answer = _get(url, params=params, auth=("api", key))
        items = _list(answer, "items")
        found |= set(_of_attempt(items, str(attempt.key)))
        url, params = str(answer.get("paging", {}).get("next", "")), None
        if not items or not url:
            return found
    raise PullError("the answer has too many pages")


def _of_attempt(items: list[dict[str, Any]], key: str) -> Iterator[str]:
    for one in items:
        variables = one.get("user-variables", {})
        if variables.get("attempt") == key:
            yield str(variables.get("delivery", ""))


def _get(url: str, **request: Any) -> dict[str, Any]:
    try:
        answer = requests.get(url, timeout=TIMEOUT, allow_redirects=False, **request)
        answer.raise_for_status()
        body = answer.json()
    except (requests.RequestException, ValueError) as error:
        raise PullError(f"{type(error).__name__} from {url.partition('?')[0]}") from error
    if not isinstance(body, dict):
        raise PullError("the answer is not an object")
    return body


def _list(answer: dict[str, Any], name: str) -> list[dict[str, Any]]:
    rows = answer.get(name)
    if not isinstance(rows, list):
        raise PullError(f"the answer has no {name}")
    return rows


def _slash(base: str) -> str:
    return base if base.endswith("/") else f"{base}/"


PULLS: dict[str, Callable[[Attempt], set[str]]] = {
    "postmark": _postmark,
    "mailgun": _mailgun,
}
