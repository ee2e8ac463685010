"""Provider look-ups: asks a provider's own record which letters of an attempt it accepted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

import requests
from anymail.utils import get_anymail_setting

from digest.models import Attempt, Delivery
from subscriptions.addresses import AddressError, hmac

TIMEOUT = 20  # seconds
MOST_PAGES = 50
PAGE = 500  # messages that Postmark gives at once

Fields = dict[str, object]  # one JSON object of an answer
Params = Mapping[str, str | int | float]
Lookup = Callable[[Attempt], set[str]]


class ProviderLookupError(Exception):
    """The record could not be read completely, so it proves nothing."""


def accepted(attempt: Attempt) -> set[str]:
    """Delivery uuids of the attempt that the provider accepted. Raises `ProviderLookupError` if that is not certain.

    An empty answer proves something only if the same question finds a letter that did go: else the look-up may read
    another stream or domain than the one that sends.
    """
    lookup = LOOKUPS.get(attempt.channel)
    if lookup is None:
        raise ProviderLookupError(f"{attempt.channel} has no record that can be asked")
    found = lookup(attempt)
    if found:
        return found
    closed = Attempt.objects.filter(channel=attempt.channel, state=Attempt.State.CLOSED, outcome="accepted")
    control = closed.exclude(pk=attempt.pk).order_by("-pk").first()
    if control is None or not lookup(control):
        raise ProviderLookupError("the record does not show letters that were accepted for certain")
    return found


def _postmark(attempt: Attempt) -> set[str]:
    """`GET /messages/outbound?tag=` (postmarkapp.com/developer/api/messages-api): the tag is the attempt's key.

    Where the list leaves metadata out, the recipient's address tells: an attempt has each address once.
    """
    base = get_anymail_setting("api_url", esp_name="Postmark", default="https://api.postmarkapp.com/")
    token = get_anymail_setting("server_token", esp_name="Postmark", allow_bare=True)
    headers = {"X-Postmark-Server-Token": token, "Accept": "application/json"}
    url = f"{base.rstrip('/')}/messages/outbound"
    found: set[str] = set()
    addresses: set[str] = set()
    for page in range(MOST_PAGES):
        params: Params = {"tag": str(attempt.key), "count": PAGE, "offset": PAGE * page}
        messages = _objects(_get(url, params, headers=headers), "Messages")
        for message in messages:
            metadata = _object(message, "Metadata")
            if metadata:
                found.add(str(metadata.get("delivery", "")))
                continue
            for recipient in _objects(message, "To"):
                addresses.add(str(recipient.get("Email", "")).lower())
        if len(messages) < PAGE:
            found |= _at_addresses(attempt, addresses)
            return found - {""}
    raise ProviderLookupError("the answer has too many pages")


def _at_addresses(attempt: Attempt, addresses: set[str]) -> set[str]:
    """Uuids of the attempt's letters that went to these addresses; the readers may have others since."""
    hashes = set()
    for address in addresses:
        try:
            hashes.add(hmac(address))
        except AddressError:
            continue
    rows = Delivery.objects.filter(attempt=attempt, address_hmac__in=hashes)
    return {str(uuid) for uuid in rows.values_list("uuid", flat=True)}


def _mailgun(attempt: Attempt) -> set[str]:
    """`GET /v3/{domain}/events?event=accepted` over the attempt's time (documentation.mailgun.com, Events)."""
    base = get_anymail_setting("api_url", esp_name="Mailgun", default="https://api.mailgun.net/v3")
    key = get_anymail_setting("api_key", esp_name="Mailgun", allow_bare=True)
    domain = get_anymail_setting("sender_domain", esp_name="Mailgun", allow_bare=True, default="")
    start = (attempt.intent_at or attempt.started_at) - timedelta(minutes=5)
    end = (attempt.ambiguous_at or attempt.lease_until) + timedelta(minutes=10)
    params: Params | None = {
        "event": "accepted",
        "begin": start.timestamp(),
        "end": end.timestamp(),
        "ascending": "yes",
        "limit": 300,
    }
    url = f"{base.rstrip('/')}/{domain}/events"
    found: set[str] = set()
    for _ in range(MOST_PAGES):
        answer = _get(url, params, auth=("api", key))
        items = _objects(answer, "items")
        for item in items:
            variables = _object(item, "user-variables")
            if variables.get("attempt") == str(attempt.key):
                found.add(str(variables.get("delivery", "")))
        url = str(_object(answer, "paging").get("next", ""))
        params = None  # the next page's address has them
        if not items or not url:
            return found
    raise ProviderLookupError("the answer has too many pages")


def _get(
    url: str,
    params: Params | None,
    headers: Mapping[str, str] | None = None,
    auth: tuple[str, str] | None = None,
) -> Fields:
    """The JSON object at `url`. Raises ProviderLookupError where there is none; the message has no query string."""
    try:
        answer = requests.get(
            url,
            params=params,
            headers=headers,
            auth=auth,
            timeout=TIMEOUT,
            allow_redirects=False,
        )
        answer.raise_for_status()
        body = answer.json()
    except (requests.RequestException, ValueError) as error:
        raise ProviderLookupError(f"{type(error).__name__} from {url.partition('?')[0]}") from error
    if not isinstance(body, dict):
        raise ProviderLookupError("the answer is not an object")
    return body


def _objects(fields: Fields, name: str) -> list[Fields]:
    """The list of objects in the field `name`. Raises ProviderLookupError where there is none."""
    rows = fields.get(name)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ProviderLookupError(f"the answer has no {name}")
    return rows


def _object(fields: Fields, name: str) -> Fields:
    """The object in the field `name`, or an empty one."""
    found = fields.get(name)
    return found if isinstance(found, dict) else {}


LOOKUPS: dict[str, Lookup] = {
    "postmark": _postmark,
    "mailgun": _mailgun,
}
