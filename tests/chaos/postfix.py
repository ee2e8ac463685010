"""A real Postfix of a test's own: in a temporary folder, on a port of its own, handing everything on to a sink.

`with Postfix(sink_port) as server:` starts it and stops it; `EMAIL_URL=server.url`.
"""

from __future__ import annotations

import os
import shutil
import signal
import smtplib
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path

MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = {daemons}
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = relay.example
mydestination =
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
alias_maps =
default_transport = {transport}
bounce_queue_lifetime = 0
maillog_file = {folder}/log/postfix.log
maillog_file_prefixes = {folder}
"""
MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


def absent() -> str:
    """Why no Postfix can be run here; nothing if one can."""
    if shutil.which("postfix", path=_path()) is None:
        return "no Postfix here (apt install postfix)"
    return "" if os.geteuid() == 0 else "only root can start a Postfix"


def _path() -> str:
    return f"{os.environ.get('PATH', os.defpath)}:/usr/sbin"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Postfix:
    """`sink`: the port that mail is handed on to; 0 throws it away."""

    def __init__(self, sink: int = 0) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="offprint-postfix-"))
        self.config, self.log = self.folder / "etc", self.folder / "log" / "postfix.log"
        self.port = free_port()
        self.url = f"postfix://127.0.0.1:{self.port}{self.config}"
        self._furnish(f"smtp:[127.0.0.1]:{sink}" if sink else "discard:")

    def _furnish(self, transport: str) -> None:
        self.folder.chmod(0o755)
        for name in ("etc", "queue", "data", "log"):
            (self.folder / name).mkdir()
        shutil.chown(self.folder / "data", "postfix")
        daemons = next(one for one in ("/usr/lib/postfix/sbin", "/usr/libexec/postfix") if Path(one).is_dir())
        main = MAIN.format(folder=self.folder, daemons=daemons, transport=transport)
        (self.config / "main.cf").write_text(main)
        (self.config / "master.cf").write_text(MASTER.format(port=self.port))

    def __enter__(self) -> Postfix:
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self) -> None:
        said = _run("postfix", "-c", str(self.config), "start")
        if said.returncode:
            raise RuntimeError(f"Postfix does not start: {said.stderr}{self._log()}")
        end = time.monotonic() + 20
        while time.monotonic() < end:
            with suppress(OSError, smtplib.SMTPException), smtplib.SMTP("127.0.0.1", self.port, timeout=5):
                return
            time.sleep(0.1)
        raise RuntimeError(f"Postfix does not answer: {self._log()}")

    def stop(self) -> None:
        """In order; by force if it does not end."""
        master = self._master()
        _run("postfix", "-c", str(self.config), "stop")
        if master and _lives(master):
            os.kill(master, signal.SIGKILL)

    def crash(self) -> None:
        """As in a power cut: nothing is written down."""
        master = self._master()
        if master:
            os.killpg(master, signal.SIGKILL)

    def rotate(self) -> None:
        """As logrotate does it: renamed, made anew, then reopened."""
        os.replace(self.log, f"{self.log}.1")
        self.log.touch()
        _run("postfix", "-c", str(self.config), "reload")
        time.sleep(0.5)

    def _master(self) -> int:
        try:
            return int((self.folder / "queue" / "pid" / "master.pid").read_text())
        except (OSError, ValueError):
            return 0

    def _log(self) -> str:
        return self.log.read_text() if self.log.exists() else ""

    def drain(self) -> None:
        drain(self.config)


def drain(config: Path | str, seconds: float = 60.0) -> None:
    """Wait until everything that this Postfix took has been handed on.

    A letter that moves from folder to folder while the queue is listed may be missed by one look, not by three.
    """
    end, empty = time.monotonic() + seconds, 0
    while empty < 3:
        said = _run("postqueue", "-c", str(config), "-j")
        waiting = said.stdout.splitlines()
        if time.monotonic() > end:
            raise RuntimeError(f"Postfix keeps {len(waiting)} letters {said.stderr}")
        empty = empty + 1 if said.returncode == 0 and not waiting else 0
        if waiting:
            _run("postqueue", "-c", str(config), "-f")
        time.sleep(0.2)


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env={"PATH": _path(), "LANG": "C"})


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
