"""The type of a mail backend: what sending asks of Django's backends, of Anymail's and of our own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from django.core.mail import EmailMessage


class MailBackend(Protocol):
    """One connection to a mail server or provider. It is used by one thread at a time.

    `send_messages` raises what the library raises; `outcomes.of_error` reads it.
    """

    def open(self) -> bool | None: ...

    def close(self) -> None: ...

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int: ...
