"""Read bounce mails and complaint reports (the SMTP channel's evidence) from files, folders or a mailbox."""

from __future__ import annotations

import imaplib
import logging
import mailbox
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from django.core.management.base import CommandError, CommandParser
from django.db import InterfaceError, OperationalError

from digest.delivery.reports import bounces
from subscriptions.commands import Command as Base
from subscriptions.commands import UsageError, current

log = logging.getLogger(__name__)

UNREADABLE = "unreadable"
# The database or the mail server is away: that is no fault of a mail.
AWAY = (OperationalError, InterfaceError, imaplib.IMAP4.abort, ConnectionError, TimeoutError)
# Reads one mail. It may fail by itself: the next mail is read all the same.
Fetch = Callable[[], bytes]


class Command(Base):
    help = (
        "Read bounce mails and requests to unsubscribe: .eml files, folders of them, a Maildir, an mbox, "
        "or imaps://user:password@host/INBOX."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("places", nargs="+", metavar="PLACE", help="what to read; nothing is deleted there")

    def run(self, places: list[str] | None = None, **options: Any) -> dict[str, Any]:
        now = current(None)
        counts: Counter[str] = Counter()
        for place in places or []:
            counts.update(results(place, now))
        return {"read": counts.total(), **counts}


def results(place: str, now: datetime) -> Iterator[str]:
    """What became of each mail at a place, in `bounces.take`'s words, or `unreadable`."""
    if urlsplit(place).scheme in {"imap", "imaps"}:
        yield from _imap(place, now)
        return
    path = Path(place)
    if not path.exists():
        raise UsageError(f"There is nothing at {place}. Name a file, a folder, or imaps://user:password@host/INBOX.")
    for name, fetch in _files(path):
        yield _take(name, fetch, now)


def _take(name: str, fetch: Fetch, now: datetime) -> str:
    """One mail whatever is in it."""
    try:
        return bounces.take(fetch(), now)
    except AWAY:
        raise
    except Exception as error:  # a stranger wrote it: it must not keep the others from being read
        log.warning("the mail %s could not be read, and stays where it is: %s", name, type(error).__name__)
        return UNREADABLE


def _files(path: Path) -> Iterator[tuple[str, Fetch]]:
    """Each mail's name there, and how to read it."""
    if (path / "cur").is_dir():
        maildir = mailbox.Maildir(path, create=False)
        for key in maildir.keys():  # noqa: SIM118 - iterating over it would read the mails
            yield key, partial(maildir.get_bytes, key)
    elif path.is_dir():
        for one in sorted(path.glob("*.eml")):
            yield one.name, partial(_start_of, one)
    elif _start_of(path)[:5] == b"From ":
        mbox = mailbox.mbox(path, create=False)
        for number in mbox.keys():  # noqa: SIM118
            yield str(number), partial(mbox.get_bytes, number)
    else:
        yield path.name, partial(_start_of, path)


def _start_of(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(bounces.LARGEST)


def _imap(place: str, now: datetime) -> Iterator[str]:
    """Unread mail of an IMAP folder. Each is marked as read once it was taken in, and an unreadable one as flagged too:
    it stays for a person to look at, and no later run meets it again.
    """
    parts = urlsplit(place)
    connect = imaplib.IMAP4_SSL if parts.scheme == "imaps" else imaplib.IMAP4
    try:
        with connect(parts.hostname or "", parts.port or (993 if parts.scheme == "imaps" else 143)) as server:
            server.login(unquote(parts.username or ""), unquote(parts.password or ""))
            server.select(parts.path.strip("/") or "INBOX")
            for number in server.search(None, "UNSEEN")[1][0].split():
                result = _take(f"number {number.decode()}", partial(_fetched, server, number), now)
                server.store(number, "+FLAGS", r"(\Seen \Flagged)" if result == UNREADABLE else r"(\Seen)")
                yield result
    except (OSError, imaplib.IMAP4.error) as error:
        raise CommandError(f"The mailbox at {parts.hostname} cannot be read: {error}") from error


def _fetched(server: imaplib.IMAP4, number: bytes) -> bytes:
    found = server.fetch(number.decode(), f"(BODY.PEEK[]<0.{bounces.LARGEST}>)")[1]
    for one in found:
        if isinstance(one, tuple):
            return bytes(one[1])
    raise ValueError("the server gave no mail of this number")
