"""What all tests share: nothing leaves this machine, and files go to a folder of the test's own."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.servers.basehttp import ThreadedWSGIServer
from django.db import connections
from django.test import Client
from hypothesis import settings as hypothesis_settings

from tests.browser import browser
from tests.everything import POSTGRES, REDIS, answers

__all__ = ("browser",)

# A shared machine may be slow at any moment: an example is judged by its answer, not by its time.
hypothesis_settings.register_profile("offprint", deadline=None)
hypothesis_settings.load_profile("offprint")

BETWEEN_ELEMENTS = re.compile(rb">\n *<")
INDENTATION = re.compile(rb"\n *")
TYPED = re.compile(rb"(<textarea.*?</textarea>|<pre.*?</pre>|value=\"[^\"]*\")", re.DOTALL)
LOOPBACK = ("127.", "::1", "localhost")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of a server or a browser that is not here say so and are left out."""
    absent = {
        "postgresql": None if answers(POSTGRES) else "no PostgreSQL answers at TEST_POSTGRES_URL or 127.0.0.1:5432",
        "redis": None if answers(REDIS) else "no Redis answers at TEST_REDIS_URL or 127.0.0.1:6379",
        "browser": None if Path("/usr/bin/chromium").exists() else "no /usr/bin/chromium (apt install chromium)",
    }
    for item in items:
        for mark, reason in absent.items():
            if reason and item.get_closest_marker(mark):
                item.add_marker(pytest.mark.skip(reason=reason))


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """In CI every test runs: a skip fails the run and is named."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    if os.environ.get("CI") and skipped and not hasattr(session.config, "workerinput"):
        for report in skipped:
            reporter.write_line(f"skipped in CI: {report.nodeid}: {report.longrepr}")
        session.exitstatus = 1


@pytest.fixture(scope="session", autouse=True)
def shared_connections_stay_open() -> Iterator[None]:
    """A browser may hold a request open when the live server stops, and its thread then must not touch the tests'
    own connection: Django closes it there, and fails where it is shared no longer (SQLite in memory)."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ThreadedWSGIServer, "_close_connections", _close_its_own)
        yield


def _close_its_own(server: ThreadedWSGIServer) -> None:
    if not server.connections_override:
        connections.close_all()


def as_read(page: bytes) -> bytes:
    """HTML without the line breaks and the indentation that a browser does not show."""
    parts = TYPED.split(page)  # what stands in a field is kept as it is
    parts[::2] = [INDENTATION.sub(b" ", BETWEEN_ELEMENTS.sub(b"><", part)) for part in parts[::2]]
    return b"".join(parts)


@pytest.fixture(autouse=True)
def pages_are_read_as_a_browser_reads_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line break with its indentation is one space in HTML, and nothing between two elements."""
    request = Client.request

    def squeezed(self: Client, **asked: Any) -> Any:
        response = request(self, **asked)
        is_page = response.get("Content-Type", "").startswith("text/html")
        if is_page and not response.streaming and "Content-Encoding" not in response:
            response.content = as_read(response.content)
        return response

    monkeypatch.setattr(Client, "request", squeezed)


@pytest.fixture(autouse=True)
def no_internet(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection to anything but this machine fails at once, with the address in the message."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        host = address[0] if isinstance(address, tuple) else ""
        if host and not str(host).startswith(LOOPBACK):
            raise AssertionError(f"a test tried to reach {host}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(autouse=True)
def own_files(tmp_path: Path, settings: Any) -> None:
    settings.VAR_DIR = tmp_path
    settings.STATE_DIR = tmp_path / "state"
    settings.OUTBOX_DIR = tmp_path / "outbox"


@pytest.fixture(autouse=True)
def no_papers_of_another_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """Previews' index is kept by the editions' ids, which every test counts anew; no thread makes it here."""
    from digest.matching import recent

    recent._window.clear()
    monkeypatch.setattr(recent._window, "behind", lambda work, _patience: work())


@pytest.fixture(scope="session")
def captured() -> Path:
    """The folder of captured real answers beside the checkout; tests that need it skip where it is absent."""
    folder = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("captured publishers' answers (../shared/data) are not here")
    return folder
