"""A mail provider on loopback that fails on purpose, and whose accept log is the truth.

It speaks the real request formats of Resend, Brevo, Postmark, Mailgun and Amazon SES over HTTP, and
SMTP. Each fault is drawn from a seeded dice: before the letter was accepted, or after. What was
accepted is appended to `log`, and never changed; `duplicates` and `accepted` read it.
"""

from __future__ import annotations

import base64
import email
import json
import random
import re
import socket
import struct
import sys
import threading
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from email import policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

BEFORE = ("429", "500", "reset", "hang", "half")
AFTER = ("500", "reset", "hang", "bad json", "no id", "drip")


@dataclass(frozen=True)
class Accepted:
    """One letter the provider took: `delivery` is the ledger's uuid, as found in what was sent."""

    provider: str
    delivery: str
    to: str
    message_id: str
    at: float
    metadata: dict[str, str]
    tags: tuple[str, ...]
    provider_id: str


@dataclass
class Provider:
    """State shared by the HTTP and the SMTP side. `rate` is the share of requests that meet a fault."""

    seed: int = 0
    rate: float = 0.0
    before: tuple[str, ...] = BEFORE
    after: tuple[str, ...] = AFTER
    hang: float = 0.5
    retry_after: int = 1  # seconds, in answers of 429
    log: list[Accepted] = field(default_factory=list)
    keys: dict[str, tuple[str, str]] = field(default_factory=dict)
    faults: Counter[str] = field(default_factory=Counter)
    scripted: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    down: bool = False
    lock: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)

    def draw(self) -> str:
        """`before <fault>`, `after <fault>`, or nothing: scripted faults first, then the dice."""
        with self.lock:
            if self.scripted:
                fault = self.scripted.pop(0)
            elif self.dice.random() < self.rate:
                when = "before" if self.dice.random() < 0.5 else "after"
                fault = f"{when} {self.dice.choice(self.before if when == 'before' else self.after)}"
            else:
                fault = ""
            if fault:
                self.faults[fault] += 1
            return fault

    def accept(self, provider: str, to: str, message_id: str, metadata: dict[str, str], tags: tuple[str, ...]) -> str:
        identity = str(uuid.uuid4())
        delivery = metadata.get("delivery") or delivery_of(message_id)
        with self.lock:
            self.log.append(Accepted(provider, delivery, to, message_id, time.time(), metadata, tags, identity))
        return identity

    def accepted(self) -> Counter[str]:
        """Delivery uuid -> how often it was accepted."""
        with self.lock:
            return Counter(one.delivery for one in self.log)

    def duplicates(self) -> dict[str, int]:
        return {one: n for one, n in self.accepted().items() if n > 1}

    def by_address(self) -> Counter[tuple[str, str]]:
        with self.lock:
            return Counter((one.to, one.delivery) for one in self.log)


def delivery_of(message_id: str) -> str:
    found = re.match(r"<?d\.([0-9a-f-]{36})@", message_id)
    return found[1] if found else message_id


