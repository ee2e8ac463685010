"""The one list of what is wrong with the settings: asked at every start, by `manage.py check` and by `doctor`.

`config/env.py` finds what cannot be read at all; these rules judge what was read. Errors stop every command, the web
server and every worker; warnings are shown by `doctor`. What no environment can change is held by a test instead.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.template import TemplateSyntaxError, engines

from config.env import LOCAL_HOSTS
from config.findings import ERROR, WARNING, Finding, refuse

# Mail channels that keep letters on this machine: right for trying out, a silent loss on a public site.
KEPT_HERE = ("outbox", "console", "memory")
FREE_MAIL = frozenset({"gmail.com", "googlemail.com", "yahoo.com", "outlook.com", "hotmail.com", "live.com", "gmx.de"})
EASY_PASSWORDS = frozenset({"offprint", "postgres", "password", "changeme", "secret", "admin", "example"})
MAKE_A_KEY = "Put {name}=… into .env with the output of: python3 -c 'import secrets; print(secrets.token_urlsafe(64))'"
# What stands in examples (RFC 2606, section 2 and 3) and in unfilled forms.
PLACEHOLDER = re.compile(
    r"(^|[@.])example(\.(com|net|org|edu))?$|\b(example|changeme|change[-_ ]?me|placeholder|your|todo|xxx+)\b|"
    r"^<.*>$|^12345 town|…|\.\.\.$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Rule:
    """One setting gone wrong: `is_broken(settings)` says whether, `fix` what to do about it."""

    id: str
    is_broken: Callable[[Any], bool]
    sentence: str
    fix: str
    severity: str = ERROR


def public(is_broken: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """The rule holds for public sites only."""
    return lambda s: bool(s.PUBLIC) and is_broken(s)


def _sqlite(s: Any) -> bool:
    return str(s.DATABASES["default"]["ENGINE"]).endswith("sqlite3")


def _is_weak(key: str) -> bool:
    return len(key) < 50 or len(set(key)) < 10 or key.startswith("django-insecure")


def _is_open_redis(s: Any) -> bool:
    """Reachable by others without a password: whoever reaches it can wake workers at will."""
    parts = urlsplit(s.REDIS_URL or "")
    return parts.scheme in {"redis", "rediss"} and (parts.hostname or "") not in LOCAL_HOSTS and not parts.password


def _webhooks_unguarded(s: Any) -> bool:
    """Anymail takes unsigned reports from anybody unless a secret is set, and only warns about it."""
    secrets = s.ANYMAIL.get("WEBHOOK_SECRET", "")
    secrets = [secrets] if isinstance(secrets, str) else list(secrets)
    guarded = [secret for secret in secrets if ":" in secret and len(secret.partition(":")[2]) >= 16]
    by_provider = s.MAIL_CHANNEL not in {*KEPT_HERE, "smtp"}
    return by_provider and not (guarded and len(guarded) == len(secrets))


def _smtp_in_clear(s: Any) -> bool:
    open_line = not (s.EMAIL_USE_TLS or s.EMAIL_USE_SSL)
    return s.MAIL_CHANNEL == "smtp" and open_line and bool(s.EMAIL_HOST_PASSWORD) and s.EMAIL_HOST not in LOCAL_HOSTS


def _domain(address: str) -> str:
    return parseaddr(address)[1].rpartition("@")[2].lower()


def _wrong_reply_to(s: Any) -> bool:
    """Not where it is the address of MAIL_FROM, which has a rule of its own."""
    address = parseaddr(s.MAIL_REPLY_TO)[1]
    return address != parseaddr(s.MAIL_FROM)[1] and "@" not in address


def _read_only_database(s: Any) -> bool:
    path = Path(str(s.DATABASES["default"].get("NAME", "")))
    return _sqlite(s) and path.exists() and not os.access(path, os.R_OK | os.W_OK)


def _open_key_file(s: Any) -> bool:
    path = Path(s.VAR_DIR) / "secret_key"
    return path.exists() and bool(stat.S_IMODE(path.stat().st_mode) & 0o077)


# fmt: off
# Three lines each: what is broken, what to say, what to do.
RULES = (
    Rule("E001", lambda s: _is_weak(s.SECRET_KEY),
         "SECRET_KEY is missing, shorter than 50 characters or easy to guess.",
         MAKE_A_KEY.format(name="SECRET_KEY")),
    Rule("E002", public(lambda s: s.DEBUG),
         "DEBUG is on, and the site is public.",
         "Remove DEBUG from .env."),
    Rule("E003", public(lambda s: not s.PUBLIC_BASE_URL.startswith("https://")),
         "PUBLIC_BASE_URL is public without TLS.",
         "Put a proxy with a certificate in front and set PUBLIC_BASE_URL to its https:// address."),
    Rule("E004", lambda s: any(host in {"*", "."} or host.startswith("*") for host in s.ALLOWED_HOSTS),
         "ALLOWED_HOSTS lets any host name in, so links can be poisoned.",
         "List the site's own names, or leave ALLOWED_HOSTS out: the host of PUBLIC_BASE_URL is always allowed."),
    Rule("E005", public(lambda s: len(s.POSTAL_ADDRESS.split()) < 3),
         "POSTAL_ADDRESS is missing or no address; the law wants it in every letter.",
         "Write street, town and country into POSTAL_ADDRESS."),
    Rule("E006", lambda s: "." not in _domain(s.MAIL_FROM) or "@" not in parseaddr(s.MAIL_FROM)[1],
         "MAIL_FROM is missing or holds no address with a domain.",
         'Write it like MAIL_FROM="Offprint <papers@example.org>".'),
    Rule("E007", lambda s: _domain(s.MAIL_FROM) in FREE_MAIL,
         "MAIL_FROM is at a mailbox provider, whose rules have such letters refused.",
         "Send from a domain of your own, with SPF, DKIM and DMARC (`manage.py doctor` shows the records)."),
    Rule("E008", public(lambda s: s.MAIL_CHANNEL in KEPT_HERE),
         "EMAIL_URL keeps letters on this machine, and the site is public: readers would never get them.",
         "Set EMAIL_URL to your provider or mail server, such as anymail://resend or smtp+tls://user:password@host."),
    Rule("E009", _webhooks_unguarded,
         "ANYMAIL_WEBHOOK_SECRET is missing or weak: anybody could report bounces and silence your readers.",
         "Set ANYMAIL_WEBHOOK_SECRET=name:password with a random password of 16 characters or more, "
         "and put the same into the webhook's address at your provider."),
    Rule("E010", _smtp_in_clear,
         "EMAIL_URL sends a password to another machine in the clear.",
         "Use smtp+tls://…:587 or smtps://…:465."),
    Rule("E016", public(lambda s: (s.DATABASES["default"].get("PASSWORD") or "").lower() in EASY_PASSWORDS),
         "DATABASE_URL has a password that anybody would try.",
         "Give the database user a random password and put it into DATABASE_URL."),
    Rule("E017", _is_open_redis,
         "REDIS_URL leads to another machine without a password.",
         "Set requirepass in redis.conf and write redis://:password@host:6379/0."),
    Rule("E030", public(lambda s: s.ADDRESS_KEY != s.SECRET_KEY and _is_weak(s.ADDRESS_KEY)),
         "ADDRESS_KEY is shorter than 50 characters or easy to guess, and so are the suppressed addresses it hashes.",
         MAKE_A_KEY.format(name="ADDRESS_KEY")),
    Rule("E034", lambda s: bool(s.REDIS_URL) and urlsplit(s.REDIS_URL).scheme not in {"redis", "rediss", "unix"},
         "REDIS_URL does not start with redis://, rediss:// or unix://.",
         "Example: redis://127.0.0.1:6379/0"),
    Rule("E035", lambda s: bool(s.DKIM_KEY_FILE) and not os.access(s.DKIM_KEY_FILE, os.R_OK),
         "DKIM_KEY_FILE names no file that can be read.",
         "Make one: openssl genrsa -out dkim.pem 2048"),
    Rule("E036", lambda s: bool(s.ENCODER_FOLDER) and not Path(s.ENCODER_FOLDER).is_dir(),
         "ENCODER_FOLDER is not a folder.",
         "Name a model's folder, or remove the line."),
    Rule("E037", lambda s: bool(s.SECRET_KEY_FALLBACKS) and s.ADDRESS_KEY == s.SECRET_KEY,
         "SECRET_KEY_FALLBACKS says that SECRET_KEY was changed, but ADDRESS_KEY is not set: the suppressed addresses "
         "could no longer be read.",
         "Set ADDRESS_KEY to the very first SECRET_KEY, and keep it for ever."),
    Rule("E039", _read_only_database,
         "DATABASE_URL names a file that this user may not read and write.",
         "Give the file to the user that runs Offprint."),
    Rule("E045", _wrong_reply_to,
         "MAIL_REPLY_TO is not an address.",
         "Write a mailbox that takes answers, or leave it out: then it is the address of MAIL_FROM."),
    Rule("E046", lambda s: not 5 <= len(s.MAIL_SENDER_ID) <= 15,
         "MAIL_SENDER_ID is not 5 to 15 characters long.",
         "Choose a name that stays, such as MAIL_SENDER_ID=offprint, or leave it out."),
    # Looked at by `doctor` only.
    Rule("W001", public(lambda s: s.ADDRESS_KEY == s.SECRET_KEY and not s.SECRET_KEY_FALLBACKS),
         "ADDRESS_KEY is the same as SECRET_KEY.",
         "Set ADDRESS_KEY to today's SECRET_KEY now, so that SECRET_KEY can be changed later.", WARNING),
    Rule("W002", _open_key_file,
         "The file secret_key in VAR_DIR can be read by other users of this machine.",
         "Run: chmod 600 on it.", WARNING),
)
# fmt: on


def placeholders(s: Any) -> Iterator[Finding]:
    """Values of a public site that were copied from an example and never filled in; secret ones are not shown."""
    if not s.PUBLIC:
        return
    shown = {
        "PUBLIC_BASE_URL": urlsplit(s.PUBLIC_BASE_URL).hostname or "",
        "MAIL_FROM": parseaddr(s.MAIL_FROM)[1],
        "MAIL_REPLY_TO": parseaddr(s.MAIL_REPLY_TO)[1],
        "CONTACT_EMAIL": parseaddr(s.CONTACT_EMAIL)[1],
        "MAIL_DOMAIN": s.MAIL_DOMAIN,
        "POSTAL_ADDRESS": s.POSTAL_ADDRESS,
    }
    secret = {
        "SECRET_KEY": s.SECRET_KEY,
        "ADDRESS_KEY": s.ADDRESS_KEY,
        "EMAIL_URL": s.EMAIL_HOST if s.MAIL_CHANNEL == "smtp" else "",
        **{f"ANYMAIL_{name}": str(value) for name, value in s.ANYMAIL.items()},
    }
    seen = {_domain(s.MAIL_FROM)}  # one setting is the default of the next: each value is named once
    for name, value in {**shown, **secret}.items():
        if value not in seen and PLACEHOLDER.search(value):
            what = f"{name} ({value!r})" if name in shown else name
            yield Finding("E038", ERROR, f"{what} is still an example's.", f"Write your own {name}.")
        seen.add(value)
    if s.MAIL_CHANNEL == "smtp" and s.EMAIL_HOST_PASSWORD.lower() in EASY_PASSWORDS:
        yield Finding("E038", ERROR, "EMAIL_URL has an example's password.", "Write the one of your mail server.")


def judge(s: Any, unread: Iterable[str] = ()) -> list[Finding]:
    """What is wrong with these settings, errors and warnings, without opening anything.

    `unread` are sentences about settings that could not be read: a rule about such a one would judge its default.
    """
    found = [Finding(rule.id, rule.severity, rule.sentence, rule.fix) for rule in RULES if rule.is_broken(s)]
    found.extend(placeholders(s))
    known = {sentence.partition(" ")[0].partition("=")[0] for sentence in unread}
    return [one for one in found if one.sentence.partition(" ")[0] not in known]


def look() -> list[Finding]:
    """The same for the settings in use. The mail backend is opened too: it names a provider's missing key."""
    from django.core.mail import get_connection

    found = judge(settings)
    try:
        get_connection(backend=settings.EMAIL_BACKEND)
    except (ImproperlyConfigured, ImportError, ValueError) as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        fix = "Set what your provider needs as ANYMAIL_… (see .env.example)."
        found.append(Finding("E033", ERROR, f"The mail backend of EMAIL_URL cannot be opened: {lines[0]}", fix))
    return [*found, *_own_templates(settings), *_letter(settings)]


