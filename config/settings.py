"""Django's settings, all from the environment: `.env.example` documents each one.

A site whose `PUBLIC_BASE_URL` is not this machine is *public*: then the rules are strict, and what
is missing stops the start with the fix in the message.
"""

from __future__ import annotations

import tomllib
from datetime import time
from email.utils import parseaddr
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

from config import broker, checks, mailbox
from config.env import Environment, is_local, named
from config.findings import refuse
from subscriptions import private

BASE_DIR = Path(__file__).resolve().parent.parent
VERSION: str = tomllib.loads((BASE_DIR / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
env = Environment(BASE_DIR)

# -- where it runs ------------------------------------------------------------------------------
VAR_DIR = Path(env.text("VAR_DIR") or BASE_DIR / "var").resolve()
_has_servers = bool(env.text("DATABASE_URL") and env.text("REDIS_URL"))  # then nothing need be written there
env.folders("VAR_DIR", VAR_DIR, "static", *broker.FOLDERS, written=not _has_servers)
# Kept apart from VAR_DIR and from every backup: how far the ledger had come (digest/delivery/accounts/sent_marks.py).
STATE_DIR = Path(env.text("STATE_DIR") or Path.home() / ".local" / "state" / "offprint").resolve()
PUBLIC_BASE_URL = env.base_url("PUBLIC_BASE_URL", "http://localhost:8000")
PUBLIC = not is_local(PUBLIC_BASE_URL)
DEBUG = env.flag("DEBUG")
SECRET_KEY = env.secret_key("SECRET_KEY", VAR_DIR / "secret_key", PUBLIC)
SECRET_KEY_FALLBACKS = env.words("SECRET_KEY_FALLBACKS")
# Suppressed addresses are known only by a hash under this key, so it must outlive every SECRET_KEY.
ADDRESS_KEY = env.text("ADDRESS_KEY") or SECRET_KEY
SITE_HOST = urlsplit(PUBLIC_BASE_URL).hostname or "localhost"
ALLOWED_HOSTS = [SITE_HOST, *env.words("ALLOWED_HOSTS")]
if not PUBLIC:
    ALLOWED_HOSTS += ["localhost", "127.0.0.1", "[::1]"]

# -- what it is called, who sends ---------------------------------------------------------------
SITE_NAME = env.text("SITE_NAME", "Offprint")
_example = "" if PUBLIC else named(SITE_NAME, "papers@offprint.localhost")
MAIL_FROM = env.mailbox("MAIL_FROM", _example)
# Answers and Message-IDs follow the sender: the site's own host need not take mail.
SENDER = parseaddr(MAIL_FROM)[1]
MAIL_DOMAIN = env.domain("MAIL_DOMAIN", SENDER.rpartition("@")[2] or SITE_HOST)
MAIL_REPLY_TO = env.mailbox("MAIL_REPLY_TO", SENDER)
POSTAL_ADDRESS = env.text("POSTAL_ADDRESS")
CONTACT_EMAIL = env.text("CONTACT_EMAIL") or MAIL_REPLY_TO
DKIM_SELECTORS = env.words("DKIM_SELECTORS")  # looked up by `doctor`; the provider or mail server signs
BRAND = {
    "colour": env.colour("BRAND_COLOUR", "#9a1c2c"),
    "colour_dark": env.colour("BRAND_COLOUR_DARK", "#f29a95"),
    "logo": env.picture_url("BRAND_LOGO_URL"),
    "footer": env.text("BRAND_FOOTER"),
}
# A folder of own templates that come before ours: email/card.html in it replaces templates/email/card.html.
LETTER_TEMPLATES = env.text("LETTER_TEMPLATES")
if LETTER_TEMPLATES and not (Path(LETTER_TEMPLATES) / "email").is_dir():
    env.problem(
        f"LETTER_TEMPLATES={LETTER_TEMPLATES!r} holds no folder named email.",
        "Copy what you change into it: cp templates/email/card.html FOLDER/email/",
    )
# Google's Feedback-ID wants 5 to 15 characters that never change.
MAIL_SENDER_ID = env.text("MAIL_SENDER_ID", "offprint")
DEFAULT_FROM_EMAIL = SERVER_EMAIL = MAIL_FROM

# -- the postbox --------------------------------------------------------------------------------
OUTBOX_DIR = VAR_DIR / "outbox"
mail = mailbox.read(env)
EMAIL_BACKEND = mail.backend
EMAIL_HOST, EMAIL_PORT = mail.host, mail.port
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = mail.user, mail.password
EMAIL_USE_TLS, EMAIL_USE_SSL = mail.use_tls, mail.use_ssl
EMAIL_TIMEOUT = 30
ANYMAIL = mail.anymail
MAIL_CHANNEL = mail.channel
MAIL_BOUNCE_ADDRESS = mailbox.bounce_address(env)
# For a mail server that does not sign: a PEM file with an RSA key of 2048 bits (docs/letter.md).
DKIM_KEY_FILE = env.text("DKIM_KEY_FILE")
DKIM_SELECTOR = env.text("DKIM_SELECTOR", "offprint")
DKIM_DOMAIN = env.domain("DKIM_DOMAIN", MAIL_DOMAIN)
MAIL_RATE = env.number("MAIL_RATE", 0, 0, 1_000_000)  # letters a second; 0: what the provider is known to take

# -- signups ------------------------------------------------------------------------------------
# Confirmation letters an hour that the whole site may be made to send; a solved sum opens as many again.
SIGNUPS_PER_HOUR = env.number("SIGNUPS_PER_HOUR", 500, 1, 1_000_000)

# -- matching -----------------------------------------------------------------------------------
ENCODER_FOLDER = env.text("ENCODER_FOLDER")

# -- sources ------------------------------------------------------------------------------------
SAMPLE_FEEDS = env.choice("SAMPLE_FEEDS", "auto", ("auto", "always", "never"))
# host:port pairs that may be pulled from although they are private (an own mirror, a stand-in).
FETCH_PRIVATE_HOSTS = env.words("FETCH_PRIVATE_HOSTS")

# -- editions -----------------------------------------------------------------------------------
# UTC; a source that is late is waited for until then. 08:00 is three hours after arXiv's feeds appear in winter.
EDITION_DEADLINE = time(env.number("EDITION_DEADLINE_HOUR", 8, 0, 23))

# -- rooms --------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "anymail",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "config",
    "subscriptions",
    "digest",
]
MIDDLEWARE = [
    "subscriptions.limits.client_prefix.TrustedProxies",
    "django.middleware.security.SecurityMiddleware",
    "config.headers.SecurityHeaders",
    "config.headers.BodyLimit",
    "config.headers.NoNul",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "digest.site.errors.WrongMethod",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Two Jinja2 engines, because Django's backend would escape the text parts too.
TEMPLATES = [
    {
        "NAME": "html",
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {"environment": "config.jinja2.html_environment"},
    },
    {
        "NAME": "text",
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {"environment": "config.jinja2.text_environment", "autoescape": False},
    },
    # Letters: a site's own templates come first, and all of them run in a sandbox.
    *(
        {
            "NAME": f"letter_{kind}",
            "BACKEND": "django.template.backends.jinja2.Jinja2",
            "DIRS": [*([LETTER_TEMPLATES] if LETTER_TEMPLATES else []), BASE_DIR / "templates"],
            "APP_DIRS": False,
            "OPTIONS": {"environment": f"config.jinja2.letter_{kind}_environment", "autoescape": kind == "html"},
        }
        for kind in ("html", "text")
    ),
    {
        "NAME": "admin",
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    },
]

# -- data ---------------------------------------------------------------------------------------
_database = env.database("DATABASE_URL", f"sqlite:///{VAR_DIR / 'offprint.sqlite3'}")
if _database["ENGINE"].endswith("sqlite3"):
    if _database["NAME"] != ":memory:":
        private.file(Path(_database["NAME"]))  # SQLite gives its journal the same rights
    # FULL: a delivery's intent must survive a power cut before the first byte of mail leaves.
    _database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;",
    }
else:
    _database["ENGINE"] = "config.postgresql"
    _database["CONN_MAX_AGE"] = 60
    _database["CONN_HEALTH_CHECKS"] = True
    _database["OPTIONS"] = _database.get("OPTIONS", {}) | {  # keeps sslmode and the like from DATABASE_URL
        "connect_timeout": 5,
        "options": "-c idle_in_transaction_session_timeout=30s -c synchronous_commit=on",
    }
DATABASES = {"default": _database}
REDIS_URL = env.text("REDIS_URL")
REDIS_PREFIX = env.text("REDIS_PREFIX", "offprint:")

_celery = broker.celery_settings(REDIS_URL, VAR_DIR, REDIS_PREFIX)
CELERY_BEAT_SCHEDULE: dict[str, Any] = _celery["CELERY_BEAT_SCHEDULE"]
globals().update(_celery)

# Per process, so nothing that processes share may live here; "pages" keeps the newest public pages for seconds.
_memory = "django.core.cache.backends.locmem.LocMemCache"
CACHES = {
    "default": {"BACKEND": _memory},
    "pages": {"BACKEND": _memory, "LOCATION": "pages", "OPTIONS": {"MAX_ENTRIES": 200}},
}

# -- time, words, files -------------------------------------------------------------------------
TIME_ZONE = "UTC"
USE_TZ = True
LANGUAGE_CODE = "en"
USE_I18N = True
LOCALE_PATHS = [BASE_DIR / "locale"]
STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
if VAR_DIR.is_dir():
    private.folder(VAR_DIR)
STATICFILES_DIRS = [BASE_DIR / "templates" / "static"]
WHITENOISE_USE_FINDERS = True

# -- safety -------------------------------------------------------------------------------------
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
OTP_TOTP_ISSUER = SITE_NAME
OTP_ADMIN_HIDE_SENSITIVE_DATA = True  # no admin reads the secret of another's second factor
LOGIN_URL = "desk-signin"
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PUBLIC
SECURE_SSL_REDIRECT = False  # the proxy in front does it; health checks come in by plain HTTP
SECURE_HSTS_SECONDS = 31_536_000 if PUBLIC else 0
TRUSTED_PROXIES = env.proxies(
    "BEHIND_PROXY"
)  # `subscriptions.limits.client_prefix.TrustedProxies` drops what others send
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "digest.site.errors.csrf_failure"
# A reading list that a form carries along, packed (`subscriptions/uploads.py`), is by far the longest field.
DATA_UPLOAD_MAX_MEMORY_SIZE = 4_194_304
FILE_UPLOAD_HANDLERS = [
    "config.bodies.CutFiles",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
DATA_UPLOAD_MAX_NUMBER_FILES = 5
CSRF_TRUSTED_ORIGINS = [PUBLIC_BASE_URL]

LOG_LEVEL = env.choice("LOG_LEVEL", "info", ("debug", "info", "warning", "error")).upper()
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {"()": "config.logs.Discreet", "format": "{asctime} {levelname} {name}: {message}", "style": "{"}
    },
    "handlers": {"stderr": {"class": "config.logs.Unhindered", "formatter": "plain"}},
    "root": {
        "handlers": ["stderr"],
        "level": LOG_LEVEL,
    },
    # Scanners try hosts that are not ours all day; each is refused, and none is worth a traceback.
    # Celery tells of every wake-up, thousands a day. Django's own logger would keep a level and handlers of its own.
    "loggers": {
        "django": {"level": LOG_LEVEL},
        "django.security.DisallowedHost": {"level": "CRITICAL"},
        "celery": {"level": "WARNING"},
    },
}

env.misspelt()
_unread = [one.sentence for one in env.findings]
# A rule about a setting that could not be read would only judge its default.
refuse([*env.findings, *checks.judge(SimpleNamespace(**globals()), _unread)])
