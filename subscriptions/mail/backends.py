"""Mail backends of our own: letters as files, SMTP that knows how far it got, providers with a key."""

from __future__ import annotations

import glob
import os
import re
import smtplib
import tempfile
import unicodedata
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

from anymail.backends.resend import EmailBackend as AnymailResend
from anymail.backends.resend import ResendPayload as AnymailResendPayload
from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.smtp import EmailBackend as DjangoSmtp

from subscriptions import private
from subscriptions.addresses import ascii_form
from subscriptions.mail import dkim


class OutboxBackend(BaseEmailBackend):
    """One readable-named `.eml` a letter in `settings.OUTBOX_DIR`; the same letter again is the same file.

    A letter is there whole or not at all, so an error (a full disk) never leaves a doubt.
    """

    body_offered = False

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        for message in email_messages:
            write(Path(settings.OUTBOX_DIR), message)
        return len(email_messages)


def write(folder: Path, message: EmailMessage) -> Path:
    """Put the letter there whole or not at all: a reader of the folder never sees half of one."""
    private.folder(folder)
    path = folder / filename(message)
    handle, unfinished = tempfile.mkstemp(dir=folder, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(message.message().as_bytes(linesep="\r\n"))  # type: ignore[call-arg]
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    finally:
        Path(unfinished).unlink(missing_ok=True)
    return path


def filename(message: EmailMessage) -> str:
    """`ada_example.org--june-3-a-title--1f2e3d4c.eml`: who, what, and the Message-ID's hash."""
    who = _who((message.to or ["nobody"])[0])
    what = _slug(str(message.subject), 60)
    identity = message.extra_headers.get("Message-ID") or f"{who} {message.subject} {message.body}"
    return f"{who}--{what}--{blake2b(str(identity).encode(), digest_size=4).hexdigest()}.eml"


def letters_to(email: str) -> list[Path]:
    """The letters to this address in the outbox, oldest first."""
    folder = Path(settings.OUTBOX_DIR)
    found = folder.glob(f"{glob.escape(_who(email))}--*.eml") if folder.is_dir() else []
    return sorted(found, key=lambda path: (path.stat().st_mtime_ns, path.name))


def _who(email: str) -> str:
    return _slug(ascii_form(email).replace("@", "_"), 60)


def _slug(text: str, longest: int) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9._+]+", "-", plain).strip("-.")[:longest] or "letter"


class _Watched:
    """For smtplib: remembers whether the letter's last line has been written to the server.

    Before that nothing can have been accepted (RFC 5321, 4.1.1.4); after it, only a reply can tell.
    """

    body_offered = False

    def send(self, s: Any) -> None:
        raw = s if isinstance(s, bytes) else str(s).encode("utf-8", "replace")
        if raw.endswith(b"\r\n.\r\n"):
            self.body_offered = True
        super().send(s)  # type: ignore[misc]

    def sendmail(self, from_addr: str, to_addrs: Any, msg: Any, *args: Any, **options: Any) -> Any:
        raw = msg if isinstance(msg, bytes) else str(msg).encode()
        return super().sendmail(from_addr, to_addrs, dkim.signed(raw), *args, **options)  # type: ignore[misc]


class _Plain(_Watched, smtplib.SMTP):
    pass


class _Secure(_Watched, smtplib.SMTP_SSL):
    pass


class SmtpBackend(DjangoSmtp):
    """Django's SMTP backend whose connection can say how far it got."""

    @property
    def connection_class(self) -> Any:
        return _Secure if self.use_ssl else _Plain

    body_offered = False

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Django's own closes a connection it opened, also after an error: what it knew is kept here."""
        self.body_offered = False
        self.open()
        connection: Any = self.connection
        connection.body_offered = False
        try:
            return super().send_messages(email_messages) or 0
        finally:
            self.body_offered = connection.body_offered


class ResendPayload(AnymailResendPayload):
    """Adds the header Resend knows repeated requests by (kept 24 hours; resend.com, "Idempotency Keys")."""

    def get_request_params(self, api_url: str) -> dict[str, Any]:
        params: dict[str, Any] = super().get_request_params(api_url)
        key = getattr(self.message, "idempotency_key", "")
        if key:
            params["headers"] = {**params["headers"], "Idempotency-Key": key}
        return params


class ResendBackend(AnymailResend):
    def build_message_payload(self, message: EmailMessage, defaults: dict[str, Any]) -> ResendPayload:
        return ResendPayload(message, defaults, self)
