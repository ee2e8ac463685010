"""The headers of a digest: who sends it, what it belongs to, and how to stop it with one click.

Sources: RFC 5322 (Message-ID), RFC 2369 and RFC 8058 (List-Unsubscribe, one click), RFC 2919 (List-Id),
RFC 3834 (Auto-Submitted), Google's sender guidelines (Feedback-ID).
"""

from __future__ import annotations

import re
from datetime import datetime
from email.utils import format_datetime, parseaddr
from uuid import UUID

from django.conf import settings

from digest.letters import text as letter_text
from subscriptions.mail import header_text

NAME_CHARS = 60
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,253}")


class SenderError(ValueError):
    """The site's own address cannot be written into a header."""


def message_id(delivery: UUID) -> str:
    """Stable for one delivery, so that a letter sent again after a doubt is known as the same."""
    return f"<d.{delivery}@{settings.MAIL_DOMAIN}>"


def digest(frequency: str, leave: str, archive: str, now: datetime) -> dict[str, str]:
    """The headers of one digest. The mail transfer agent's DKIM must cover both List-Unsubscribe headers."""
    label = re.sub(r"[^a-z0-9]", "", settings.SITE_NAME.lower())[:20]  # parts of Feedback-ID are separated by colons
    return {
        "From": sender(),
        "Reply-To": answers(),
        "Date": format_datetime(now),
        "List-Id": f"{header_text.phrase(_literal(settings.SITE_NAME, NAME_CHARS))} <digest.{settings.MAIL_DOMAIN}>",
        "List-Unsubscribe": unsubscribe(leave),
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "List-Archive": f"<{archive}>",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "OOF, AutoReply",
        "Feedback-ID": f"digest:{frequency}:{label or 'site'}:{settings.MAIL_SENDER_ID}",
    }


def unsubscribe(leave: str) -> str:
    """Two ways out: the address that takes the one-click POST, and a letter to the site's own mailbox."""
    token = leave.rstrip("/").rpartition("/")[2]
    return f"<{leave}>, <{leave_by_mail()}{token}>"


def leave_by_mail() -> str:
    """The way out by letter, up to the token."""
    return f"mailto:{_mailbox(settings.MAIL_REPLY_TO)}?subject=unsubscribe%20"


def sender() -> str:
    """The site's own address with its name."""
    name, address = parseaddr(settings.MAIL_FROM)
    return header_text.mailbox(_literal(name, NAME_CHARS), _mailbox(address))


def answers() -> str:
    """The address that takes answers, with its name where it has one."""
    name, address = parseaddr(settings.MAIL_REPLY_TO)
    return header_text.mailbox(_literal(name, NAME_CHARS), _mailbox(address))


def subject(text: str) -> str:
    """One line, whatever a title contained."""
    return _literal(text, 200)


def _literal(text: str, limit: int) -> str:
    """Text that no mail program decodes: `=?…?=` in a title is not to be read as an encoded word (RFC 2047)."""
    return letter_text.one_line(text, limit).replace("=?", "= ?")


def _mailbox(address: str) -> str:
    """The bare address. Raises SenderError where the setting holds none."""
    found = _ADDRESS.fullmatch(parseaddr(address)[1])
    if found is None:
        raise SenderError("MAIL_FROM or MAIL_REPLY_TO is not an address. Example: Offprint <papers@example.org>")
    return found.group()
