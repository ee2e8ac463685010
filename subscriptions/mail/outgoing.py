"""The door to the postbox: every letter leaves through here.

A `Letter` says what to send; `send` and `send_each` hand it to whatever `EMAIL_URL` names and answer
with one `Receipt` a letter. Nothing is offered for an address nobody may write to.
"""

from __future__ import annotations

import queue
import smtplib
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.utils import parseaddr
from typing import Any, Literal

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection

from subscriptions.addresses import AddressError, ascii_form, hashes, is_demonstration, read
from subscriptions.db_retry import retry_on_db_error
from subscriptions.mail import envelopes, header_text, outcomes
from subscriptions.mail.backends import OutboxBackend
from subscriptions.mail.outcomes import Outcome, Receipt
from subscriptions.models import Suppression

__all__ = ["Letter", "OutboxBackend", "Outcome", "Receipt", "connection", "send", "send_each", "suppressed"]

# The whole hand-over of one letter, from the first byte to the answer's last (the library's own
# limits count each read anew, so a dripping answer could hold a worker for ever).
DEADLINE = 30.0


@dataclass(frozen=True)
class Letter:
    """One letter to one person.

    `headers` go out as they are; `From` and `Reply-To` there replace the site's own. `message_id` has
    its angle brackets. `metadata` and `tags` travel with providers that keep them, `key` with those
    that know a repeated request by it. `raw` is the whole mail as it goes over the line: channels in `READY`
    take nothing else, others take nothing of it.
    """

    to: str
    subject: str
    text: str
    html: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    message_id: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    stream: Literal["digest", "notice"] = "digest"
    key: str = ""
    raw: bytes = b""


# Channels that take a mail as bytes.
READY = frozenset({"smtp", "outbox"})
# Channels by which no letter reaches a person: files, the screen, the tests' memory.
FOR_SHOW = frozenset({"outbox", "console", "memory"})


class Message(EmailMultiAlternatives):
    """A mail whose headers are written by `header_text`, like those of letters that go out as bytes."""

    def message(self, *args: Any, **options: Any) -> Any:
        written = super().message(*args, **options)
        sender = self.extra_headers.get("From", self.from_email)  # the envelope may have another (envelopes.sender)
        values = {"Subject": header_text.text(str(self.subject)), "From": _mailbox(sender)}
        values |= {"Reply-To": ", ".join(map(_mailbox, self.reply_to))} if self.reply_to else {}
        values |= {name: value for name, value in self.extra_headers.items() if name not in {"From", "Reply-To"}}
        for name, value in values.items():
            written.replace_header(name, header_text.Folded(name, str(value)))
        return written


def _mailbox(text: str) -> str:
    return text if text.isascii() else header_text.mailbox(*parseaddr(text))


class Written(EmailMultiAlternatives):
    """A mail whose bytes are there already: for Django's backends, which ask it to write itself."""

    raw = b""

    def message(self, *_: Any, **__: Any) -> Any:
        return self

    def as_bytes(self, *_: Any, **__: Any) -> bytes:
        return self.raw


def send(letter: Letter) -> Receipt:
    """Hand over one letter."""
    return next(iter(send_each([letter])))


def send_each(
    letters: Sequence[Letter], postbox: Any = None, before: Callable[[Letter], bool] | None = None
) -> Iterator[Receipt]:
    """Hand over the letters one by one, each answered before the next is begun.

    Pass an open `connection()` to use it for several calls. `before` is asked right before each
    letter; False leaves it unsent (`LATER`).
    """
    unwanted = suppressed([letter.to for letter in letters])
    if postbox is None:
        with connection() as own:
            yield from _each(letters, own, unwanted, before)
    else:
        yield from _each(letters, postbox, unwanted, before)


def _each(
    letters: Sequence[Letter], postbox: Any, unwanted: set[str], before: Callable[[Letter], bool] | None
) -> Iterator[Receipt]:
    for letter in letters:
        if letter.to in unwanted:
            yield Receipt(Outcome.SUPPRESSED)
        elif before is not None and not before(letter):
            yield Receipt(Outcome.LATER, detail="not begun in time", retry_after=0)
        else:
            yield _hand_over(letter, postbox)


@contextmanager
def connection() -> Iterator[Any]:
    """The configured postbox; opened with the first letter, closed at the end. For one thread."""
    postbox = get_connection()
    try:
        yield postbox
    finally:
        postbox.close()


@retry_on_db_error
def suppressed(addresses: Sequence[str]) -> set[str]:
    """Those of the addresses that nobody may write to, with the demonstration's where mail is real."""
    by_hash: dict[str, list[str]] = {}
    for address in addresses:
        with suppress(AddressError):  # an address that is none is on no list; the provider will refuse it
            for one in hashes(read(address)):
                by_hash.setdefault(one, []).append(address)
    found = Suppression.objects.filter(address_hmac__in=by_hash).values_list("address_hmac", flat=True)
    listed = {address for one in found for address in by_hash[one]}
    made_up = {address for address in addresses if is_real() and is_demonstration(address)}
    return listed | made_up


