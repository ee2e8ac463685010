"""A TCP proxy that breaks connections: cuts after so many bytes, swallows, slows, or refuses.

`with Proxy(target_port, cut_after=2000) as proxy:` listens on `proxy.port`. Its faults may be changed
while it runs (`proxy.blackhole = True`), so a server can fall silent and come back.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from typing import Any


class Proxy:
    """`cut_after`: reset once so many bytes came back from the server. `blackhole`: take, answer nothing.
    `refuse`: reset at once. `delay`: seconds before each piece. `rate`: bytes a second.
    """

    def __init__(
        self, target: int, cut_after: int = 0, blackhole: bool = False, refuse: bool = False, delay: float = 0.0,
        rate: int = 0,
    ) -> None:  # fmt: skip
        self.target = target
        self.cut_after, self.blackhole, self.refuse = cut_after, blackhole, refuse
        self.delay, self.rate = delay, rate
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.server.getsockname()[1]
        self.open: set[socket.socket] = set()
        self.over = False

    def __enter__(self) -> Proxy:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.over = True
        self.server.close()
        for one in list(self.open):
            self.cut(one)

    def _accept(self) -> None:
        while not self.over:
            try:
                client, _ = self.server.accept()
            except OSError:
                return
            if self.refuse:
                self.cut(client)
                continue
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(("127.0.0.1", self.target), timeout=5)
        except OSError:
            self.cut(client)
            return
        server.settimeout(None)
        self.open |= {client, server}
        threading.Thread(target=self._pump, args=(client, server, False), daemon=True).start()
        self._pump(server, client, True)

    def _pump(self, source: socket.socket, to: socket.socket, from_server: bool) -> None:
        passed = 0
        with contextlib.suppress(OSError):
            while piece := source.recv(4096):
                while self.blackhole and not self.over:
                    time.sleep(0.05)
                self._slow(len(piece))
                if from_server and self.cut_after and passed + len(piece) >= self.cut_after:
                    to.sendall(piece[: max(0, self.cut_after - passed)])
                    break
                to.sendall(piece)
                passed += len(piece)
            else:
                to.shutdown(socket.SHUT_WR)
                return
        self.cut(source)
        self.cut(to)

    def _slow(self, size: int) -> None:
        if self.delay or self.rate:
            time.sleep(self.delay + (size / self.rate if self.rate else 0.0))

    def cut(self, one: socket.socket) -> None:
        """Reset, as a crashed peer or a firewall does."""
        self.open.discard(one)
        with contextlib.suppress(OSError):
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        one.close()