class ResetError(Exception):
    """The connection is cut without an answer."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    provider: Provider
    disable_nagle_algorithm = True

    def log_message(self, *args: Any) -> None:
        pass

    def do_POST(self) -> None:
        self._guarded(self._post)

    def do_GET(self) -> None:
        self._guarded(self._get)

    def _guarded(self, serve: Any) -> None:
        try:
            serve()
        except ResetError:
            self._cut()
        except (BrokenPipeError, ConnectionError):
            self.close_connection = True

    def _cut(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()
        self.rfile = self.wfile = _Nothing()  # type: ignore[assignment]

    def answer(self, status: int, body: Any = None, headers: dict[str, str] | None = None) -> None:
        raw = body if isinstance(body, bytes) else json.dumps(body if body is not None else {}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw)

    # -- sending --------------------------------------------------------------------------------

    def _post(self) -> None:
        fault = "before down" if self.provider.down else self.provider.draw()
        length = int(self.headers.get("Content-Length", 0))
        if fault == "before half":
            self.rfile.read(length // 2)
            raise ResetError
        body = self.rfile.read(length)
        if len(body) < length:
            return
        if fault.startswith("before "):
            self._fail(fault)
            return
        speak = SPEAKERS.get(_kind(self.path))
        if speak is None:
            self.answer(404, {"message": "no such address"})
            return
        status, reply = speak(self, body)
        if fault.startswith("after ") and status < 300:
            self._fail(fault)
            return
        self.answer(status, reply)

    def _fail(self, fault: str) -> None:
        what = fault.partition(" ")[2]
        if what == "429":
            self.answer(
                429,
                {"message": "slow down", "name": "rate_limit_exceeded"},
                {"Retry-After": f"{self.provider.retry_after}"},
            )
        elif what in {"401", "403", "400", "500", "503"}:
            self.answer(int(what), {"message": "no"})
        elif what in {"hang", "down"}:
            time.sleep(self.provider.hang)
            raise ResetError
        elif what == "bad json":
            self.answer(200, b"<html>maintenance</html>")
        elif what == "no id":
            self.answer(200, {"strange": True})
        elif what == "drip":
            self._drip()
        else:
            raise ResetError

    def _drip(self) -> None:
        """One byte at a time: every single read is quick, the whole takes for ever."""
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        end = time.monotonic() + 4 * self.provider.hang
        while time.monotonic() < end:
            self.wfile.write(b" ")
            time.sleep(self.provider.hang / 10)
        raise ResetError

    def keyed(self, key: str, body: bytes, accept: Any) -> tuple[bool, str]:
        """(known, id): a key that was seen gives the first answer again, or a conflict for another body."""
        provider = self.provider
        with provider.lock:
            if key and key in provider.keys:
                identity, seen = provider.keys[key]
                return True, identity if seen == body.decode() else ""
            identity = accept()
            if key:
                provider.keys[key] = identity, body.decode()
            return False, identity

    # -- asking ---------------------------------------------------------------------------------

    def _get(self) -> None:
        parts = urlsplit(self.path)
        query = parse_qs(parts.query)
        if self.provider.down:
            raise ResetError
        if parts.path.endswith("/messages/outbound"):
            self.answer(200, self._postmark_search(query))
        elif parts.path.endswith("/events"):
            self.answer(200, self._mailgun_events(query))
        elif parts.path == "/_events":
            self.answer(200, self._events())
        elif parts.path == "/_log":
            self.answer(200, self._truth())
        else:
            self.answer(404, {"message": "no such address"})

    def _events(self) -> list[dict[str, Any]]:
        """A few letters' events, at random: most come late, some twice, a third never."""
        provider = self.provider
        with provider.lock:
            heard = [one for one in provider.log if int(one.provider_id[0], 16) > 4]
            some = provider.dice.sample(heard, min(3, len(heard)))
        return [{"type": "delivered", "id": one.provider_id, "metadata": one.metadata, "to": one.to} for one in some]

    def _truth(self) -> dict[str, Any]:
        """For the driver: how often each letter was accepted, and which faults were played."""
        return {
            "accepted": dict(self.provider.accepted()),
            "faults": dict(self.provider.faults),
            "times": self._times(),
        }

    def _times(self) -> list[float]:
        with self.provider.lock:
            return [one.at for one in self.provider.log]

    def _postmark_search(self, query: dict[str, list[str]]) -> dict[str, Any]:
        found = [one for one in list(self.provider.log) if query["tag"][0] in one.tags]
        start, count = int(query["offset"][0]), int(query["count"][0])
        messages = [
            {"MessageID": one.provider_id, "To": [{"Email": one.to, "Name": None}], "Metadata": one.metadata}
            for one in found[start : start + count]
        ]
        return {"TotalCount": len(found), "Messages": messages}

    def _mailgun_events(self, query: dict[str, list[str]]) -> dict[str, Any]:
        begin, end = float(query["begin"][0]), float(query["end"][0])
        page, size = int(query.get("page", ["0"])[0]), 5
        found = [one for one in list(self.provider.log) if begin <= one.at <= end]
        items = [
            {"event": "accepted", "timestamp": one.at, "recipient": one.to, "user-variables": one.metadata}
            for one in found[page * size : (page + 1) * size]
        ]
        host = self.headers["Host"]
        path = urlsplit(self.path).path
        following = f"http://{host}{path}?begin={begin}&end={end}&page={page + 1}"
        return {"items": items, "paging": {"next": following}}


