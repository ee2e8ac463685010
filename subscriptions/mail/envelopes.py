"""Envelope senders of letters that go by SMTP: with `MAIL_BOUNCE_ADDRESS` each letter has its own (VERP).

A server that cannot deliver a letter reports to its envelope sender (RFC 5321, 4.5.5), so the address at which a report
arrives names the letter, also where the report quotes nothing of it. The address is signed: nobody else can make one.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from email.message import Message
from uuid import UUID

from django.conf import settings

SIGNATURE = 10  # octets; with the id 43 of the 64 characters that stand before the @ (RFC 5321, 4.5.3.1.1)
# Where mail servers write the address a mail was delivered for, the surest first.
_WHERE = ("x-original-to", "delivered-to", "envelope-to", "x-envelope-to", "x-delivered-to", "to", "cc", "received")
_OURS = re.compile(r"(?<![a-z0-9])([dn])([a-z2-7]{26})([a-z2-7]{16})@", re.IGNORECASE)
_MESSAGE_ID = re.compile(r"<?([dn])\.([0-9a-f-]{36})[.0-9]{0,9}@")


def parts(message_id: str) -> tuple[str, UUID]:
    """Of a letter's Message-ID: `d` (digest) or `n` (one-off mail), and its id. Of any other: "" and the zero id."""
    found = _MESSAGE_ID.match(message_id)
    try:
        return (found[1], UUID(found[2])) if found else ("", UUID(int=0))
    except ValueError:
        return "", UUID(int=0)


def sender(message_id: str) -> str:
    """The envelope sender of the letter with this Message-ID; MAIL_FROM where none of its own is to be had."""
    kind, identity = parts(message_id)
    place = settings.MAIL_BOUNCE_ADDRESS
    if not place or not kind:
        return settings.MAIL_FROM
    mailbox, _, domain = place.rpartition("@")
    token = f"{kind}{_text(identity.bytes)}{_text(_signature(kind, identity, settings.SECRET_KEY))}"
    return f"{mailbox}+{token}@{domain}" if mailbox else f"{token}@{domain}"


def read(message: Message) -> str:
    """The Message-ID of the letter whose envelope sender this mail was delivered to; empty if there is none."""
    for name in _WHERE:
        for value in message.get_all(name, []):
            for kind, identity, signature in _OURS.findall(str(value)):
                found = _genuine(kind.lower(), identity, signature)
                if found:
                    return f"<{kind.lower()}.{found}@{settings.MAIL_DOMAIN}>"
    return ""


def _genuine(kind: str, identity: str, signature: str) -> UUID | None:
    found = UUID(bytes=base64.b32decode(identity.upper() + "======"))
    given = base64.b32decode(signature.upper())
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    genuine = [hmac.compare_digest(given, _signature(kind, found, key)) for key in keys]
    return found if any(genuine) else None


def _signature(kind: str, identity: UUID, key: str) -> bytes:
    said = b"offprint.envelope" + kind.encode() + identity.bytes
    return hmac.new(key.encode(), said, hashlib.sha256).digest()[:SIGNATURE]


def _text(raw: bytes) -> str:
    return base64.b32encode(raw).decode().rstrip("=").lower()
