"""Requests that arrive as mails: the mailto of List-Unsubscribe (RFC 2369), which some mail programs use alone."""

from __future__ import annotations

import re
from datetime import datetime
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message

from subscriptions import services
from subscriptions.links import tokens, urls
from subscriptions.models import Subscriber

_REQUEST = re.compile(r"unsubscribe\s+([\w.:-]{1,300})", re.IGNORECASE | re.ASCII)


def take(message: Message, now: datetime) -> str:
    """Follow a request to unsubscribe: `left`, `known` for one who had left before, `other` for any other mail.

    The token in the subject is the permission, whoever sends it: it ends the letters of the reader it names and does
    nothing else. An answer, a forwarded mail and an automatic answer are no request.
    """
    request = _REQUEST.fullmatch(_subject(message))
    is_answer = "in-reply-to" in message or "references" in message
    if request is None or is_answer or "auto-replied" in str(message.get("auto-submitted", "")).lower():
        return "other"
    try:
        identity, _ = urls.owner(tokens.read("unsubscribe", request[1]))
    except (tokens.TokenError, ValueError):
        return "other"
    reader = Subscriber.objects.filter(uuid=identity).first()
    if reader is None:
        return "known"  # erased since
    return "left" if services.unsubscribe(reader, now) else "known"


def _subject(message: Message) -> str:
    """The subject in one line; empty where there is not exactly one."""
    given = message.get_all("subject", [])
    if len(given) != 1:
        return ""
    try:
        return " ".join(str(make_header(decode_header(given[0]))).split())
    except (HeaderParseError, LookupError, UnicodeError, ValueError):
        return ""
