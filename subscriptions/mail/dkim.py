"""DKIM (RFC 6376) for letters that go straight to a mail server which does not sign: off unless a key is set.

Where the server or the provider signs, leave it to them: it is faster there, and they change keys by themselves.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from django.conf import settings

# RFC 8058, section 4: the signature must cover both List-Unsubscribe headers. `from` twice forbids a second one.
SIGNED = (
    b"from", b"from", b"to", b"reply-to", b"subject", b"date", b"message-id", b"mime-version", b"content-type",
    b"list-id", b"list-unsubscribe", b"list-unsubscribe-post", b"feedback-id", b"auto-submitted",
)  # fmt: skip


def signed(message: bytes) -> bytes:
    """The message with its signature in front; as it was where no key is set."""
    if not settings.DKIM_KEY_FILE:
        return message
    import dkim

    header = dkim.sign(
        message,
        settings.DKIM_SELECTOR.encode(),
        settings.DKIM_DOMAIN.encode(),
        _key(settings.DKIM_KEY_FILE),
        canonicalize=(b"relaxed", b"relaxed"),
        include_headers=list(SIGNED),
    )
    return bytes(header) + message


@lru_cache(maxsize=4)
def _key(path: str) -> bytes:
    return Path(path).read_bytes()
