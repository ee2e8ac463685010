"""The supervisor: runs the web processes, and worker and beat (with Redis) or the scheduler (without a broker)."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from django.conf import settings

from digest.operate.scheduler import Scheduler


class PortTakenError(Exception):
    """Something else listens on the port; the message says what to do."""


def check_port(port: int) -> None:
    """Raises PortTakenError before any work is done, not after."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise PortTakenError(
                f"Port {port} is taken. Stop what uses it, or choose another: make run PORT=8001"
            ) from error


def use_port(port: int) -> None:
    """On this machine only, the links in letters lead to where the site is served, whatever the default says."""
    if not settings.PUBLIC and "PUBLIC_BASE_URL" not in os.environ:
        settings.PUBLIC_BASE_URL = os.environ["PUBLIC_BASE_URL"] = f"http://localhost:{port}"


def commands(port: int) -> list[list[str]]:
    """The processes to keep up: always the web; worker and beat where a broker carries the wake-ups."""
    web = [
        *_python("gunicorn"),
        "config.wsgi",
        f"--bind=127.0.0.1:{port}",
        "--workers=2",
        "--threads=4",
        "--no-control-socket",
        "--log-level=warning",
    ]
    if not settings.REDIS_URL:
        return [web]
    celery = [*_python("celery"), "-A", "config"]
    return [web, [*celery, "worker", "--loglevel=warning", "--concurrency=2"], [*celery, "beat", "--loglevel=warning"]]


def _python(module: str) -> list[str]:
    return [sys.executable, "-m", module]


def serve(port: int, say: Callable[[str], None]) -> int:
    """Serve until Ctrl-C or SIGTERM, or until one of the processes dies; returns the exit code."""
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: stopping.set())
    # Our own fixed commands; each in a session of its own, so that Ctrl-C reaches it through us.
    folder = Path(settings.BASE_DIR)
    children = [subprocess.Popen(command, cwd=folder, start_new_session=True) for command in commands(port)]  # noqa: S603
    scheduler = None if settings.REDIS_URL else Scheduler()
    if scheduler:
        scheduler.start()
    dead = _watch(children, stopping)
    say("\nStopping …" if not dead else f"\n{dead} ended by itself. Stopping …")
    if scheduler:
        scheduler.stop()
    _end(children)
    return 1 if dead else 0


def _watch(children: Sequence[subprocess.Popen[bytes]], stopping: threading.Event) -> str:
    """Wait for the sign to stop; returns the name of a process that ended before it, or ''."""
    while not stopping.wait(0.5):
        for child in children:
            if child.poll() is not None:
                return str(child.args[2] if isinstance(child.args, list) else child.args)
    return ""


def _end(children: Sequence[subprocess.Popen[bytes]]) -> None:
    for child in children:
        if child.poll() is None:
            child.terminate()
    for child in children:
        try:
            child.wait(15)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
