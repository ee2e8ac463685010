"""Read bounce mails and complaint reports (the SMTP channel's evidence) from files, folders or a mailbox."""

from __future__ import annotations

import imaplib
import mailbox
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from django.core.management.base import CommandError, CommandParser

from digest.delivery.reports import bounces
from subscriptions.commands import Command as Base
from subscriptions.commands import UsageError, current


class Command(Base):
    help = "Read bounce mails: .eml files, folders of them, a Maildir, an mbox, or imaps://user:password@host/INBOX."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("places", nargs="+", metavar="PLACE", help="what to read; nothing is deleted there")

    def run(self, places: list[str] | None = None, **options: Any) -> dict[str, Any]:
        now = current(None)
        counts: Counter[str] = Counter()
        for place in places or []:
            counts.update(bounces.take(raw, now) for raw in mails(place))
        return {"read": counts.total(), **counts}


def mails(place: str) -> Iterator[bytes]:
    """Every mail at a place, as bytes."""
    if urlsplit(place).scheme in {"imap", "imaps"}:
        yield from _imap(place)
        return
    path = Path(place)
    if not path.exists():
        raise UsageError(f"There is nothing at {place}. Name a file, a folder, or imaps://user:password@host/INBOX.")
    if (path / "cur").is_dir():
        yield from (message.as_bytes() for message in mailbox.Maildir(path, create=False))
    elif path.is_dir():
        yield from (one.read_bytes() for one in sorted(path.glob("*.eml")))
    elif path.read_bytes()[:5] == b"From ":
        yield from (message.as_bytes() for message in mailbox.mbox(path, create=False))
    else:
        yield path.read_bytes()


def _imap(place: str) -> Iterator[bytes]:
    """Unread mail of an IMAP folder; each is marked as read once it was taken in."""
    parts = urlsplit(place)
    connect = imaplib.IMAP4_SSL if parts.scheme == "imaps" else imaplib.IMAP4
    try:
        with connect(parts.hostname or "", parts.port or (993 if parts.scheme == "imaps" else 143)) as server:
            server.login(unquote(parts.username or ""), unquote(parts.password or ""))
            server.select(parts.path.strip("/") or "INBOX")
            for number in server.search(None, "UNSEEN")[1][0].split():
                found = server.fetch(number, "(BODY.PEEK[])")[1][0]
                if isinstance(found, tuple):
                    yield found[1]
                server.store(number, "+FLAGS", "\\Seen")
    except (OSError, imaplib.IMAP4.error) as error:
        raise CommandError(f"The mailbox at {parts.hostname} cannot be read: {error}") from error