def _own_templates(s: Any) -> Iterator[Finding]:
    """A site's own letter templates: each replaces one of ours, and each compiles."""
    if not s.LETTER_TEMPLATES:
        return
    for path in sorted((Path(s.LETTER_TEMPLATES) / "email").iterdir()):
        wrong = _template_fault(path, Path(s.BASE_DIR) / "templates" / "email" / path.name)
        if wrong:
            fix = "Mend it, or take it out of LETTER_TEMPLATES; `send_test` shows the letter."
            yield Finding("E047", ERROR, f"{path}: {wrong}", fix)


def _letter(s: Any) -> Iterator[Finding]:
    """A letter's headers, its bytes and its signature are made by the code that sends: what it refuses shows here."""
    from digest.letters import headers
    from subscriptions.mail import dkim
    from subscriptions.mail.outgoing import Letter, as_message

    try:
        told = headers.digest("daily", f"{s.PUBLIC_BASE_URL}/u/x/", s.PUBLIC_BASE_URL, datetime.now(UTC))
        letter = Letter(f"nobody@{_domain(s.MAIL_FROM)}", headers.subject("A day"), "Text", headers=told)
        message: Any = as_message(letter).message()  # SafeMIME: the standard library's type lacks `linesep`
        dkim.signed(message.as_bytes(linesep="\r\n"))
    except Exception as error:  # whatever the libraries raise would stop every letter
        fix = "Look at SITE_NAME, MAIL_FROM, MAIL_REPLY_TO, MAIL_DOMAIN and the DKIM_ settings."
        yield Finding("E048", ERROR, f"No letter can be written: {_first_line(error)}", fix)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _template_fault(path: Path, ours: Path) -> str:
    if not ours.is_file():
        return "not a template of the letters; the names are those in templates/email."
    try:
        engines["letter_html"].get_template(f"email/{path.name}")
    except TemplateSyntaxError as error:
        return _first_line(error)
    return ""


def register() -> None:
    """Errors are Django's checks, which stop every command; warnings come with `check --deploy` and `doctor`."""
    checks.register(_errors, "offprint")
    checks.register(_warnings, "offprint", deploy=True)


def _errors(app_configs: Any = None, **kwargs: Any) -> list[checks.CheckMessage]:
    found = [one for one in look() if one.severity == ERROR]
    return [checks.Error(one.sentence, hint=one.fix, id=f"offprint.{one.id}") for one in found]


def _warnings(app_configs: Any = None, **kwargs: Any) -> list[checks.CheckMessage]:
    found = [one for one in judge(settings) if one.severity == WARNING]
    return [checks.Warning(one.sentence, hint=one.fix, id=f"offprint.{one.id}") for one in found]


def refuse_to_start() -> None:
    """For doors that do not run Django's checks (web servers, Celery): raises SettingsError with every fix."""
    refuse(look())
