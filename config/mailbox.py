"""Turns `EMAIL_URL` and `ANYMAIL_*` into Django's mail settings.

`EMAIL_URL` names the postbox: `outbox:` (letters as files in var/outbox, the default), `console:`,
`smtp://user:password@host:25`, `smtp+tls://…:587`, `smtps://…:465`, `postfix:` (the mail server on port 25 of
this machine), or `anymail://resend` (any backend of django-anymail), whose own settings are the `ANYMAIL_*` of
its documentation.
"""

from __future__ import annotations

import importlib.util
import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from config.env import LOCAL_HOSTS, Environment

BUILT_IN = {
    "outbox": "subscriptions.mail.outgoing.OutboxBackend",
    "console": "django.core.mail.backends.console.EmailBackend",
    "memory": "django.core.mail.backends.locmem.EmailBackend",
}
SMTP_PORTS = {"smtp": 25, "smtp+tls": 587, "smtps": 465}
PREFIX = "ANYMAIL_"
NO_PROVIDER = frozenset({"base", "base_requests", "console", "test"})  # Anymail's own parts, not postboxes
PERCENT = (
    "Example: smtp+tls://user:password@mail.example.org:587 "
    "(in the password write / as %2F, # as %23, @ as %40, [ as %5B)."
)
# boto3 repeats a request by itself after a lost answer, and SES knows no key to repeat by: one try only.
SES_CLIENT = {"retries": {"total_max_attempts": 1}, "connect_timeout": 10, "read_timeout": 25}
# Of 64 characters before the @ a token takes 43 and the plus sign one (subscriptions/mail/envelopes.py).
_BOUNCE_MAILBOX = re.compile(r"[A-Za-z0-9_.-]{0,20}")
_DOMAIN = re.compile(r"(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,63}")
OURS = {"resend": "subscriptions.mail.backends.ResendBackend"}  # Anymail's, with an idempotency key added


@dataclass
class Mailbox:
    channel: str
    backend: str
    host: str = "localhost"
    port: int = 25
    user: str = ""
    password: str = ""
    use_tls: bool = False
    use_ssl: bool = False
    anymail: dict[str, Any] = field(default_factory=dict)


def read(env: Environment) -> Mailbox:
    url = env.text("EMAIL_URL", "outbox:") or "outbox:"
    anymail = {name.removeprefix(PREFIX): _value(env, name) for name in env.names(PREFIX) if env.text(name)}
    try:
        parts = urlsplit(url)
    except ValueError:
        env.problem("EMAIL_URL cannot be read.", PERCENT)
        return Mailbox("outbox", BUILT_IN["outbox"])
    if parts.scheme in BUILT_IN:
        return Mailbox(parts.scheme, BUILT_IN[parts.scheme], anymail=anymail)
    if parts.scheme in SMTP_PORTS:
        return _smtp(env, url, anymail)
    if parts.scheme == "postfix":
        # Short for SMTP to this machine. A path once named Postfix's folder of settings and says nothing now.
        host = parts.hostname or "127.0.0.1"
        if host not in LOCAL_HOSTS:
            problem = f"EMAIL_URL=postfix: is for the Postfix of this machine, not of {host}."
            env.problem(problem, "Use smtp:// for that.")
        return _smtp(env, f"smtp://{parts.netloc or host}", anymail)
    if parts.scheme == "anymail":
        return _provider(env, parts.hostname or "", anymail)
    env.problem(
        f"EMAIL_URL starts with {parts.scheme!r}.",
        "Use outbox:, console:, smtp://user:password@host:25, smtp+tls://…:587, smtps://…:465, "
        "postfix: or anymail://resend (postmark, mailgun, amazon_ses, brevo …).",
    )
    return Mailbox("outbox", BUILT_IN["outbox"])


def bounce_address(env: Environment) -> str:
    """`MAIL_BOUNCE_ADDRESS` as `mailbox@domain`, or `@domain` where the whole domain is for bounces; empty if unset."""
    given = env.text("MAIL_BOUNCE_ADDRESS")
    if not given:
        return ""
    mailbox, _, domain = given.rpartition("@")
    if not _DOMAIN.fullmatch(domain) or not _BOUNCE_MAILBOX.fullmatch(mailbox):
        env.problem(
            f"MAIL_BOUNCE_ADDRESS={given!r} is no mailbox of at most 20 characters before the @, and no domain.",
            "Example: MAIL_BOUNCE_ADDRESS=bounces@example.org (it must take mail for bounces+anything@example.org), "
            "or a domain of its own: MAIL_BOUNCE_ADDRESS=bounces.example.org",
        )
        return ""
    return f"{mailbox}@{domain.lower()}"


def _value(env: Environment, name: str) -> Any:
    """Anymail reads real booleans and mappings, which an environment can only spell."""
    raw = env.text(name)
    if raw.lower() in {"true", "false"}:
        return raw.lower() == "true"
    if not raw.startswith("{"):
        return raw
    try:
        return json.loads(raw)
    except ValueError:
        env.problem(f"{name} starts with {{ but is not JSON.", f'Example: {name}={{"track_clicks": false}}')
        return {}


def _smtp(env: Environment, url: str, anymail: dict[str, Any]) -> Mailbox:
    parts = urlsplit(url)
    try:
        port = parts.port or SMTP_PORTS[parts.scheme]
    except ValueError:
        env.problem("EMAIL_URL has a port that is not a number.", PERCENT)
        port = 25
    if not parts.hostname:
        env.problem("EMAIL_URL names no mail server.", PERCENT)
    return Mailbox(
        "smtp",
        "subscriptions.mail.backends.SmtpBackend",
        host=parts.hostname or "localhost",
        port=port,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        use_tls=parts.scheme == "smtp+tls",
        use_ssl=parts.scheme == "smtps",
        anymail=anymail,
    )


def _provider(env: Environment, name: str, anymail: dict[str, Any]) -> Mailbox:
    module = f"anymail.backends.{name}"
    if not name.isidentifier() or name in NO_PROVIDER or importlib.util.find_spec(module) is None:
        sentence = f"EMAIL_URL=anymail://{name} names no provider that django-anymail knows."
        env.problem(sentence, "Example: anymail://resend")
        return Mailbox("outbox", BUILT_IN["outbox"])
    if name == "amazon_ses":
        anymail["AMAZON_SES_CLIENT_PARAMS"] = {"config": SES_CLIENT}
    return Mailbox(name, OURS.get(name, f"{module}.EmailBackend"), anymail=anymail)
