"""F93: every dangerous setting stops the start, and the message says what to do."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest
from celery import signals
from django.conf import settings as ours
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from config import celery, checks

KEY = "k" * 64
SAFE_PUBLIC = {
    "PUBLIC": True,
    "PUBLIC_BASE_URL": "https://papers.example.org",
    "SECRET_KEY": KEY,
    "ADDRESS_KEY": KEY,
    "ALLOWED_HOSTS": ["papers.example.org"],
    "POSTAL_ADDRESS": "Example Street 1, 12345 Town, Country",
    "MAIL_FROM": "Offprint <papers@example.org>",
    "MAIL_CHANNEL": "smtp",
    "EMAIL_HOST": "mail.example.org",
    "EMAIL_USE_TLS": True,
    "EMAIL_HOST_PASSWORD": "x",
    "SESSION_COOKIE_SECURE": True,
    "CSRF_COOKIE_SECURE": True,
    "SECURE_HSTS_SECONDS": 31_536_000,
    "CSRF_TRUSTED_ORIGINS": ["https://papers.example.org"],
    "PASSWORD_HASHERS": ["django.contrib.auth.hashers.Argon2PasswordHasher"],
}
PG = {"ENGINE": "django.db.backends.postgresql", "PASSWORD": KEY, "OPTIONS": {}}
SQLITE = {
    "ENGINE": "django.db.backends.sqlite3",
    "OPTIONS": {"transaction_mode": "IMMEDIATE", "init_command": "PRAGMA synchronous=FULL"},
}
RESEND = {"MAIL_CHANNEL": "resend", "ANYMAIL": {}}

BAD = [
    ("E001", {"SECRET_KEY": "short"}),
    ("E001", {"SECRET_KEY": "django-insecure-" + KEY}),
    ("E002", {"DEBUG": True}),
    ("E003", {"PUBLIC_BASE_URL": "http://papers.example.org"}),
    ("E004", {"ALLOWED_HOSTS": ["*"]}),
    ("E004", {"ALLOWED_HOSTS": ["*.example.org"]}),
    ("E005", {"POSTAL_ADDRESS": ""}),
    ("E005", {"POSTAL_ADDRESS": "Town"}),
    ("E006", {"MAIL_FROM": "papers"}),
    ("E006", {"MAIL_FROM": "papers@localhost"}),
    ("E007", {"MAIL_FROM": "Offprint <offprint@gmail.com>"}),
    ("E008", {"MAIL_CHANNEL": "outbox"}),
    ("E008", {"MAIL_CHANNEL": "console"}),
    ("E009", RESEND),
    ("E009", RESEND | {"ANYMAIL": {"WEBHOOK_SECRET": "name:short"}}),
    ("E009", RESEND | {"ANYMAIL": {"WEBHOOK_SECRET": KEY}}),
    ("E009", RESEND | {"ANYMAIL": {"WEBHOOK_SECRET": [f"a:{KEY}", "b:short"]}}),
    ("E010", {"EMAIL_USE_TLS": False}),
    ("E011", {"EMAIL_TIMEOUT": None}),
    ("E011", {"EMAIL_TIMEOUT": 600}),
    ("E012", {"DATABASES": {"default": SQLITE | {"OPTIONS": {"init_command": "PRAGMA synchronous=FULL"}}}}),
    ("E013", {"DATABASES": {"default": SQLITE | {"OPTIONS": {"transaction_mode": "IMMEDIATE"}}}}),
    ("E014", {"DATABASES": {"default": PG | {"OPTIONS": {"options": "-c synchronous_commit=off"}}}}),
    ("E015", {"DATABASES": {"default": SQLITE | {"ATOMIC_REQUESTS": True}}}),
    ("E016", {"DATABASES": {"default": PG | {"PASSWORD": "Postgres"}}}),
    ("E017", {"REDIS_URL": "redis://redis.example.org:6379/0"}),
    ("E018", {"CELERY_ACCEPT_CONTENT": ["json", "pickle"]}),
    ("E018", {"CELERY_TASK_SERIALIZER": "pickle"}),
    ("E019", {"CELERY_TASK_ACKS_LATE": True}),
    ("E020", {"CELERY_BEAT_SCHEDULE": {"x": {"schedule": object()}}}),
    ("E021", {"CELERY_BROKER_TRANSPORT_OPTIONS": {"visibility_timeout": 60}}),
    ("E022", {"CELERY_RESULT_BACKEND": "redis://127.0.0.1"}),
    ("E023", {"USE_TZ": False}),
    ("E023", {"TIME_ZONE": "Europe/Berlin"}),
    ("E023", {"CELERY_TIMEZONE": "Europe/Berlin"}),
    ("E024", {"SESSION_COOKIE_SECURE": False}),
    ("E025", {"SESSION_SERIALIZER": "django.contrib.sessions.serializers.PickleSerializer"}),
    ("E026", {"MIDDLEWARE": []}),
    ("E027", {"TEMPLATES": [{"NAME": "html", "OPTIONS": {"environment": "config.jinja2.text_environment"}}]}),
    ("E028", {"CSRF_TRUSTED_ORIGINS": ["https://*.example.org"]}),
    ("E028", {"CSRF_TRUSTED_ORIGINS": ["papers.example.org"]}),
    ("E029", {"PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher"]}),
    ("E030", {"ADDRESS_KEY": "short"}),
    ("E031", {"AUTH_PASSWORD_VALIDATORS": []}),
    ("E031", {"AUTH_PASSWORD_VALIDATORS": [{"NAME": "x.MinimumLengthValidator", "OPTIONS": {"min_length": 8}}]}),
    ("E032", {"SECURE_HSTS_SECONDS": 0}),
]


def site(**changes):
    """A public site whose settings are right, but for `changes`."""
    values = {name: getattr(ours, name) for name in dir(ours) if name.isupper()}
    return SimpleNamespace(**(values | SAFE_PUBLIC | {"DATABASES": {"default": SQLITE}} | changes))


def ids(messages):
    return [message.id for message in messages]


def test_a_site_set_up_rightly_passes():
    assert checks.broken(site()) == []


@pytest.mark.parametrize(("rule", "changes"), BAD, ids=lambda value: value if isinstance(value, str) else "")
def test_f93_a_dangerous_setting_is_refused_with_its_fix(rule, changes):
    found = checks.broken(site(**changes))
    assert ids(found) == [f"offprint.{rule}"]
    assert found[0].hint.endswith((".", "'", "'\"'")) or len(found[0].hint) > 20


def test_every_rule_is_tried():
    assert {rule for rule, _ in BAD} == {rule.id for rule in checks.RULES}
    assert len(BAD) >= 30


def test_every_rule_has_an_id_of_its_own():
    assert len({rule.id for rule in checks.RULES}) == len(checks.RULES)
    assert all(re.fullmatch(r"E\d{3}", rule.id) for rule in checks.RULES)


@pytest.mark.parametrize("changes", [{}, {"MAIL_CHANNEL": "outbox"}, {"PASSWORD_HASHERS": ["x.MD5PasswordHasher"]}])
def test_on_one_machine_the_easy_settings_do(changes):
    local = {"PUBLIC": False, "PUBLIC_BASE_URL": "http://localhost:8000", "POSTAL_ADDRESS": ""}
    assert checks.broken(site(**local, **changes)) == []


@pytest.mark.parametrize(
    "good",
    [
        RESEND | {"ANYMAIL": {"WEBHOOK_SECRET": f"name:{KEY}"}},
        {"EMAIL_USE_TLS": False, "EMAIL_HOST": "127.0.0.1"},
        {"EMAIL_USE_TLS": False, "EMAIL_USE_SSL": True},
        {"REDIS_URL": "redis://:secret@redis.example.org:6379/0"},
        {"REDIS_URL": "unix:///run/redis.sock"},
        {"DATABASES": {"default": PG}},
    ],
)
def test_what_is_safe_passes(good):
    assert checks.broken(site(**good)) == []


def test_djangos_own_check_lists_them(settings):
    settings.CELERY_TASK_ACKS_LATE = True
    assert "offprint.E019" in ids(run_checks())
    with pytest.raises(SystemCheckError, match=r"offprint\.E019"):
        call_command("check")


def test_a_providers_missing_key_shows_at_the_start(settings):
    settings.EMAIL_BACKEND = "anymail.backends.postmark.EmailBackend"
    settings.ANYMAIL = {}
    found = [one for one in run_checks() if one.id == "offprint.E033"]
    assert "POSTMARK_SERVER_TOKEN" in found[0].msg


def test_servers_without_djangos_checks_refuse_too(settings):
    checks.refuse()
    settings.CELERY_TASK_ACKS_LATE = True
    with pytest.raises(ImproperlyConfigured, match="CELERY_TASK_ACKS_LATE = False"):
        checks.refuse()


@pytest.mark.parametrize("signal", [signals.worker_init, signals.beat_init])
def test_a_worker_and_a_beat_refuse(signal, settings):
    settings.CELERY_TASK_ACKS_LATE = True
    with pytest.raises(SystemExit, match="ACKS_LATE = False"):
        celery._refuse()
    assert celery._refuse in [receiver() for _, receiver in signal.receivers]
