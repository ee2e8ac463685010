"""Checks the servers: whether each answers, and whether it is set up so that nothing is lost."""

from __future__ import annotations

import shutil
import smtplib
import time
from collections.abc import Iterator
from email.utils import parseaddr
from pathlib import Path
from typing import Any

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from digest.operate.doctor.finding import BAD, OK, WARN, Finding
from subscriptions.commands import database_fix, one_line, typed
from subscriptions.mail.backends import SmtpBackend

SIGN_IN = "The server wants a user and a password: write EMAIL_URL=smtp+tls://user:password@host:587."
PATIENCE = 5.0  # seconds a server may take to answer
ROOM_BAD, ROOM_WARN = 0.05, 0.15


def look() -> Iterator[Finding]:
    yield from database()
    yield disk(Path(settings.VAR_DIR))
    yield from broker()
    yield mail_server()


def database() -> Iterator[Finding]:
    start = time.monotonic()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        yield Finding("database", "answer", BAD, one_line(error), database_fix(error))
        return
    took = (time.monotonic() - start) * 1000
    yield Finding("database", "answer", OK if took < 100 else WARN, f"{connection.vendor} answered in {took:.0f} ms")
    yield migrations()
    yield durability()


def migrations() -> Finding:
    executor = MigrationExecutor(connection)
    waiting = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    if waiting:
        return Finding("database", "migrations", BAD, f"{waiting} not applied", "Run: " + typed("migrate"))
    return Finding("database", "migrations", OK, "all applied")


def durability() -> Finding:
    """A letter's intent is committed before its first byte leaves: a commit must survive a power cut."""
    question = "SHOW synchronous_commit"
    durable = {"on", "remote_write", "remote_apply", "local"}
    fix = "Set synchronous_commit = on."
    if connection.vendor == "sqlite":
        question = "PRAGMA synchronous"
        durable = {"2", "3"}
        fix = "Put PRAGMA synchronous=FULL into init_command."
    with connection.cursor() as cursor:
        cursor.execute(question)
        value = str(cursor.fetchone()[0])
    if value in durable:
        return Finding("database", "durable commits", OK, f"synchronous is {value}")
    return Finding("database", "durable commits", BAD, f"synchronous is {value}", fix)


def disk(folder: Path) -> Finding:
    """Room left where the database, outbox and logs are."""
    while not folder.exists():
        folder = folder.parent
    usage = shutil.disk_usage(folder)
    free = usage.free / usage.total
    detail = f"{free:.0%} of {usage.total / 1e9:.0f} GB free at {folder}"
    fix = f"Make room on the disk of {folder}: below 5 % nothing more is sent."
    if free < ROOM_BAD:
        return Finding("disk", "room", BAD, detail, fix)
    if free < ROOM_WARN:
        return Finding("disk", "room", WARN, detail, fix)
    return Finding("disk", "room", OK, detail)


def broker() -> Iterator[Finding]:
    if not settings.REDIS_URL:
        detail = "no REDIS_URL: wake-ups are files in var/broker; right for one machine"
        yield Finding("broker", "kind", OK, detail)
        return
    try:
        client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE)
        client.ping()
        yield Finding("broker", "answer", OK, f"Redis {client.info('server')['redis_version']} answers")
        yield from _redis_keeping(client)
    except (redis.RedisError, OSError, ValueError) as error:
        fix = "Start Redis, or mend REDIS_URL. Sending goes on meanwhile with `manage.py send_due` from cron."
        yield Finding("broker", "answer", BAD, one_line(error), fix)


def _redis_keeping(client: redis.Redis) -> Iterator[Finding]:
    """Whether Redis keeps wake-ups. A lost one does no harm, but costs minutes."""
    wanted = {"maxmemory-policy": ("noeviction", BAD), "appendonly": ("yes", WARN)}
    for name, (right, state) in wanted.items():
        try:
            value = str(dict(client.config_get(name)).get(name, ""))
        except redis.ResponseError:
            yield Finding("broker", name, WARN, "the server does not tell", f"See that {name} is {right}.")
            continue
        if value == right:
            yield Finding("broker", name, OK, f"{name} is {value}")
        else:
            fix = f"Set `{name} {right}` in redis.conf, then restart Redis."
            yield Finding("broker", name, state, f"{name} is {value}", fix)


# Words of mail servers (RFC 4954, RFC 3207) and of Python's ssl -> what to do; the first that is found counts.
SMTP_FIXES = (
    ("starttls", "The server wants TLS: write EMAIL_URL=smtp+tls://…:587."),
    (
        "auth extension not supported",
        "The server takes no password on this line: use smtp+tls://…:587 or smtps://…:465.",
    ),
    ("authentication required", SIGN_IN),
    ("5.7.0 auth", SIGN_IN),
    ("530", SIGN_IN),
    ("535", "The server refuses user or password: mend them in EMAIL_URL (in the password write / as %2F, @ as %40)."),
    ("certificate_verify_failed", "Write the host in EMAIL_URL as the server's certificate names it."),
    ("wrong_version_number", "The port does not begin with TLS: smtps:// is for port 465, smtp+tls:// for port 587."),
    ("unexpectedly closed", "The port may want TLS from the start: try smtps://…:465."),
    ("name or service not known", "Mend the host in EMAIL_URL."),
    ("timed out", "Mend host and port in EMAIL_URL; many hosting companies close port 25: try 587."),
)


def smtp_fix(said: str) -> str:
    """What to do about a mail server that answered or failed with these words."""
    for words, fix in SMTP_FIXES:
        if words in said.lower():
            return fix
    return "Mend EMAIL_URL (host, port, user, password), or start the mail server."


def mail_server() -> Finding:
    """An SMTP server is asked whether it takes letters of ours; a provider cannot be tried without sending."""
    if settings.MAIL_CHANNEL != "smtp":
        return Finding("mail server", "kind", OK, f"{settings.MAIL_CHANNEL}; try it with `manage.py send_test ADDRESS`")
    where = f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}"
    try:
        _greet()
    except (smtplib.SMTPException, OSError) as error:
        return Finding("mail server", "answer", BAD, f"{where}: {one_line(error)}", smtp_fix(repr(error)))
    return Finding("mail server", "answer", OK, f"{where} answers and lets us in")


def _greet() -> None:
    """Sign in by the backend that sends, and name our sender, as before a letter (RFC 5321, 3.3); then take it back."""
    backend = SmtpBackend(timeout=PATIENCE)
    backend.open()
    server: Any = backend.connection
    try:
        server.ehlo_or_helo_if_needed()
        code, text = server.mail(parseaddr(settings.MAIL_FROM)[1])
        if code >= 400:
            raise smtplib.SMTPResponseException(code, text)
        server.rset()
    finally:
        backend.close()
