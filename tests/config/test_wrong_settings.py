"""Wrong environments, each with the sentence and the fix that the start answers with: the settings module is run."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from config.findings import SettingsError

SETTINGS = Path(__file__).resolve().parents[2] / "config" / "settings.py"
KEY = "Wq7-tR2_pZ9vLx4mKc8nBd1sHf6jGy3aEu5oIw0rTqYeUiOpAsDfGhJk"
PUBLIC = {
    "PUBLIC_BASE_URL": "https://papers.offprint.test",
    "SECRET_KEY": KEY,
    "ADDRESS_KEY": KEY.swapcase(),
    "MAIL_FROM": "Papers <papers@mail.offprint.test>",
    "POSTAL_ADDRESS": "Kirchweg 12, 24103 Kiel, Germany",
    "EMAIL_URL": "smtp+tls://papers:mT4x@mx.offprint.test",
}


@pytest.fixture
def load(monkeypatch, tmp_path):
    """Run the settings module under these variables alone; returns its names, or raises SettingsError."""

    def run(**values):
        environment = {"VAR_DIR": str(tmp_path / "var"), "OFFPRINT_DOTENV": "no", "PATH": "/usr/bin", **values}
        monkeypatch.setattr("environ.Env.ENVIRON", environment)
        return runpy.run_path(str(SETTINGS))

    return run


# (what is set on this machine, the words of the one sentence, the words of its fix)
ON_THIS_MACHINE = [
    ({"DEBUG": "maybe"}, "DEBUG='maybe' is not true or false.", "Write true or false"),
    (
        {"BEHIND_PROXY": "nginx"},
        "BEHIND_PROXY='nginx' is not true, false, or",
        "leave BEHIND_PROXY out",
    ),
    ({"LOG_LEVEL": "loud"}, "LOG_LEVEL='loud' is not one of", "debug, info, warning, error"),
    ({"SAMPLE_FEEDS": "often"}, "SAMPLE_FEEDS='often' is not one of", "auto, always, never"),
    ({"EDITION_DEADLINE_HOUR": "24"}, "EDITION_DEADLINE_HOUR='24' is not", "a whole number from 0 to 23"),
    ({"EDITION_DEADLINE_HOUR": "8:30"}, "EDITION_DEADLINE_HOUR='8:30' is not", "a whole number from 0 to 23"),
    ({"MAIL_RATE": "-1"}, "MAIL_RATE='-1' is not", "a whole number from 0"),
    ({"MAIL_RATE": "10/s"}, "MAIL_RATE='10/s' is not", "a whole number from 0"),
    ({"SIGNUPS_PER_HOUR": "0"}, "SIGNUPS_PER_HOUR='0' is not", "a whole number from 1"),
    ({"BRAND_COLOUR": "red"}, "BRAND_COLOUR='red' is not a colour", "such as #9a1c2c"),
    ({"BRAND_COLOUR_DARK": "#fff"}, "BRAND_COLOUR_DARK='#fff' is not a colour", "such as #9a1c2c"),
    ({"PUBLIC_BASE_URL": "papers.offprint.test"}, "is not a web address", "Example: https://"),
    ({"PUBLIC_BASE_URL": "ftp://localhost"}, "is not a web address", "Example: https://"),
    ({"PUBLIC_BASE_URL": "http://localhost/app"}, "must be a bare address", "Drop '/app'"),
    ({"SECRET_KEY": "short"}, "SECRET_KEY is missing, shorter than 50", "token_urlsafe"),
    ({"SECRET_KEY": "a" * 64}, "SECRET_KEY is missing, shorter than 50 characters or easy to guess", "token_urlsafe"),
    ({"SECRET_KEY_FALLBACKS": KEY}, "SECRET_KEY_FALLBACKS says that SECRET_KEY was changed", "Set ADDRESS_KEY"),
    ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS lets any host name in", "List the site's own names"),
    ({"MAIL_FROM": "papers"}, "MAIL_FROM='papers' is not an address", "Write an address such as"),
    ({"MAIL_FROM": "me@gmail.com"}, "MAIL_FROM is at a mailbox provider", "a domain of your own"),
    ({"MAIL_REPLY_TO": "answers"}, "MAIL_REPLY_TO='answers' is not an address", "Write an address such as"),
    ({"MAIL_SENDER_ID": "off"}, "MAIL_SENDER_ID is not 5 to 15 characters", "MAIL_SENDER_ID=offprint"),
    ({"EMAIL_URL": "pigeon://x"}, "EMAIL_URL starts with 'pigeon'", "Use outbox:"),
    ({"EMAIL_URL": "smtp://"}, "EMAIL_URL names no mail server", "Example: smtp+tls://"),
    ({"EMAIL_URL": "smtp://h:port"}, "EMAIL_URL has a port that is not a number", "Example: smtp+tls://"),
    ({"EMAIL_URL": "smtp://u:p[x@h"}, "EMAIL_URL cannot be read", "Example: smtp+tls://"),
    ({"EMAIL_URL": "anymail://nobody"}, "names no provider", "Example: anymail://resend"),
    ({"EMAIL_URL": "anymail://resend"}, "ANYMAIL_WEBHOOK_SECRET is missing or weak", "name:password"),
    ({"EMAIL_URL": "postfix://mx.offprint.test"}, "is for the Postfix of this machine", "Use smtp://"),
    (
        {"EMAIL_URL": "smtp://u:mT4x@mx.offprint.test"},
        "sends a password to another machine in the clear",
        "smtp+tls://",
    ),
    ({"ANYMAIL_SEND_DEFAULTS": "{x: 1}"}, "ANYMAIL_SEND_DEFAULTS starts with {", "Example: ANYMAIL_SEND_DEFAULTS="),
    ({"DKIM_KEY_FILE": "no/key.pem"}, "DKIM_KEY_FILE names no file", "openssl genrsa"),
    ({"ENCODER_FOLDER": "no/folder"}, "ENCODER_FOLDER is not a folder", "Name a model's folder"),
    ({"DATABASE_URL": "mysql://h/db"}, "DATABASE_URL must start with", "Example: postgresql://"),
    ({"DATABASE_URL": "postgresql://h:port/db"}, "DATABASE_URL cannot be read", "Example: postgresql://"),
    ({"DATABASE_URL": "postgresql://h"}, "DATABASE_URL names no database", "Write postgresql://…/name"),
    ({"DATABASE_URL": "sqlite://"}, "DATABASE_URL names no database", "Write sqlite:////path"),
    ({"REDIS_URL": "127.0.0.1:6379"}, "REDIS_URL does not start with", "Example: redis://"),
    ({"REDIS_URL": "redis://cache.offprint.test"}, "REDIS_URL leads to another machine without", "requirepass"),
    ({"VAR_DIR": "/dev/null/var"}, "VAR_DIR: /dev/null/var cannot be written into", "set VAR_DIR to one"),
    ({"VAR_DIR": "/dev/null"}, "VAR_DIR: /dev/null cannot be written into", "set VAR_DIR to one"),
    # Names that would do nothing.
    ({"EMAIL_HOST": "mx"}, "EMAIL_HOST in the environment is not a setting", "Write EMAIL_URL=smtp+tls://"),
    ({"EMAIL_PORT": "587"}, "EMAIL_PORT in the environment", "Write EMAIL_URL=smtp+tls://"),
    ({"EMAIL_HOST_PASSWORD": "x"}, "EMAIL_HOST_PASSWORD in the environment", "Write EMAIL_URL=smtp+tls://"),
    ({"SMTP_HOST": "mx"}, "SMTP_HOST in the environment", "Write EMAIL_URL=smtp+tls://"),
    ({"SMTP_PASSWORD": "x"}, "SMTP_PASSWORD in the environment", "Write EMAIL_URL=smtp+tls://"),
    ({"DB_URL": "postgresql://h/db"}, "DB_URL in the environment", "Write DATABASE_URL=postgresql://"),
    ({"CELERY_BROKER_URL": "redis://h"}, "CELERY_BROKER_URL in the environment", "Write REDIS_URL=redis://"),
    ({"REDIS_HOST": "h"}, "REDIS_HOST in the environment", "Write REDIS_URL=redis://"),
    ({"SITE_URL": "https://h"}, "SITE_URL in the environment", "Write PUBLIC_BASE_URL=https://"),
    ({"DEFAULT_FROM_EMAIL": "a@b.c"}, "DEFAULT_FROM_EMAIL in the environment", "Write MAIL_FROM="),
    ({"DJANGO_SECRET_KEY": "x"}, "DJANGO_SECRET_KEY in the environment", "Write SECRET_KEY=… instead"),
    ({"RESEND_API_KEY": "x"}, "RESEND_API_KEY in the environment", "Write ANYMAIL_RESEND_API_KEY=…"),
    ({"MAIL_FORM": "x"}, "MAIL_FORM in the environment", "Did you mean MAIL_FROM?"),
    ({"EMAIL_URI": "x"}, "EMAIL_URI in the environment", "Did you mean EMAIL_URL?"),
    ({"POSTAL_ADRESS": "x"}, "POSTAL_ADRESS in the environment", "Did you mean POSTAL_ADDRESS?"),
    ({"PUBLIC_BASE_URI": "x"}, "PUBLIC_BASE_URI in the environment", "Did you mean PUBLIC_BASE_URL?"),
]
ON_A_PUBLIC_SITE = [
    ({"DEBUG": "true"}, "DEBUG is on, and the site is public", "Remove DEBUG"),
    ({"PUBLIC_BASE_URL": "http://papers.offprint.test"}, "PUBLIC_BASE_URL is public without TLS", "a proxy"),
    ({"SECRET_KEY": ""}, "SECRET_KEY is missing", "Put SECRET_KEY=… into .env"),
    ({"ADDRESS_KEY": "short"}, "ADDRESS_KEY is shorter than 50", "Put ADDRESS_KEY=… into .env"),
    ({"MAIL_FROM": ""}, "MAIL_FROM is missing", "Write it like MAIL_FROM="),
    ({"POSTAL_ADDRESS": ""}, "POSTAL_ADDRESS is missing", "Write street, town and country"),
    ({"EMAIL_URL": ""}, "EMAIL_URL keeps letters on this machine", "Set EMAIL_URL to your provider"),
    ({"EMAIL_URL": "console:"}, "EMAIL_URL keeps letters on this machine", "Set EMAIL_URL to your provider"),
    ({"EMAIL_URL": "smtp+tls://u:changeme@mx.offprint.test"}, "EMAIL_URL has an example's password", "Write the one"),
    ({"EMAIL_URL": "smtp+tls://u:mT4x@mail.example.org"}, "EMAIL_URL is still an example's", "Write your own"),
    ({"DATABASE_URL": "postgresql://u:postgres@h/db"}, "DATABASE_URL has a password that anybody", "a random password"),
    ({"PUBLIC_BASE_URL": "https://papers.example.org"}, "is still an example's", "Write your own PUBLIC_BASE_URL"),
    ({"MAIL_FROM": "a@example.com"}, "MAIL_FROM ('a@example.com') is still", "Write your own MAIL_FROM"),
    ({"POSTAL_ADDRESS": "Your street, your town"}, "POSTAL_ADDRESS ('Your street", "Write your own POSTAL_ADDRESS"),
    ({"MAIL_REPLY_TO": "changeme@offprint.test"}, "MAIL_REPLY_TO ('changeme", "Write your own MAIL_REPLY_TO"),
]


def name(one):
    return "-".join(one) if isinstance(one, dict) else ""


@pytest.mark.parametrize(("values", "says", "fix"), ON_THIS_MACHINE, ids=name)
def test_a_wrong_setting_is_one_sentence_with_its_fix(values, says, fix, load):
    with pytest.raises(SettingsError) as refused:
        load(**values)
    (one,) = refused.value.findings
    assert says in one.sentence
    assert fix in one.fix


@pytest.mark.parametrize(("values", "says", "fix"), ON_A_PUBLIC_SITE, ids=name)
def test_a_public_site_is_judged_more_strictly(values, says, fix, load):
    with pytest.raises(SettingsError) as refused:
        load(**PUBLIC | values)
    (one,) = refused.value.findings
    assert says in one.sentence
    assert fix in one.fix


def test_the_table_is_long():
    assert len(ON_THIS_MACHINE) + len(ON_A_PUBLIC_SITE) >= 60


def test_a_public_site_set_up_rightly_starts(load):
    assert load(**PUBLIC)["PUBLIC"] is True


def test_nothing_set_starts_on_this_machine(load):
    assert load()["MAIL_FROM"] == "Offprint <papers@offprint.localhost>"


def test_all_that_is_wrong_is_named_at_once(load):
    with pytest.raises(SettingsError) as refused:
        load(PUBLIC_BASE_URL="https://papers.offprint.test", DEBUG="yes", LOG_LEVEL="loud", EMAIL_HOST="mx")
    wrong = [one.sentence.partition(" ")[0] for one in refused.value.findings]
    assert wrong == [
        "LOG_LEVEL='loud'",
        "EMAIL_HOST",
        "SECRET_KEY",
        "DEBUG",
        "POSTAL_ADDRESS",
        "MAIL_FROM",
        "EMAIL_URL",
    ]


def test_no_secret_is_repeated(load):
    with pytest.raises(SettingsError) as refused:
        load(SECRET_KEY="hunter2", EMAIL_URL="smtp://u:hunter2[@h", DATABASE_URL="postgresql://u:hunter2/x@h/db")
    assert "hunter2" not in str(refused.value) + refused.value.as_json()


@pytest.mark.parametrize(
    "values",
    [
        {"EMAIL_HOST": "mx", "EMAIL_URL": "console:"},
        {"REDIS_HOST": "h", "REDIS_URL": "redis://127.0.0.1/0"},
        {"REDIS_PORT": "tcp://10.0.0.1:6379", "HOSTNAME": "web-1", "LOGLEVEL": "x", "SITE_PACKAGES": "x"},
        {"TERM": "x", "LC_ALL": "C", "GIT_AUTHOR_EMAIL": "x", "SSH_AUTH_SOCK": "x", "XDG_DATA_DIRS": "x", "MAIL": "/m"},
    ],
)
def test_what_other_programs_have_in_the_environment_is_left_alone(values, load):
    load(**values)


def test_with_the_sender_alone_answers_and_message_ids_follow_it(load):
    found = load(**PUBLIC)
    assert found["MAIL_REPLY_TO"] == "papers@mail.offprint.test"
    assert found["MAIL_DOMAIN"] == found["DKIM_DOMAIN"] == "mail.offprint.test"
    assert found["CONTACT_EMAIL"] == "papers@mail.offprint.test"


def test_what_is_set_besides_the_sender_is_kept(load):
    found = load(**PUBLIC, MAIL_REPLY_TO="desk@offprint.test", MAIL_DOMAIN="offprint.test")
    assert (found["MAIL_REPLY_TO"], found["MAIL_DOMAIN"]) == ("desk@offprint.test", "offprint.test")
    assert found["CONTACT_EMAIL"] == "desk@offprint.test"