def is_real() -> bool:
    """Whether letters leave this machine, or may: neither as files nor on the screen."""
    return settings.MAIL_CHANNEL not in FOR_SHOW


def as_message(letter: Letter, postbox: Any = None) -> EmailMultiAlternatives:
    """The letter in the form of Django's mail API, with what Anymail reads beside it."""
    to = [ascii_form(letter.to)]
    if letter.raw and settings.MAIL_CHANNEL in READY:
        identity = {"Message-ID": letter.message_id}
        written = Written(letter.subject, to=to, from_email=envelopes.sender(letter.message_id), headers=identity)
        written.raw = letter.raw
        return written
    headers = dict(letter.headers)
    sender = headers.pop("From", settings.MAIL_FROM)
    reply_to = headers.pop("Reply-To", settings.MAIL_REPLY_TO)
    if letter.message_id:
        headers["Message-ID"] = letter.message_id
    if settings.MAIL_BOUNCE_ADDRESS and settings.MAIL_CHANNEL in READY:
        headers["From"] = sender  # Django takes the envelope sender from the message's, and its From from here
        sender = envelopes.sender(letter.message_id)
    if letter.key and settings.MAIL_CHANNEL == "brevo":
        headers["idempotencyKey"] = letter.key  # Brevo reads it among the letter's headers, and keeps it 30 minutes
    message = Message(letter.subject, letter.text, sender, to, headers=headers, reply_to=[reply_to], connection=postbox)
    if letter.html:
        message.attach_alternative(letter.html, "text/html")
    message.metadata = dict(letter.metadata)  # type: ignore[attr-defined]
    message.tags = list(letter.tags)  # type: ignore[attr-defined]
    message.idempotency_key = letter.key  # type: ignore[attr-defined]
    return message


def _hand_over(letter: Letter, postbox: Any) -> Receipt:
    try:
        message = as_message(letter, postbox)
        _within(DEADLINE, lambda: _offer(message, postbox))
    except OverdueError:
        _abandon(postbox)
        return Receipt(Outcome.UNCLEAR, detail=f"no answer within {DEADLINE:.0f} seconds")
    except Exception as error:  # whatever a backend raises must end in a verdict
        receipt = outcomes.of_error(error, body_offered=getattr(postbox, "body_offered", True))
        if receipt.outcome in {Outcome.LATER, Outcome.UNCLEAR, Outcome.BLOCKED}:
            _drop(postbox)
        return receipt
    return outcomes.of_message(message)


def _offer(message: EmailMultiAlternatives, postbox: Any) -> None:
    """Opened here, the connection stays open for the next letter."""
    if hasattr(postbox, "body_offered"):
        postbox.body_offered = False  # whatever the last letter met: nothing of this one has left yet
    postbox.open()
    postbox.send_messages([message])


class OverdueError(Exception):
    """The hand-over took longer than `DEADLINE`; it may still be under way in its thread."""


class _Hand:
    """A thread that runs calls one after the other, so that whoever waits for them can stop waiting.

    It ends with its owner.
    """

    def __init__(self) -> None:
        self.calls: queue.SimpleQueue[Callable[[], Any] | None] = queue.SimpleQueue()
        self.answers: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()
        self.thread = threading.Thread(
            target=_run_calls, args=(self.calls, self.answers), name="hand-over", daemon=True
        )
        self.thread.start()

    def __del__(self) -> None:
        self.calls.put(None)


def _run_calls(
    calls: queue.SimpleQueue[Callable[[], Any] | None], answers: queue.SimpleQueue[BaseException | None]
) -> None:
    while (call := calls.get()) is not None:
        try:
            call()
        except BaseException as error:  # carried to the caller's thread, raised there
            answers.put(error)
        else:
            answers.put(None)
        del call


_hands = threading.local()  # each caller has its own


def _within(seconds: float, call: Callable[[], Any]) -> None:
    """Run `call` in another thread and wait for at most so long."""
    hand = getattr(_hands, "hand", None)
    if hand is None or not hand.thread.is_alive():  # a forked process has none of its parent's threads
        hand = _hands.hand = _Hand()
    hand.calls.put(call)
    try:
        error = hand.answers.get(timeout=seconds)
    except queue.Empty:
        del _hands.hand  # it may be at it for long: its answer is nobody's any more
        raise OverdueError from None
    except BaseException:  # a signal or a time limit broke the wait: the next call must not get this one's answer
        del _hands.hand
        raise
    if error is not None:
        raise error


def _drop(postbox: Any) -> None:
    """Close what may be in a bad state; the next letter opens it anew."""
    try:
        postbox.close()
    except (OSError, smtplib.SMTPException):
        _abandon(postbox)


def _abandon(postbox: Any) -> None:
    """Cut the connection under a hand-over that does not end, and forget it."""
    for name in ("connection", "session", "client"):
        held = getattr(postbox, name, None)
        sock = getattr(held, "sock", None)
        if sock is not None:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        if hasattr(postbox, name):
            setattr(postbox, name, None)