class _Nothing:
    """What is left of a connection that was cut."""

    closed = False

    def readline(self, *_: Any) -> bytes:
        return b""

    def write(self, _: bytes) -> int:
        return 0

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass


def _kind(path: str) -> str:
    path = urlsplit(path).path
    if path.endswith("/smtp/email"):
        return "brevo"
    if path.endswith("/v2/email/outbound-emails"):
        return "amazon_ses"
    if path.endswith("/messages") or path.endswith("/messages.mime"):
        return "mailgun"
    if path.endswith("/emails"):
        return "resend"
    return "postmark" if path.endswith("/email") else ""


def _addr(text: str) -> str:
    return email.utils.parseaddr(text)[1].lower()


def _resend(handler: Handler, body: bytes) -> tuple[int, Any]:
    data = json.loads(body)
    headers = {name.lower(): value for name, value in data.get("headers", {}).items()}
    metadata = json.loads(headers.get("x-metadata", "{}"))
    to = _addr(data["to"][0])
    refused = handler.provider.refused.get(to)
    if refused == "poison":
        return 422, {"statusCode": 422, "name": "validation_error", "message": "this letter is not valid"}
    known, identity = handler.keyed(
        handler.headers.get("Idempotency-Key", ""),
        body,
        lambda: handler.provider.accept("resend", to, headers.get("message-id", ""), metadata, ()),
    )
    if known and not identity:
        return 409, {"statusCode": 409, "name": "invalid_idempotent_request", "message": "same key, other body"}
    return 200, {"id": identity}


def _brevo(handler: Handler, body: bytes) -> tuple[int, Any]:
    data = json.loads(body)
    headers = {name.lower(): value for name, value in data.get("headers", {}).items()}
    metadata = json.loads(headers.get("x-mailin-custom", "{}"))
    known, identity = handler.keyed(
        headers.get("idempotencykey", ""),
        body,
        lambda: handler.provider.accept(
            "brevo", data["to"][0]["email"].lower(), headers.get("message-id", ""), metadata, ()
        ),
    )
    if known:
        return 400, {"code": "duplicate_parameter", "message": "idempotencyKey was used"}
    return 201, {"messageId": f"<{identity}@smtp-relay.example>"}


def _postmark(handler: Handler, body: bytes) -> tuple[int, Any]:
    data = json.loads(body)
    to = _addr(data["To"])
    refused = handler.provider.refused.get(to)
    if refused == "inactive":
        text = (
            "You tried to send to a recipient that has been marked as inactive.\n"
            f"Found inactive addresses: {to}.\nInactive recipients are ones that have generated a hard bounce."
        )
        return 422, {"ErrorCode": 406, "Message": text}
    if refused == "poison":
        return 422, {"ErrorCode": 300, "Message": "Invalid metadata content."}
    headers = {one["Name"].lower(): one["Value"] for one in data.get("Headers", [])}
    metadata = data.get("Metadata", {})
    tags = (data["Tag"],) if "Tag" in data else ()
    identity = handler.provider.accept("postmark", to, headers.get("message-id", ""), metadata, tags)
    return 200, {"To": data["To"], "MessageID": identity, "ErrorCode": 0, "Message": "OK"}


