"""Dangerous settings stop the start, each with its fix: `manage.py check` lists them by id.

`config/env.py` refuses what cannot be read at all; these rules judge what was read, so they also
hold for a settings module of one's own. Every command, the web door and every worker obeys them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.template import TemplateSyntaxError, engines

from config.env import LOCAL_HOSTS

# Postboxes that keep letters on this machine: right for trying out, a silent loss on a public site.
KEPT_HERE = ("outbox", "console", "memory")
FREE_MAIL = frozenset({"gmail.com", "googlemail.com", "yahoo.com", "outlook.com", "hotmail.com", "live.com", "gmx.de"})
EASY_PASSWORDS = frozenset({"offprint", "postgres", "password", "changeme", "secret", "admin", "example"})
NEEDED_MIDDLEWARE = (
    "django.middleware.security.SecurityMiddleware",
    "config.headers.SecurityHeaders",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
)


@dataclass(frozen=True)
class Rule:
    """One setting gone wrong: `is_broken(settings)` says whether, `fix` what to do about it."""

    id: str
    is_broken: Callable[[Any], bool]
    says: str
    fix: str


def _public(broken: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """The rule holds for public sites only."""
    return lambda s: bool(s.PUBLIC) and broken(s)


def _sqlite(s: Any) -> bool:
    return str(s.DATABASES["default"]["ENGINE"]).endswith("sqlite3")


def _database_options(s: Any) -> dict[str, Any]:
    options: dict[str, Any] = s.DATABASES["default"].get("OPTIONS", {})
    return options


def _is_open_redis(s: Any) -> bool:
    """Reachable by others without a password: whoever reaches it can wake workers at will."""
    parts = urlsplit(s.REDIS_URL or "")
    return parts.scheme in {"redis", "rediss"} and (parts.hostname or "") not in LOCAL_HOSTS and not parts.password


def _webhooks_unguarded(s: Any) -> bool:
    """Anymail takes unsigned reports from anybody unless a secret is set, and only warns about it."""
    secrets = s.ANYMAIL.get("WEBHOOK_SECRET", "")
    secrets = [secrets] if isinstance(secrets, str) else list(secrets)
    guarded = [secret for secret in secrets if ":" in secret and len(secret.partition(":")[2]) >= 16]
    return _by_provider(s) and not (guarded and len(guarded) == len(secrets))


def _by_provider(s: Any) -> bool:
    return s.MAIL_CHANNEL not in {*KEPT_HERE, "smtp"}


def _smtp_in_clear(s: Any) -> bool:
    open_line = not (s.EMAIL_USE_TLS or s.EMAIL_USE_SSL)
    return s.MAIL_CHANNEL == "smtp" and open_line and bool(s.EMAIL_HOST_PASSWORD) and s.EMAIL_HOST not in LOCAL_HOSTS


def _sender_domain(s: Any) -> str:
    return parseaddr(s.MAIL_FROM)[1].rpartition("@")[2].lower()


def _lenient_templates(s: Any) -> bool:
    """The HTML engine must escape, whatever a settings module says."""
    engines = {engine.get("NAME"): engine.get("OPTIONS", {}) for engine in s.TEMPLATES}
    return engines.get("html", {}).get("environment") != "config.jinja2.html_environment"


def _ticks_by_calendar(s: Any) -> bool:
    return any(not isinstance(tick["schedule"], int | float) for tick in s.CELERY_BEAT_SCHEDULE.values())


def _impatient_broker(s: Any) -> bool:
    """Redis hands a running task to a second worker once its visibility timeout has passed."""
    timeout = s.CELERY_BROKER_TRANSPORT_OPTIONS.get("visibility_timeout")
    return timeout is not None and timeout <= s.CELERY_TASK_TIME_LIMIT


RULES = (
    Rule(
        "E001",
        lambda s: len(s.SECRET_KEY) < 50 or s.SECRET_KEY.startswith("django-insecure"),
        "SECRET_KEY is shorter than 50 characters or made for trying out.",
        "Set SECRET_KEY to the output of: python3 -c 'import secrets; print(secrets.token_urlsafe(64))'",
    ),
    Rule("E002", _public(lambda s: s.DEBUG), "DEBUG is on, and the site is public.", "Remove DEBUG from .env."),
    Rule(
        "E003",
        _public(lambda s: not s.PUBLIC_BASE_URL.startswith("https://")),
        "PUBLIC_BASE_URL is public without TLS.",
        "Put a proxy with a certificate in front and set PUBLIC_BASE_URL to its https:// address.",
    ),
    Rule(
        "E004",
        lambda s: any(host in {"*", "."} or host.startswith("*") for host in s.ALLOWED_HOSTS),
        "ALLOWED_HOSTS lets any host name in, so links can be poisoned.",
        "List the site's own names, or leave ALLOWED_HOSTS out: the host of PUBLIC_BASE_URL is always allowed.",
    ),
    Rule(
        "E005",
        _public(lambda s: len(s.POSTAL_ADDRESS.split()) < 3),
        "POSTAL_ADDRESS is missing or no address; the law wants it in every letter.",
        "Write street, town and country into POSTAL_ADDRESS.",
    ),
    Rule(
        "E006",
        lambda s: "." not in _sender_domain(s),
        "MAIL_FROM holds no address with a domain.",
        'Write it like MAIL_FROM="Offprint <papers@example.org>".',
    ),
    Rule(
        "E007",
        lambda s: _sender_domain(s) in FREE_MAIL,
        "MAIL_FROM is at a mailbox provider, whose rules have such letters refused.",
        "Send from a domain of your own, with SPF, DKIM and DMARC (`manage.py doctor` shows the records).",
    ),
    Rule(
        "E008",
        _public(lambda s: s.MAIL_CHANNEL in KEPT_HERE),
        "EMAIL_URL keeps letters on this machine, and the site is public: readers would never get them.",
        "Set EMAIL_URL to your provider or mail server, such as anymail://resend or smtp+tls://user:password@host.",
    ),
    Rule(
        "E009",
        _webhooks_unguarded,
        "ANYMAIL_WEBHOOK_SECRET is missing or weak: anybody could report bounces and silence your readers.",
        "Set ANYMAIL_WEBHOOK_SECRET=name:password with a random password of 16 characters or more, "
        "and put the same into the webhook's address at your provider.",
    ),
    Rule(
        "E010",
        _smtp_in_clear,
        "EMAIL_URL sends a password to another machine in the clear.",
        "Use smtp+tls://…:587 or smtps://…:465.",
    ),
    Rule(
        "E011",
        lambda s: not s.EMAIL_TIMEOUT or not 0 < s.EMAIL_TIMEOUT <= 30,
        "EMAIL_TIMEOUT is missing or above 30 seconds: a silent mail server would outlast a letter's lease.",
        "Set EMAIL_TIMEOUT = 30 in the settings module.",
    ),
    Rule(
        "E012",
        lambda s: _sqlite(s) and _database_options(s).get("transaction_mode") != "IMMEDIATE",
        "SQLite's transactions do not begin IMMEDIATE: two writers would fail with `database is locked`.",
        "Set OPTIONS['transaction_mode'] = 'IMMEDIATE' for the database.",
    ),
    Rule(
        "E013",
        lambda s: _sqlite(s) and "synchronous=full" not in str(_database_options(s).get("init_command")).lower(),
        "SQLite may lose the last commits in a power cut, and with them the proof that a letter was begun.",
        "Put PRAGMA synchronous=FULL into the database's init_command.",
    ),
    Rule(
        "E014",
        lambda s: not _sqlite(s) and "synchronous_commit=off" in str(_database_options(s)),
        "PostgreSQL may lose the last commits in a crash, and with them the proof that a letter was begun.",
        "Take synchronous_commit=off out of the database's options.",
    ),
    Rule(
        "E015",
        lambda s: bool(s.DATABASES["default"].get("ATOMIC_REQUESTS")),
        "ATOMIC_REQUESTS holds a transaction for a whole request, so a failed step is not committed when it should be.",
        "Take ATOMIC_REQUESTS out: the services say what belongs into one transaction.",
    ),
    Rule(
        "E016",
        _public(lambda s: (s.DATABASES["default"].get("PASSWORD") or "").lower() in EASY_PASSWORDS),
        "The database's password is one that anybody would try.",
        "Give the database user a random password and put it into DATABASE_URL.",
    ),
    Rule(
        "E017",
        _is_open_redis,
        "REDIS_URL leads to another machine without a password.",
        "Set requirepass in redis.conf and write redis://:password@host:6379/0.",
    ),
    Rule(
        "E018",
        lambda s: set(s.CELERY_ACCEPT_CONTENT) != {"json"} or s.CELERY_TASK_SERIALIZER != "json",
        "Celery takes more than JSON: a pickled message runs code.",
        "Set CELERY_ACCEPT_CONTENT = ['json'] and CELERY_TASK_SERIALIZER = 'json'.",
    ),
    Rule(
        "E019",
        lambda s: bool(s.CELERY_TASK_ACKS_LATE),
        "CELERY_TASK_ACKS_LATE runs tasks twice after a crash and saves nothing here: the database is the outbox.",
        "Set CELERY_TASK_ACKS_LATE = False.",
    ),
    Rule(
        "E020",
        _ticks_by_calendar,
        "CELERY_BEAT_SCHEDULE has calendar times, which a change of clocks skips or repeats.",
        "Use seconds between two ticks: `config/timetable.py`.",
    ),
    Rule(
        "E021",
        _impatient_broker,
        "The broker's visibility_timeout is not above CELERY_TASK_TIME_LIMIT: it repeats tasks that still run.",
        "Set visibility_timeout to 900 or more.",
    ),
    Rule(
        "E022",
        lambda s: bool(s.CELERY_RESULT_BACKEND),
        "CELERY_RESULT_BACKEND keeps results nobody reads, in a place nobody empties.",
        "Set CELERY_RESULT_BACKEND = None.",
    ),
    Rule(
        "E023",
        lambda s: not s.USE_TZ or s.TIME_ZONE != "UTC" or s.CELERY_TIMEZONE != "UTC",
        "The machine's clock is not read as aware UTC.",
        "Set USE_TZ = True, TIME_ZONE = 'UTC' and CELERY_TIMEZONE = 'UTC'; readers' zones are their own.",
    ),
    Rule(
        "E024",
        _public(lambda s: not (s.SESSION_COOKIE_SECURE and s.CSRF_COOKIE_SECURE)),
        "Session cookies may travel in the clear.",
        "Set SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True.",
    ),
    Rule(
        "E025",
        lambda s: s.SESSION_SERIALIZER.rpartition(".")[2] != "JSONSerializer",
        "Sessions are stored in a form that runs code when read.",
        "Set SESSION_SERIALIZER to django.contrib.sessions.serializers.JSONSerializer.",
    ),
    Rule(
        "E026",
        lambda s: any(name not in s.MIDDLEWARE for name in NEEDED_MIDDLEWARE),
        "A middleware that keeps the site safe is missing (" + ", ".join(NEEDED_MIDDLEWARE) + ").",
        "Put all of them back into MIDDLEWARE.",
    ),
    Rule(
        "E027",
        _lenient_templates,
        "The HTML templates may not escape what sources and readers wrote.",
        "Give the engine named `html` the environment config.jinja2.html_environment.",
    ),
    Rule(
        "E028",
        lambda s: any("*" in origin or not origin.startswith(("https://", "http://")) for origin in _origins(s)),
        "CSRF_TRUSTED_ORIGINS trusts more than this site.",
        "List whole origins, such as https://papers.example.org.",
    ),
    Rule(
        "E029",
        _public(lambda s: s.PASSWORD_HASHERS[0].rpartition(".")[2] != "Argon2PasswordHasher"),
        "New passwords of staff are not kept with Argon2.",
        "Put django.contrib.auth.hashers.Argon2PasswordHasher first in PASSWORD_HASHERS.",
    ),
    Rule(
        "E030",
        _public(lambda s: len(s.ADDRESS_KEY) < 50),
        "ADDRESS_KEY is shorter than 50 characters: suppressed addresses could be guessed from their hashes.",
        "Set ADDRESS_KEY to the output of: python3 -c 'import secrets; print(secrets.token_urlsafe(64))'",
    ),
    Rule(
        "E031",
        lambda s: (
            not any(v["NAME"].endswith("MinimumLengthValidator") for v in s.AUTH_PASSWORD_VALIDATORS)
            or any(v.get("OPTIONS", {}).get("min_length", 12) < 12 for v in s.AUTH_PASSWORD_VALIDATORS)
        ),
        "Staff may choose passwords shorter than 12 characters.",
        "Keep MinimumLengthValidator in AUTH_PASSWORD_VALIDATORS with min_length 12 or more.",
    ),
    Rule(
        "E032",
        _public(lambda s: s.SECURE_HSTS_SECONDS < 2_592_000),
        "Browsers are not told to come back by TLS only.",
        "Set SECURE_HSTS_SECONDS to 31536000.",
    ),
)


def _origins(s: Any) -> list[str]:
    return list(s.CSRF_TRUSTED_ORIGINS)


def _postbox(s: Any) -> list[checks.CheckMessage]:
    """The postbox can be opened as configured: a provider's missing key shows here, not with the first letter."""
    from django.core.mail import get_connection

    try:
        get_connection(backend=s.EMAIL_BACKEND)
    except (ImproperlyConfigured, ImportError, ValueError) as error:
        fix = "Set what your provider needs as ANYMAIL_… (see .env.example)."
        return [checks.Error(f"The postbox cannot be opened: {_first_line(error)}", hint=fix, id="offprint.E033")]
    return []


