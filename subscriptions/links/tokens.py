"""Signed, single-purpose links: a token names one reader and opens one door.

A token is `subject.signature` (or `subject.time.signature`), signed with HMAC-SHA256 under a key made
from `SECRET_KEY` and the purpose, so that a token for one purpose is noise for every other. Keys in
`SECRET_KEY_FALLBACKS` still open old tokens.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.core import signing

LIFETIMES: dict[str, timedelta | None] = {
    "unsubscribe": None,  # never: an old letter must always let its reader leave (CAN-SPAM asks 30 days)
    "preferences": None,  # for as long as its round lasts; see `links.preferences_url`
    "block": None,
    "confirm": timedelta(days=7),
    "address": timedelta(days=7),
    "return": timedelta(days=30),
    "undo": timedelta(hours=1),
    "account": timedelta(minutes=10),  # OWASP ASVS 5.0 6.5.5: ten minutes for out-of-band secrets
    "open-account": timedelta(minutes=30),
    "form": timedelta(hours=24),
    "work": timedelta(minutes=10),
    "letter": None,  # one letter in the browser; it says nothing that the letter does not
    "act": None,  # save, more like this, less like this: for the papers of one letter
    "feed": None,  # one reader's own feed of letters
    "saved": None,  # one reader's saved papers
}
SEPARATOR = "."
SALT = "offprint."
MAX_LENGTH = 300


class TokenError(ValueError):
    """The token opens nothing."""


class BadTokenError(TokenError):
    """Forged, cut short, or made for another purpose."""


class ExpiredTokenError(TokenError):
    """Genuine, but too old; `subject` says whose it was, so that a fresh one can be mailed to them."""

    def __init__(self, subject: str) -> None:
        super().__init__("the link has expired")
        self.subject = subject


def make(purpose: str, subject: str) -> str:
    """A token that lets its holder do `purpose` for `subject` (letters, digits, `-`, `_` and `:`)."""
    signer = _signer(purpose)
    return signer.sign(subject)


def maker(purpose: str) -> Callable[[str], str]:
    """`make` for many subjects of one purpose without a lifetime: the key is derived once, not once a token."""
    signer = _signer(purpose)
    if isinstance(signer, signing.TimestampSigner):
        return signer.sign
    key = hashlib.sha256(f"{SALT}{purpose}signer{settings.SECRET_KEY}".encode()).digest()

    def sign(subject: str) -> str:
        mac = hmac.digest(key, subject.encode(), "sha256")
        return f"{subject}{SEPARATOR}{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"

    return sign


def read(purpose: str, token: str) -> str:
    """The subject of `token`. Raises `ExpiredTokenError` where it was genuine once, else `BadTokenError`."""
    if len(token) > MAX_LENGTH:
        raise BadTokenError("the link is not one of ours")
    signer = _signer(purpose)
    try:
        if isinstance(signer, signing.TimestampSigner):
            return str(signer.unsign(token, max_age=LIFETIMES[purpose]))
        return str(signer.unsign(token))
    except signing.SignatureExpired as error:
        raise ExpiredTokenError(str(signer.unsign(token))) from error
    except signing.BadSignature as error:
        raise BadTokenError("the link is not one of ours") from error


def _signer(purpose: str) -> signing.Signer:
    kind = signing.Signer if LIFETIMES[purpose] is None else signing.TimestampSigner
    return kind(sep=SEPARATOR, salt=f"{SALT}{purpose}")