def _mailgun(handler: Handler, body: bytes) -> tuple[int, Any]:
    fields = _form(handler.headers.get("Content-Type", ""), body)
    metadata = {name[2:]: value for name, value in fields.items() if name.startswith("v:")}
    message_id = fields.get("h:Message-ID", fields.get("h:Message-Id", ""))
    handler.provider.accept("mailgun", _addr(fields["to"]), message_id, metadata, ())
    return 200, {"id": message_id or "<x@example.org>", "message": "Queued. Thank you."}


def _form(content_type: str, body: bytes) -> dict[str, str]:
    if content_type.startswith("application/x-www-form-urlencoded"):
        return dict(parse_qsl(body.decode()))
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    parts = email.message_from_bytes(head + body, policy=policy.default)
    fields = {}
    for part in parts.iter_parts():
        name = part.get_param("name", header="content-disposition")
        fields[str(name)] = str(part.get_payload(decode=True).decode())
    return fields


def _ses(handler: Handler, body: bytes) -> tuple[int, Any]:
    data = json.loads(body)
    raw = base64.b64decode(data["Content"]["Raw"]["Data"])
    message = email.message_from_bytes(raw, policy=policy.default)
    metadata = json.loads(str(message.get("X-Metadata", "{}")))
    to = _addr(data["Destination"]["ToAddresses"][0])
    identity = handler.provider.accept("amazon_ses", to, str(message["Message-ID"]), metadata, ())
    return 200, {"MessageId": identity}


SPEAKERS = {"resend": _resend, "brevo": _brevo, "postmark": _postmark, "mailgun": _mailgun, "amazon_ses": _ses}


class HttpServer:
    """The provider's HTTP side, in a thread: `with HttpServer(provider) as base_url:`."""

    def __init__(self, provider: Provider, port: int = 0) -> None:
        handler = type("Bound", (Handler,), {"provider": provider})
        self.server = ThreadingHTTPServer(("127.0.0.1", port), handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self) -> HttpServer:
        self.thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.server.shutdown()
        self.server.server_close()


class SmtpServer:
    """The provider's SMTP side (aiosmtpd in a thread). Faults: see `_Receiver`."""

    def __init__(self, provider: Provider, port: int = 0) -> None:
        from aiosmtpd.controller import Controller

        if port == 0:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = probe.getsockname()[1]
        self.port = port
        self.controller = Controller(_Receiver(provider), hostname="127.0.0.1", port=port, ready_timeout=10)

    def __enter__(self) -> SmtpServer:
        self.controller.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.controller.stop()


class _Receiver:
    """`before 421|450|451|550|554|reset` before the letter is taken, `after reset|451` after its last dot."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        refused = self.provider.refused.get(address.lower())
        if refused:
            return refused
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        fault = self.provider.draw()
        when, _, what = fault.partition(" ")
        if when == "before":
            if what in {"reset", "hang", "half"}:
                server.transport.abort()
                return "451 cut"
            code = what if what in {"421", "450", "451", "550", "554", "552"} else "451"
            return f"{code} 4.3.0 try again" if code[0] == "4" else f"{code} 5.6.0 not this letter"
        message = email.message_from_bytes(envelope.content, policy=policy.default)
        self.provider.accept("smtp", envelope.rcpt_tos[0].lower(), str(message["Message-ID"]), {}, ())
        if when == "after":
            server.transport.abort()
            return "250 nobody hears this"
        return "250 OK queued"


def main() -> None:
    """Serve until killed: `python -m tests.chaos.provider HTTP_PORT SMTP_PORT SEED RATE HANG`."""
    http_port, smtp_port, seed, rate, hang = sys.argv[1:6]
    provider = Provider(seed=int(seed), rate=float(rate), hang=float(hang))
    with HttpServer(provider, int(http_port)), SmtpServer(provider, int(smtp_port)):
        print("ready", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
