"""F93: every dangerous setting stops the start, and the message says what to do."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest
from celery import signals
from django.conf import settings as ours
from django.core.checks import run_checks
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from config import broker, celery, checks
from config import settings as base
from config.findings import SettingsError

KEY = "Wq7-tR2_pZ9vLx4mKc8nBd1sHf6jGy3aEu5oIw0rTqYeUiOpAsDfGhJk"
OTHER_KEY = KEY.swapcase()
SAFE_PUBLIC = {
    "PUBLIC": True,
    "PUBLIC_BASE_URL": "https://papers.offprint.test",
    "SECRET_KEY": KEY,
    "ADDRESS_KEY": OTHER_KEY,
    "ALLOWED_HOSTS": ["papers.offprint.test"],
    "POSTAL_ADDRESS": "Kirchweg 12, 24103 Kiel, Germany",
    "MAIL_FROM": "Offprint <papers@offprint.test>",
    "MAIL_CHANNEL": "smtp",
    "EMAIL_HOST": "mail.offprint.test",
    "EMAIL_USE_TLS": True,
    "EMAIL_HOST_PASSWORD": "mT4x",
    "MAIL_REPLY_TO": "papers@offprint.test",
    "CONTACT_EMAIL": "papers@offprint.test",
    "MAIL_DOMAIN": "offprint.test",
    "SESSION_COOKIE_SECURE": True,
    "CSRF_COOKIE_SECURE": True,
    "SECURE_HSTS_SECONDS": 31_536_000,
    "CSRF_TRUSTED_ORIGINS": ["https://papers.offprint.test"],
    "PASSWORD_HASHERS": ["django.contrib.auth.hashers.Argon2PasswordHasher"],
}
PG = {"ENGINE": "django.db.backends.postgresql", "PASSWORD": KEY, "OPTIONS": {}}
SQLITE = {"ENGINE": "django.db.backends.sqlite3", "NAME": ""}
RESEND = {"MAIL_CHANNEL": "resend", "ANYMAIL": {}}

BAD = [
    ("E001", {"SECRET_KEY": "short"}),
    ("E001", {"SECRET_KEY": ""}),
    ("E001", {"SECRET_KEY": "0123" * 20}),
    ("E001", {"SECRET_KEY": "django-insecure-" + KEY}),
    ("E002", {"DEBUG": True}),
    ("E003", {"PUBLIC_BASE_URL": "http://papers.offprint.test"}),
    ("E004", {"ALLOWED_HOSTS": ["*"]}),
    ("E004", {"ALLOWED_HOSTS": ["*.offprint.test"]}),
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
    ("E016", {"DATABASES": {"default": PG | {"PASSWORD": "Postgres"}}}),
    ("E017", {"REDIS_URL": "redis://redis.offprint.test:6379/0"}),
    ("E030", {"ADDRESS_KEY": "short"}),
    ("E034", {"REDIS_URL": "http://127.0.0.1:6379"}),
    ("E035", {"DKIM_KEY_FILE": "no/such/key.pem"}),
    ("E036", {"ENCODER_FOLDER": "no/such/folder"}),
    ("E037", {"SECRET_KEY_FALLBACKS": [KEY[::-1]], "ADDRESS_KEY": KEY, "SECRET_KEY": KEY}),
    ("E045", {"MAIL_REPLY_TO": "answers"}),
    ("E046", {"MAIL_SENDER_ID": "x"}),
    ("W001", {"ADDRESS_KEY": KEY}),
]
# Values of examples and of forms never filled in; each goes with E038.
UNFILLED = [
    {"PUBLIC_BASE_URL": "https://papers.example.org"},
    {"PUBLIC_BASE_URL": "https://example.com"},
    {"MAIL_FROM": "Papers <papers@example.net>"},
    {"MAIL_FROM": "Papers <your@offprint.test>"},
    {"MAIL_REPLY_TO": "changeme@offprint.test"},
    {"CONTACT_EMAIL": "you@example.edu"},
    {"MAIL_DOMAIN": "mail.example"},
    {"POSTAL_ADDRESS": "Example Street 1, 12345 Town, Country"},
    {"POSTAL_ADDRESS": "Your street, your town, your country"},
    {"POSTAL_ADDRESS": "TODO write the address"},
    {"SECRET_KEY": "changeme-" + "0123456789abcdef" * 4},
    {"EMAIL_HOST": "mail.example.org"},
    {"EMAIL_HOST_PASSWORD": "password"},
    RESEND | {"ANYMAIL": {"WEBHOOK_SECRET": f"name:{KEY}", "RESEND_API_KEY": "<your key>"}},
]


def site(**changes):
    """A public site whose settings are right, but for `changes`."""
    values = {name: getattr(ours, name) for name in dir(ours) if name.isupper()}
    return SimpleNamespace(**(values | SAFE_PUBLIC | {"DATABASES": {"default": SQLITE}} | changes))


def ids(messages):
    return [message.id for message in messages]


def test_a_site_set_up_rightly_passes():
    assert checks.judge(site()) == []


@pytest.mark.parametrize(("rule", "changes"), BAD, ids=lambda value: value if isinstance(value, str) else "")
def test_f93_a_dangerous_setting_is_refused_with_its_fix(rule, changes):
    found = checks.judge(site(**changes))
    assert ids(found) == [rule]
    assert len(found[0].fix) > 20


@pytest.mark.parametrize("changes", UNFILLED, ids=lambda changes: "-".join(changes))
def test_what_stands_in_examples_is_refused_on_a_public_site(changes):
    assert ids(checks.judge(site(**changes))) == ["E038"]


@pytest.mark.parametrize("changes", UNFILLED, ids=lambda changes: "-".join(changes))
def test_what_stands_in_examples_may_be_tried_on_this_machine(changes):
    assert "E038" not in ids(checks.judge(site(**changes, PUBLIC=False)))


@pytest.mark.parametrize(
    "changes",
    [
        {"POSTAL_ADDRESS": "12 Yourk Road, Exampleton, Yorkshire"},
        {"MAIL_FROM": "Your papers <papers@offprint.test>"},
        {"PUBLIC_BASE_URL": "https://counterexample.test"},
        {"MAIL_DOMAIN": "examples.test"},
    ],
)
def test_words_that_only_look_like_an_example_pass(changes):
    assert checks.judge(site(**changes)) == []


def test_a_value_copied_into_several_settings_is_named_once():
    copied = {"MAIL_REPLY_TO": "me@example.org", "CONTACT_EMAIL": "me@example.org"}
    assert [one.sentence for one in checks.judge(site(**copied))] == [
        "MAIL_REPLY_TO ('me@example.org') is still an example's."
    ]


def test_a_secret_is_never_shown():
    found = checks.judge(site(SECRET_KEY="changeme-" + KEY, EMAIL_HOST_PASSWORD="changeme"))
    assert [one.sentence for one in found] == [
        "SECRET_KEY is still an example's.",
        "EMAIL_URL has an example's password.",
    ]


def test_a_rule_about_an_unread_setting_does_not_judge_its_default():
    assert checks.judge(site(MAIL_CHANNEL="outbox"), ["EMAIL_URL cannot be read."]) == []


def test_a_database_file_of_another_user_is_named(tmp_path, monkeypatch):
    file = tmp_path / "offprint.sqlite3"
    file.write_text("")
    monkeypatch.setattr("os.access", lambda path, _: path != file)
    assert ids(checks.judge(site(DATABASES={"default": SQLITE | {"NAME": str(file)}}))) == ["E039"]


def test_a_key_file_that_others_can_read_is_named(tmp_path):
    (tmp_path / "secret_key").write_text(KEY)
    (tmp_path / "secret_key").chmod(0o644)
    assert ids(checks.judge(site(VAR_DIR=tmp_path))) == ["W002"]


def test_every_rule_is_tried():
    assert {rule for rule, _ in BAD} | {"E039", "W002"} == {rule.id for rule in checks.RULES}


def test_every_rule_has_an_id_of_its_own():
    assert len({rule.id for rule in checks.RULES}) == len(checks.RULES)
    assert all(re.fullmatch(r"[EW]\d{3}", rule.id) for rule in checks.RULES)


# What no environment can change, and every letter and reader relies on.
KEPT = {
    "EMAIL_TIMEOUT": 30,  # below a letter's lease
    "USE_TZ": True,
    "TIME_ZONE": "UTC",
    "CELERY_TIMEZONE": "UTC",
    "CELERY_ACCEPT_CONTENT": ["json"],  # a pickled message runs code
    "CELERY_TASK_SERIALIZER": "json",
    "CELERY_TASK_ACKS_LATE": False,  # the database is the outbox
    "CELERY_RESULT_BACKEND": None,
    "SESSION_SERIALIZER": "django.contrib.sessions.serializers.JSONSerializer",
    "X_FRAME_OPTIONS": "DENY",
    "CSRF_TRUSTED_ORIGINS": ["http://localhost:8000"],
}
NEEDED_MIDDLEWARE = {
    "django.middleware.security.SecurityMiddleware",
    "subscriptions.limits.client_prefix.TrustedProxies",
    "config.headers.SecurityHeaders",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
}


@pytest.mark.parametrize("name", KEPT)
def test_f93_what_no_environment_can_change_stays_as_it_is(name):
    assert getattr(ours, name) == KEPT[name]


def test_f93_the_parts_that_keep_the_site_safe_are_in_use():
    engines = {engine["NAME"]: engine["OPTIONS"] for engine in ours.TEMPLATES}
    shortest = [one["OPTIONS"]["min_length"] for one in ours.AUTH_PASSWORD_VALIDATORS if "MinimumLength" in one["NAME"]]
    assert set(ours.MIDDLEWARE) >= NEEDED_MIDDLEWARE
    assert engines["html"]["environment"] == "config.jinja2.html_environment"
    assert shortest == [12]
    assert base.PASSWORD_HASHERS[0].endswith(".Argon2PasswordHasher")


def test_f93_a_commit_survives_a_power_cut():
    database = ours.DATABASES["default"]
    options = str(database["OPTIONS"])
    assert not database.get("ATOMIC_REQUESTS")
    if database["ENGINE"].endswith("sqlite3"):
        assert "synchronous=FULL" in options
        assert database["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    else:
        assert "synchronous_commit=on" in options


def test_f93_no_tick_knows_a_calendar_and_no_broker_repeats_a_running_task():
    timeout = broker.REDIS_OPTIONS["visibility_timeout"]
    assert all(isinstance(tick["schedule"], float) for tick in ours.CELERY_BEAT_SCHEDULE.values())
    assert timeout > ours.CELERY_TASK_TIME_LIMIT


@pytest.mark.parametrize("changes", [{}, {"MAIL_CHANNEL": "outbox"}, {"PASSWORD_HASHERS": ["x.MD5PasswordHasher"]}])
def test_on_one_machine_the_easy_settings_do(changes):
    local = {"PUBLIC": False, "PUBLIC_BASE_URL": "http://localhost:8000", "POSTAL_ADDRESS": ""}
    assert checks.judge(site(**local, **changes)) == []


@pytest.mark.parametrize(
    "good",
    [
        RESEND | {"ANYMAIL": {"WEBHOOK_SECRET": f"name:{KEY}"}},
        {"EMAIL_USE_TLS": False, "EMAIL_HOST": "127.0.0.1"},
        {"EMAIL_USE_TLS": False, "EMAIL_USE_SSL": True},
        {"REDIS_URL": "redis://:secret@redis.offprint.test:6379/0"},
        {"REDIS_URL": "unix:///run/redis.sock"},
        {"DATABASES": {"default": PG}},
    ],
)
def test_what_is_safe_passes(good):
    assert checks.judge(site(**good)) == []


def test_djangos_own_check_lists_them(settings):
    settings.REDIS_URL = "http://127.0.0.1"
    assert "offprint.E034" in ids(run_checks())
    with pytest.raises(SystemCheckError, match=r"offprint\.E034"):
        call_command("check")


def test_warnings_stop_no_command(settings):
    settings.VAR_DIR.joinpath("secret_key").write_text(KEY)
    settings.VAR_DIR.joinpath("secret_key").chmod(0o644)
    assert "offprint.W002" not in ids(run_checks())
    assert "offprint.W002" in ids(run_checks(include_deployment_checks=True, tags=["offprint"]))


def test_a_providers_missing_key_shows_at_the_start(settings):
    settings.EMAIL_BACKEND = "anymail.backends.postmark.EmailBackend"
    settings.ANYMAIL = {}
    found = [one for one in run_checks() if one.id == "offprint.E033"]
    assert "POSTMARK_SERVER_TOKEN" in found[0].msg


def test_servers_without_djangos_checks_refuse_too(settings):
    checks.refuse_to_start()
    settings.REDIS_URL = "http://127.0.0.1"
    with pytest.raises(SettingsError, match="Example: redis://"):
        checks.refuse_to_start()


@pytest.mark.parametrize("signal", [signals.worker_init, signals.beat_init])
def test_a_worker_and_a_beat_refuse(signal, settings):
    settings.REDIS_URL = "http://127.0.0.1"
    with pytest.raises(SystemExit, match="Example: redis://"):
        celery._refuse()
    assert celery._refuse in [receiver() for _, receiver in signal.receivers]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MAIL_FROM", "Offprint <papers@bücher.example.org>"),
        ("MAIL_REPLY_TO", "nobody"),
        ("MAIL_REPLY_TO", "a b@example.org, c@example.org"),
        ("DKIM_KEY_FILE", __file__),
        ("DKIM_KEY_FILE", "/nowhere/key.pem"),
    ],
)
def test_what_the_sending_code_refuses_shows_at_the_start(settings, name, value):
    settings.MAIL_FROM = "Offprint <papers@example.org>"
    setattr(settings, name, value)
    assert [one.id for one in checks._letter(settings)] == ["E048"]


@pytest.mark.parametrize("name", ["Offprint", "L'Offprint: papers", "日刊論文", "=?x?=", "Offprint, Inc."])
def test_what_the_sending_code_takes_passes(settings, name):
    settings.SITE_NAME = name
    settings.MAIL_FROM = f'"{name}" <papers@example.org>'
    assert list(checks._letter(settings)) == []
