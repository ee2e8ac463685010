"""The headers of a digest: who sends it, what it belongs to, and how to stop it with one click.

Sources: RFC 5322 (Message-ID), RFC 2369 and RFC 8058 (List-Unsubscribe, one click), RFC 2919 (List-Id),
RFC 3834 (Auto-Submitted), Google's sender guidelines (Feedback-ID).
"""

from __future__ import annotations

from datetime import datetime
from email.headerregistry import Address
from email.utils import format_datetime, formataddr, parseaddr
from urllib.parse import quote
from uuid import UUID

from django.conf import settings

from digest.rendering import words

NAME_CHARS = 60


def message_id(delivery: UUID) -> str:
    """Stable for one delivery, so that a letter sent again after a doubt is known as the same."""
    return f"<d.{delivery}@{settings.MAIL_DOMAIN}>"


def digest(frequency: str, unsubscribe: str, archive: str, now: datetime) -> dict[str, str]:
    """The headers of one digest. The mail transfer agent's DKIM must cover both List-Unsubscribe headers."""
    token = unsubscribe.rstrip("/").rpartition("/")[2]
    leave = f"mailto:{_mailbox(settings.MAIL_REPLY_TO)}?subject={quote('unsubscribe ' + token)}"
    return {
        "From": sender(),
        "Reply-To": settings.MAIL_REPLY_TO,
        "Date": format_datetime(now),
        "List-Id": f"{_phrase(settings.SITE_NAME)} <digest.{settings.MAIL_DOMAIN}>",
        "List-Unsubscribe": f"<{unsubscribe}>, <{leave}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "List-Archive": f"<{archive}>",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "OOF, AutoReply",
        "Feedback-ID": f"digest:{frequency}:{_label(settings.SITE_NAME)}:{settings.MAIL_SENDER_ID}",
    }


def sender() -> str:
    """The site's own address with its name."""
    name, address = parseaddr(settings.MAIL_FROM)
    return formataddr((words.one_line(name, NAME_CHARS), _mailbox(address)))


def subject(text: str) -> str:
    """One line, whatever a title contained."""
    return words.one_line(text, 200)


def _mailbox(address: str) -> str:
    """The bare address. Raises ValueError where the setting is no address."""
    return Address(addr_spec=parseaddr(address)[1]).addr_spec


def _phrase(name: str) -> str:
    return formataddr((words.one_line(name, NAME_CHARS), "a@a")).removesuffix(" <a@a>")


def _label(name: str) -> str:
    """Letters and digits only: Feedback-ID parts are separated by colons."""
    return "".join(char for char in name.lower() if char.isascii() and char.isalnum())[:20] or "site"