def _own_templates(s: Any) -> list[checks.CheckMessage]:
    """A site's own letter templates: each replaces one of ours, and each compiles."""
    if not s.LETTER_TEMPLATES:
        return []
    found: list[checks.CheckMessage] = []
    for path in sorted((Path(s.LETTER_TEMPLATES) / "email").iterdir()):
        wrong = _template_fault(path, Path(s.BASE_DIR) / "templates" / "email" / path.name)
        if wrong:
            fix = "Mend it, or take it out of LETTER_TEMPLATES; `send_test` shows the letter."
            found.append(checks.Error(f"{path}: {wrong}", hint=fix, id="offprint.E040"))
    return found


def _template_fault(path: Path, ours: Path) -> str:
    if not ours.is_file():
        return "not a template of the letters; the names are those in templates/email."
    try:
        engines["letter_html"].get_template(f"email/{path.name}")
    except TemplateSyntaxError as error:
        return _first_line(error)
    return ""


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def broken(s: Any) -> list[checks.CheckMessage]:
    """What is wrong with these settings, as Django's check messages."""
    return [checks.Error(rule.says, hint=rule.fix, id=f"offprint.{rule.id}") for rule in RULES if rule.is_broken(s)]


def register() -> None:
    checks.register(_check, "offprint")


def _check(app_configs: Any = None, **kwargs: Any) -> Iterable[checks.CheckMessage]:
    return [*broken(settings), *_postbox(settings), *_own_templates(settings)]


def refuse() -> None:
    """For doors that do not run Django's checks (web servers, Celery): raises with every fix, or returns."""
    found = list(_check())
    if found:
        lines = "\n".join(f"  - {one.msg} {one.hint} ({one.id})" for one in found)
        raise ImproperlyConfigured(f"Offprint does not start, because of its settings:\n{lines}")
