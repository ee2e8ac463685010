"""`python -m tests.bench.sink`: the least a mail server must do, on loopback, for measuring. It keeps nothing.

Prints its port, then takes every letter until its standard input closes.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any


class Session(asyncio.Protocol):
    """One client (RFC 5321): every command is answered, every text is thrown away."""

    def connection_made(self, transport: Any) -> None:
        self.transport, self.rest, self.in_text = transport, b"", False
        transport.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        self.rest += data
        while self._step():
            pass

    def _step(self) -> bool:
        """Deal with one command or one text; False where more must come first."""
        if self.in_text:
            end = self.rest.find(b"\r\n.\r\n")
            if end < 0:
                self.rest = self.rest[-4:]
                return False
            self.rest, self.in_text = self.rest[end + 5 :], False
            self.transport.write(b"250 taken\r\n")
            return True
        line, found, rest = self.rest.partition(b"\r\n")
        if not found:
            return False
        self.rest = rest
        self._answer(line[:4].upper())
        return True

    def _answer(self, word: bytes) -> None:
        if word == b"DATA":
            self.in_text, self.rest = True, b"\r\n" + self.rest
            self.transport.write(b"354 go on\r\n")
        elif word == b"QUIT":
            self.transport.write(b"221 bye\r\n")
            self.transport.close()
        else:
            self.transport.write(b"250 sink\r\n")


async def serve() -> None:
    server = await asyncio.get_running_loop().create_server(Session, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve())
