"""Which processes are kept up, and what is checked before any of them starts."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading

import pytest

from digest.operate import supervisor


def modules(port: int = 8000) -> list[str]:
    return [" ".join(command[2:5]) for command in supervisor.commands(port)]


def test_without_a_broker_only_the_web_is_a_process(settings):
    settings.REDIS_URL = ""
    assert modules() == ["gunicorn config.wsgi --bind=127.0.0.1:8000"]


def test_with_redis_worker_and_beat_are_kept_up_too(settings):
    settings.REDIS_URL = "redis://127.0.0.1:6379/0"
    assert [line.split()[0] for line in modules()] == ["gunicorn", "celery", "celery"]


def test_a_taken_port_is_said_before_any_work_is_done():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(supervisor.PortTakenError, match=f"Port {port} is taken"):
            supervisor.check_port(port)


def test_links_lead_to_the_port_it_is_served_on(settings, monkeypatch):
    monkeypatch.delenv("PUBLIC_BASE_URL", raising=False)
    settings.PUBLIC_BASE_URL = "http://localhost:8000"
    supervisor.use_port(8001)
    told = os.environ.pop("PUBLIC_BASE_URL")
    assert (settings.PUBLIC_BASE_URL, told) == ("http://localhost:8001", "http://localhost:8001")


def test_an_address_somebody_chose_is_kept(settings, monkeypatch):
    monkeypatch.setenv("PUBLIC_BASE_URL", "http://127.0.0.1:9000")
    settings.PUBLIC_BASE_URL = "http://127.0.0.1:9000"
    supervisor.use_port(8001)
    assert settings.PUBLIC_BASE_URL == "http://127.0.0.1:9000"


def test_a_process_that_ends_by_itself_is_named():
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    assert supervisor._watch([child], threading.Event()) == "pass"


def test_the_end_waits_for_every_process():
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    supervisor._end([child])
    assert child.poll() is not None
