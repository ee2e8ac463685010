"""A PostgreSQL server of a test's own, to be stopped, filled and started again. Listens on 127.0.0.1 only.

What dies here is the server, never the machine, so nothing need be forced to the disk. Its programs
refuse to run as root, so root runs them as Debian's user `postgres`.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

INSTALLED = Path("/usr/lib/postgresql")
SETTINGS = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = {connections}
superuser_reserved_connections = 0
shared_buffers = 16MB
deadlock_timeout = 300ms
fsync = off
"""


def programs() -> Path | None:
    """The newest installed server's programs."""
    found = sorted(INSTALLED.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


def why_not() -> str:
    """Why no server can be made here; empty if one can."""
    if programs() is None:
        return f"no PostgreSQL server programs under {INSTALLED} (apt install postgresql)"
    if os.geteuid() == 0 and not _user():
        return "root may not run PostgreSQL, and there is no user postgres (apt install postgresql)"
    return ""


def _user() -> str:
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        return ""


class Cluster:
    """`url` names its database; `stop("immediate")` is a crash, and `start()` recovers from it."""

    def __init__(self, folder: Path, connections: int = 40) -> None:
        self.folder, self.data = folder, folder / "data"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
            folder.chmod(0o755)
        self._run("initdb", "-D", str(self.data), "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8")
        with (self.data / "postgresql.conf").open("a") as config:
            config.write(SETTINGS.format(connections=connections))

    def _run(self, program: str, *arguments: str) -> None:
        folder = programs()
        assert folder is not None
        user = "postgres" if os.geteuid() == 0 else None
        command = [str(folder / program), *arguments]
        done = subprocess.run(
            command, cwd=self.folder, user=user, group=user, extra_groups=[] if user else None,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr

    def start(self) -> None:
        log = str(self.folder / "log")
        self._run("pg_ctl", "start", "-w", "-D", str(self.data), "-o", f"-p {self.port}", "-l", log)

    def stop(self, how: str = "immediate") -> None:
        self._run("pg_ctl", "stop", "-w", "-D", str(self.data), "-m", how)

    def is_up(self) -> bool:
        return (self.data / "postmaster.pid").exists()


@contextmanager
def running(connections: int = 40) -> Iterator[Cluster]:
    """A fresh server, ended and forgotten afterwards."""
    with tempfile.TemporaryDirectory(prefix="offprint-pg-") as folder:
        cluster = Cluster(Path(folder), connections)
        cluster.start()
        try:
            yield cluster
        finally:
            if cluster.is_up():
                cluster.stop()
