"""The child that reads one answer: `python -m digest.sources.parsers.sandbox_child KIND DAY`.

In: a line with the address the bytes came from, then the bytes. Out: JSON.

It knows no settings, opens no database and has no network. The kernel ends it at its limits, so no
answer can cost its parent more than that.
"""

from __future__ import annotations

import contextlib
import ctypes
import dataclasses
import json
import os
import resource
import sys
from datetime import date
from typing import Any

from digest.papers.entry import Batch, CutShortError, FormatError

CPU_SECONDS = 10
MEMORY = 512 * 1024 * 1024
_NEW_USER_AND_NETWORK = 0x10000000 | 0x40000000


def confine(cpu_seconds: int = CPU_SECONDS) -> None:
    """Limit CPU, memory, files and processes, and leave the network behind where the kernel lets us."""
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 1))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError, AttributeError):  # not Linux, or not allowed: the limits still hold
        ctypes.CDLL(None, use_errno=True).unshare(_NEW_USER_AND_NETWORK)


def lock() -> None:
    """From here on: no file but Python's own modules, no socket, no process, nothing written."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (16, 16))
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    roots = tuple(os.path.realpath(path) + os.sep for path in {*sys.path, sys.prefix, sys.base_prefix} if path)

    def refuse(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and not _is_module(arguments[0], roots):
            raise PermissionError(f"the reading of a feed tried to open {arguments[0]!r}")
        if event.startswith(_FORBIDDEN):
            raise PermissionError(f"the reading of a feed tried {event}")

    sys.addaudithook(refuse)


_FORBIDDEN = (
    "socket.",
    "subprocess.",
    "os.system",
    "os.exec",
    "os.fork",
    "os.spawn",
    "urllib.",
    "ftplib.",
    "ctypes.dlopen",
)
_MODULES = (".py", ".pyc", ".so")


def _is_module(path: object, roots: tuple[str, ...]) -> bool:
    if isinstance(path, int):
        return True
    name = os.fsdecode(path) if isinstance(path, str | bytes) else ""
    return name.endswith(_MODULES) and os.path.realpath(name).startswith(roots)


def answer(kind: str, day: date, body: bytes, address: str = "") -> dict[str, Any]:
    """The reading's outcome as JSON can carry it."""
    from digest.sources.parsers import registry

    try:
        return {"batch": _plain(registry.parser(kind).read(body, day, address))}
    except CutShortError as error:
        return {"cut": str(error), "batch": _plain(error.batch)}
    except FormatError as error:
        return {"error": str(error)}
    except RecursionError:
        return {"error": "It is nested too deep."}
    except MemoryError:
        return {"error": f"Reading it took more than {MEMORY // 2**20} MB.", "killed": True}
    except Exception as error:  # the outermost loop of this process: a parser's own fault is a fault of the answer
        return {"error": f"Reading it failed ({type(error).__name__})."}


def _plain(batch: Batch) -> dict[str, Any]:
    return dataclasses.asdict(batch)


def main() -> None:
    kind, day = sys.argv[1], date.fromisoformat(sys.argv[2])
    confine()
    from digest.sources.parsers import registry

    registry.parser(kind)
    lock()
    address = sys.stdin.buffer.readline().decode().strip()
    found = answer(kind, day, sys.stdin.buffer.read(), address)
    sys.stdout.write(json.dumps(found, default=str))
    sys.stdout.flush()


if __name__ == "__main__":
    main()
