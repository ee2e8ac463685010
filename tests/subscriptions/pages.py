"""What the tests of the reader's pages share: visitors, and the way from a link to its page."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from subscriptions.signup import bot_check, requests


def path(url: str) -> str:
    """The part of an absolute link that a test client takes."""
    return urlsplit(url).path


def visitor(**options: Any) -> Client:
    return Client(HTTP_HOST="localhost", **options)


def entered(url: str) -> tuple[Client, str]:
    """A visitor who followed a link out of a letter, and the clean page they came to."""
    client = visitor()
    response = client.get(path(url))
    assert response.status_code == 302, response.status_code
    return client, response.headers["Location"]


def signup(**fields: Any) -> dict[str, Any]:
    """What the signup form sends, filled in by a person who took a minute."""
    made = timezone.now() - timedelta(minutes=1)
    return {"act": "subscribe", "email": "ada@example.org", "age": bot_check.stamp(made), bot_check.TRAP: ""} | fields


def sign_up(client: Client | None = None, **fields: Any) -> HttpResponse:
    """Post the signup form, and let the sweeper take it up."""
    response = (client or visitor()).post("/subscribe/", signup(**fields))
    requests.process(timezone.now())
    return response


def unmasked(content: bytes) -> bytes:
    """A page without its CSRF token, which is masked anew in every answer."""
    return re.sub(rb'name="csrfmiddlewaretoken" value="[^"]+"', b"", content)


def text(response: HttpResponse) -> str:
    return response.content.decode()
