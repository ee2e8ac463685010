"""What every chaos run stands on: free ports, an environment, the fake provider, databases of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
POSTGRES = os.environ.get("TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres")


def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(database: str, kind: str, folder: Path, http: int, smtp: int) -> dict[str, str]:
    mail = {
        "idempotent": {"EMAIL_URL": "anymail://resend", "ANYMAIL_RESEND_API_KEY": "k" * 20},
        "evidence": {"EMAIL_URL": "anymail://postmark", "ANYMAIL_POSTMARK_SERVER_TOKEN": "k" * 20},
        "blind": {"EMAIL_URL": f"smtp://127.0.0.1:{smtp}"},
    }[kind]
    base = f"http://127.0.0.1:{http}/"
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {
        **kept,
        **mail,
        "ANYMAIL_RESEND_API_URL": base,
        "ANYMAIL_POSTMARK_API_URL": base,
        "ANYMAIL_WEBHOOK_SECRET": "chaos:0123456789012345678901234567",
        "OFFPRINT_DOTENV": "no",
        "OFFPRINT_FAILPOINTS": "none:1",
        "VAR_DIR": str(folder),
        "STATE_DIR": f"{folder}/state",
        "DATABASE_URL": database,
        "LOG_LEVEL": "warning",
        "PYTHONWARNINGS": "ignore",
    }


@contextmanager
def provider(http: int, smtp: int, seed: int, rate: float) -> Iterator[None]:
    command = [sys.executable, "-m", "tests.chaos.provider", str(http), str(smtp), str(seed), str(rate), "0.6"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        yield
    finally:
        process.kill()
        process.wait()


def make_database(database: str, name: str, folder: Path) -> str:
    if database == "sqlite":
        return f"sqlite:///{folder / 'chaos.sqlite3'}"
    _on_server(f'CREATE DATABASE "{name}"')
    return POSTGRES.rpartition("/")[0] + f"/{name}"


def drop_database(database: str, name: str) -> None:
    if database == "postgresql":
        _on_server(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _on_server(statement: str) -> None:
    import psycopg

    with psycopg.connect(POSTGRES, autocommit=True) as server:
        server.execute(statement)


def has_postgresql() -> bool:
    import psycopg

    try:
        psycopg.connect(POSTGRES, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True
