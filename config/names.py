"""Names of settings that Offprint does not read: misspelt ones, and those other programs use for the same thing."""

from __future__ import annotations

import difflib
from collections.abc import Collection

NEAR = 0.85  # share of letters in common, from which a name counts as misspelt (difflib's ratio)
# The line to write -> what Django, its libraries and other services call the same thing.
INSTEAD = {
    "EMAIL_URL=smtp+tls://user:password@mail.example.org:587": (
        "EMAIL_HOST EMAIL_PORT EMAIL_USER EMAIL_PASSWORD EMAIL_HOST_USER EMAIL_HOST_PASSWORD EMAIL_USE_TLS "
        "EMAIL_USE_SSL EMAIL_BACKEND EMAIL_SERVER SMTP_HOST SMTP_SERVER SMTP_PORT SMTP_USER SMTP_USERNAME "
        "SMTP_PASSWORD SMTP_PASS SMTP_URL MAIL_HOST MAIL_SERVER MAIL_PORT MAIL_USERNAME MAIL_PASSWORD MAIL_URL"
    ),
    "DATABASE_URL=postgresql://offprint:password@127.0.0.1:5432/offprint": (
        "DATABASE DB_URL DB_HOST DB_NAME DB_USER DB_PASSWORD DB_PORT DATABASE_HOST DATABASE_NAME DATABASE_PASSWORD "
        "POSTGRES_URL"
    ),
    "REDIS_URL=redis://127.0.0.1:6379/0": "REDIS REDIS_HOST BROKER_URL CELERY_BROKER_URL CELERY_BROKER",
    "PUBLIC_BASE_URL=https://papers.example.org": ("SITE_URL BASE_URL PUBLIC_URL APP_URL SITE_DOMAIN DOMAIN HOSTNAME"),
    'MAIL_FROM="Offprint <papers@example.org>"': "DEFAULT_FROM_EMAIL FROM_EMAIL EMAIL_FROM SERVER_EMAIL MAIL_SENDER",
    "MAIL_REPLY_TO=papers@example.org": "REPLY_TO EMAIL_REPLY_TO",
    "CONTACT_EMAIL=papers@example.org": "ADMIN_EMAIL CONTACT",
    "SECRET_KEY=…": "DJANGO_SECRET_KEY SECRET APP_KEY",
    "ALLOWED_HOSTS=papers.example.org": "DJANGO_ALLOWED_HOSTS HOSTS",
    "DEBUG=false": "DJANGO_DEBUG APP_DEBUG",
    "LOG_LEVEL=info": "LOGLEVEL DJANGO_LOG_LEVEL",
    "VAR_DIR=/srv/offprint/var": "DATA_DIR DATA_FOLDER MEDIA_ROOT",
    "ANYMAIL_RESEND_API_KEY=…": "RESEND_API_KEY",
    "ANYMAIL_POSTMARK_SERVER_TOKEN=…": "POSTMARK_SERVER_TOKEN",
    "ANYMAIL_MAILGUN_API_KEY=…": "MAILGUN_API_KEY",
    "ANYMAIL_SENDGRID_API_KEY=…": "SENDGRID_API_KEY",
    "ANYMAIL_WEBHOOK_SECRET=name:password": "WEBHOOK_SECRET",
}
FOREIGN = {name: line for line, others in INSTEAD.items() for name in others.split()}
# What `.env` may also hold: the settings of libraries and of the containers around us.
LIBRARIES = ("ANYMAIL_", "AWS_", "CELERY_", "DJANGO_", "GUNICORN_", "PYTHON", "WEB_")
CONTAINERS = ("COMPOSE_", "OFFPRINT_", "POSTGRES_", "REDIS_PASSWORD")
OTHERS = (*LIBRARIES, *CONTAINERS)
# In the environment these are too common with other programs to be held for ours.
COMMON = frozenset({"HOSTNAME", "DOMAIN", "HOSTS", "DATABASE", "REDIS", "SECRET", "CONTACT", "DATA_DIR", "LOGLEVEL"})


def instead(name: str, asked: Collection[str]) -> str:
    """What to write instead of a name that is no setting; '' for a name that may stand in `.env`."""
    if name in FOREIGN:
        return f"Write {FOREIGN[name]} instead."
    if name.startswith(OTHERS):
        return ""
    near = difflib.get_close_matches(name, asked, n=1, cutoff=NEAR)
    if near:
        return f"Did you mean {near[0]}?"
    return "Remove it; .env.example lists every setting."


def instead_in_environment(name: str, asked: Collection[str], given: Collection[str]) -> str:
    """The same for a variable of the process, most of which are none of our business; '' for those.

    A name that leads to a setting that is given (`given`) is another program's.
    """
    if name in FOREIGN and name not in COMMON:
        ours = FOREIGN[name].partition("=")[0]
        return "" if ours in given else f"Write {FOREIGN[name]} instead, or set {ours} to what it shall be."
    if "_" not in name or name.startswith(OTHERS):
        return ""
    near = difflib.get_close_matches(name, asked, n=1, cutoff=NEAR)
    same_start = bool(near) and near[0][:3] == name[:3]
    return f"Did you mean {near[0]}?" if same_start and near[0] not in given else ""
