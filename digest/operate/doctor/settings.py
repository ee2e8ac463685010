"""The settings, as they were read: values where they are harmless, lengths where they are secret."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks

from digest.operate.doctor.finding import BAD, OK, WARN, Finding

PLAIN = (
    "PUBLIC_BASE_URL", "SITE_NAME", "MAIL_FROM", "MAIL_REPLY_TO", "MAIL_DOMAIN", "CONTACT_EMAIL", "POSTAL_ADDRESS",
    "MAIL_BOUNCE_ADDRESS", "VAR_DIR", "STATE_DIR", "SAMPLE_FEEDS", "EDITION_DEADLINE", "LOG_LEVEL", "DEBUG",
)  # fmt: skip


def look() -> Iterator[Finding]:
    yield Finding("settings", "version", OK, f"Offprint {settings.VERSION} on Python {platform.python_version()}")
    for name in PLAIN:
        yield Finding("settings", name, OK, str(getattr(settings, name, "")) or "(not set)")
    for name, detail in _described().items():
        yield Finding("settings", name, OK, detail)
    for name in ("SECRET_KEY", "ADDRESS_KEY"):
        yield Finding("settings", name, OK, f"set, {len(getattr(settings, name))} characters")
    found = [one for one in checked() if one.level >= checks.WARNING]
    for one in found:
        state = BAD if one.level >= checks.ERROR else WARN
        yield Finding("checks", str(one.id), state, str(one.msg), str(one.hint or "See `manage.py check`."))
    if not found:
        yield Finding("checks", "all", OK, "no setting is wrong")


def checked() -> list[checks.CheckMessage]:
    """The findings of `config/checks.py`, warnings too, and what Django and its libraries find besides."""
    ours = checks.run_checks(tags=["offprint"], include_deployment_checks=True)
    others = [one for one in checks.run_checks() if not str(one.id).startswith("offprint.")]
    return [*ours, *others]


def _address_without_secrets(url: str) -> str:
    """Scheme, host, port and path: user and password left out."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.port:
        host += f":{parts.port}"
    return f"{parts.scheme}://{host}{parts.path}"


def _described() -> dict[str, str]:
    """The settings that may hold a password, without it."""
    database = settings.DATABASES["default"]
    engine = str(database["ENGINE"]).rpartition(".")[2]
    redis = "(not set: files in var/broker)"
    if settings.REDIS_URL:
        redis = _address_without_secrets(settings.REDIS_URL)
    mail = f"{settings.MAIL_CHANNEL} ({settings.EMAIL_BACKEND})"
    if settings.MAIL_CHANNEL == "smtp":
        how = "no TLS"
        if settings.EMAIL_USE_SSL:
            how = "TLS"
        elif settings.EMAIL_USE_TLS:
            how = "STARTTLS"
        mail = f"smtp {settings.EMAIL_HOST}:{settings.EMAIL_PORT} ({how})"
    return {
        "DATABASE_URL": " ".join(filter(None, (engine, database.get("HOST"), str(database["NAME"])))),
        "REDIS_URL": redis,
        "EMAIL_URL": mail,
        "ALLOWED_HOSTS": ", ".join(settings.ALLOWED_HOSTS),
        "ANYMAIL_…": ", ".join(sorted(settings.ANYMAIL)) or "(none)",
    }
