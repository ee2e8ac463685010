"""What the tests of the sources share: reading in this process, and publishers on loopback."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from digest.papers.entry import Batch
from digest.sources.parsers import registry, sandbox


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read without the child, whose start takes as long as ten tests. test_parse.py is about the child."""

    def read(kind: str, body: bytes, day: date, address: str = "") -> Batch:
        return registry.parser(kind).read(body, day, address)

    monkeypatch.setattr(sandbox, "parse", read)


@dataclasses.dataclass
class Publisher:
    """A web server on loopback: `answers` maps a path to a function that writes the response."""

    port: int
    answers: dict[str, Callable[[BaseHTTPRequestHandler], None]]
    asked: list[tuple[str, dict[str, str]]]

    def url(self, path: str = "/feed") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def says(self, body: bytes, path: str = "/feed", status: int = 200, **headers: str) -> None:
        """Answer `path` with this body; header names are written with _ for -."""

        def answer(request: BaseHTTPRequestHandler) -> None:
            request.send_response(status)
            for name, value in ({"Content_Length": str(len(body))} | headers).items():
                request.send_header(name.replace("_", "-"), value)
            request.end_headers()
            request.wfile.write(body)

        self.answers[path] = answer


@pytest.fixture
def publisher(settings: Any) -> Iterator[Publisher]:
    found = Publisher(0, {}, [])

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            found.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
            self.close_connection = True
            answer = found.answers.get(self.path) or found.answers.get(self.path.partition("?")[0])
            try:
                if answer:
                    answer(self)
                else:
                    self.send_error(404)
            except OSError:
                pass  # the reader hung up, as some tests are about

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    found.port = server.server_address[1]
    settings.FETCH_PRIVATE_HOSTS = [f"127.0.0.1:{found.port}"]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield found
    server.shutdown()
    server.server_close()
