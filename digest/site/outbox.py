"""For development: the letters that went to files, each with its headers and both parts. Never on a public site."""

from __future__ import annotations

import email
import re
from collections.abc import Callable
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from functools import wraps
from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from digest.letters.policy import letter_policy

SHOWN = 200
_NAME = re.compile(r"[A-Za-z0-9._+-]+\.eml")
FRAME_RULES = ("frame-ancestors 'self'", "sandbox allow-popups allow-popups-to-escape-sandbox")


@dataclass(frozen=True)
class StoredLetter:
    """A letter in the outbox, as the list shows it."""

    name: str
    to: str
    subject: str
    date: str
    size: int


def has_outbox() -> bool:
    """Only where letters go to files, on a site that nobody else reaches."""
    return settings.MAIL_CHANNEL == "outbox" and not settings.PUBLIC


def outbox_only(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """404 where there is no outbox to show."""

    @require_safe
    @wraps(view)
    def guarded(request: HttpRequest, *args: str, **kwargs: str) -> HttpResponse:
        if not has_outbox():
            raise Http404("no outbox here")
        return view(request, *args, **kwargs)

    return guarded


@outbox_only
def outbox(request: HttpRequest) -> HttpResponse:
    """The newest letters first."""
    folder = Path(settings.OUTBOX_DIR)
    paths = sorted(folder.glob("*.eml"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    return render(request, "site/outbox.html", {"letters": list(map(_stored, paths[:SHOWN]))})


@outbox_only
def letter(request: HttpRequest, name: str) -> HttpResponse:
    """One letter: headers, the text part, and the HTML part in a frame of its own."""
    message = _read(name)
    text = ""
    if part := message.get_body(("plain",)):
        text = part.get_content()
    context = {
        "name": name,
        "subject": str(message["Subject"] or name),
        "headers": [(key, str(value)) for key, value in message.items()],
        "text": text,
        "has_html": message.get_body(("html",)) is not None,
    }
    return render(request, "site/outbox_letter.html", context)


@outbox_only
def html(request: HttpRequest, name: str) -> HttpResponse:
    """The HTML part alone, in a sandbox."""
    part = _read(name).get_body(("html",))
    if part is None:
        raise Http404("this letter is text only")
    response = HttpResponse(part.get_content())
    response.headers["Content-Security-Policy"] = letter_policy(*FRAME_RULES)
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    return response


def _stored(path: Path) -> StoredLetter:
    with path.open("rb") as file:
        message = email.message_from_binary_file(file, policy=policy.default)
    to, subject, date = (str(message[name] or "") for name in ("To", "Subject", "Date"))
    return StoredLetter(path.name, to, subject, date, path.stat().st_size)


def _read(name: str) -> EmailMessage:
    path = Path(settings.OUTBOX_DIR) / name
    if not _NAME.fullmatch(name) or not path.is_file():
        raise Http404("no such letter")
    return email.message_from_bytes(path.read_bytes(), policy=policy.default)
