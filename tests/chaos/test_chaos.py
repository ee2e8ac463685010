"""The chaos driver in short, so that every run of the tests kills some workers for real."""

from __future__ import annotations

import json
import os

import pytest

from tests.chaos import __main__ as driver
from tests.chaos import ground
from tests.chaos.proxy import Proxy


def kills() -> int:
    """CI kills 50 in each cell, a run by hand a dozen."""
    return 50 if os.environ.get("CI") else 12


@pytest.mark.slow
@pytest.mark.parametrize("kind", driver.KINDS)
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_f40_killed_workers_send_nobody_twice_and_miss_nobody(database: str, kind: str) -> None:
    if database == "postgresql" and not ground.has_postgresql():
        if os.environ.get("CI"):
            pytest.fail("PostgreSQL does not answer")
        pytest.skip("PostgreSQL does not answer")
    result = driver.cell(database, kind, kills(), seed=11, rate=0.15, readers=20)
    if not result["good"]:
        pytest.fail(json.dumps(result, indent=1))


def test_the_proxy_cuts_a_connection_after_so_many_bytes() -> None:
    import socket
    import threading

    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = server.accept()
        with connection:
            connection.sendall(b"x" * 100)
            connection.recv(1)

    threading.Thread(target=serve, daemon=True).start()
    with (
        Proxy(server.getsockname()[1], cut_after=10) as proxy,
        socket.create_connection(("127.0.0.1", proxy.port)) as client,
    ):
        client.settimeout(5)
        received = b""
        try:
            while piece := client.recv(100):
                received += piece
        except ConnectionResetError:
            pass
        client.close()
    server.close()
    assert len(received) <= 10
