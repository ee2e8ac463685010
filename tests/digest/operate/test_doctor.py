"""`doctor`: whatever digests depend on is looked at, and what is wrong comes with its fix."""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import timedelta

import dns.resolver
import pytest
import redis
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink
from django.conf import settings
from django.core.management import call_command
from django.db import OperationalError

from digest.models import Delivery, Fetch, Source
from digest.operate import doctor, heartbeats
from digest.operate.doctor import dns as doctor_dns
from digest.operate.doctor import jobs, services
from subscriptions.commands import database_fix
from subscriptions.models import Notice
from tests import make

pytestmark = pytest.mark.django_db


def tell(*args):
    """The command's words and its exit code."""
    try:
        call_command("doctor", *args)
    except SystemExit as end:
        return end.code
    return 0


def one(findings, name):
    return next(found for found in findings if found.name == name)


def healthy(now):
    make.source(last_ok_at=now, last_outcome="ok")
    make.topic()
    for name in settings.CELERY_BEAT_SCHEDULE:
        heartbeats.beat(f"ticker:{name}", now)


@pytest.fixture
def dns_records(monkeypatch):
    """The name servers' answers: `{(name, kind): [text]}`; anything else does not exist."""
    zone = {}

    def records(name, kind):
        answer = zone.get((name, kind), [])
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(doctor_dns, "records", records)
    return zone


def test_it_prints_one_object_and_fails_when_something_is_bad(capsys):
    assert tell("--json") == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer["state"] == "bad"
    assert answer["bad"] == sum(found["state"] == "bad" for found in answer["findings"]) > 0
    assert all(found["fix"] for found in answer["findings"] if found["state"] != "ok")


def test_it_is_content_when_all_is_well():
    healthy(make.NOW)
    assert doctor.BAD not in {found.state for found in doctor.examine(make.NOW)}


def test_words_name_the_fix(capsys):
    tell()
    assert "-> Run `manage.py up --once`" in capsys.readouterr().out


def test_no_secret_is_printed(settings, capsys):
    settings.SECRET_KEY = "very-secret-" + "k" * 60
    settings.ADDRESS_KEY = "other-secret-" + "k" * 60
    settings.REDIS_URL = "redis://:hunter2@127.0.0.1:1/0"
    settings.ANYMAIL = {"RESEND_API_KEY": "re_hunter3"}
    settings.EMAIL_HOST_PASSWORD = "hunter4"
    tell()
    said = capsys.readouterr().out
    assert "RESEND_API_KEY" in said
    assert not any(secret in said for secret in ("very-secret", "other-secret", "hunter"))


def test_a_redis_that_does_not_answer_is_bad(settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    found = one(services.broker(), "answer")
    assert (found.state, "Start Redis" in found.fix) == ("bad", True)


@pytest.mark.redis
def test_a_redis_that_answers_is_asked_how_it_keeps(settings):
    settings.REDIS_URL = "redis://127.0.0.1:6379/0"
    found = list(services.broker())
    assert one(found, "answer").state == "ok"
    policy = redis.Redis.from_url(settings.REDIS_URL).config_get("maxmemory-policy")["maxmemory-policy"]
    assert (one(found, "maxmemory-policy").state == "ok") == (policy == "noeviction")


def test_a_redis_that_forgets_or_evicts_is_told_apart():
    class Server:
        def config_get(self, name):
            return {"maxmemory-policy": {"maxmemory-policy": "allkeys-lru"}, "appendonly": {"appendonly": "no"}}[name]

    found = list(services._redis_keeping(Server()))
    assert [(one.name, one.state) for one in found] == [("maxmemory-policy", "bad"), ("appendonly", "warn")]


def test_a_mail_server_that_does_not_answer_is_bad(settings):
    settings.MAIL_CHANNEL, settings.EMAIL_HOST, settings.EMAIL_PORT = "smtp", "127.0.0.1", 1
    settings.EMAIL_BACKEND = "subscriptions.mail.backends.SmtpBackend"
    assert services.mail_server().state == "bad"


class OnAnyPort(Controller):
    """aiosmtpd knocks at the port it was told, which is 0 here: it is told the real one first."""

    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextmanager
def mail_server(**options):
    """An SMTP server on loopback; its port."""
    server = OnAnyPort(Sink(), hostname="127.0.0.1", port=0, **options)
    server.start()
    try:
        yield server.port
    finally:
        server.stop()


@pytest.fixture
def smtp(settings):
    settings.MAIL_CHANNEL, settings.EMAIL_HOST = "smtp", "127.0.0.1"
    return settings


def test_a_mail_server_that_answers_is_ok(smtp):
    with mail_server() as smtp.EMAIL_PORT:
        assert services.mail_server().state == "ok"


@pytest.mark.filterwarnings("ignore:Requiring AUTH:UserWarning")
def test_a_mail_server_that_wants_a_password_says_so(smtp):
    with mail_server(auth_required=True, auth_require_tls=False) as smtp.EMAIL_PORT:
        found = services.mail_server()
    assert (found.state, found.fix) == ("bad", services.SIGN_IN)


def test_a_mail_server_that_takes_no_password_says_so(smtp):
    smtp.EMAIL_HOST_USER, smtp.EMAIL_HOST_PASSWORD = "me", "mT4x"
    with mail_server() as smtp.EMAIL_PORT:
        found = services.mail_server()
    assert (found.state, "smtps://" in found.fix) == ("bad", True)


def test_a_mail_server_without_tls_says_so(smtp):
    smtp.EMAIL_USE_TLS = True
    with mail_server() as smtp.EMAIL_PORT:
        assert services.mail_server().state == "bad"


@pytest.mark.parametrize(
    ("said", "fix"),
    [
        ("530 5.7.0 Must issue a STARTTLS command first", "smtp+tls://"),
        ("530 5.7.0 Authentication required", "a user and a password"),
        ("550 5.7.0 Auth needed", "a user and a password"),
        ("SMTPAuthenticationError(535, b'5.7.8 bad credentials')", "refuses user or password"),
        ("SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED] Hostname mismatch", "certificate names it"),
        ("[SSL: WRONG_VERSION_NUMBER] wrong version number", "port 465"),
        ("Connection unexpectedly closed", "smtps://"),
        ("gaierror(-2, 'Name or service not known')", "Mend the host"),
        ("TimeoutError('timed out')", "try 587"),
        ("ConnectionRefusedError(111, 'Connection refused')", "start the mail server"),
    ],
)
def test_what_a_mail_server_says_leads_to_what_to_do(said, fix):
    assert fix in services.smtp_fix(said)


@pytest.mark.parametrize(
    ("said", "fix"),
    [
        ('FATAL:  password authentication failed for user "offprint"', "user and password in DATABASE_URL"),
        ('FATAL:  database "offprint" does not exist', "createdb"),
        ('could not translate host name "db" to address', "Mend the host"),
        ("unable to open database file", "VAR_DIR"),
        ("attempt to write a readonly database", "the user that runs Offprint"),
        ("connection to server failed: Connection refused", "Start it"),
    ],
)
def test_what_a_database_says_leads_to_what_to_do(said, fix):
    assert fix in database_fix(OperationalError(said))


def test_a_full_disk_is_bad(monkeypatch, tmp_path):
    monkeypatch.setattr(services.shutil, "disk_usage", lambda _: type("U", (), {"free": 3, "total": 100})())
    assert services.disk(tmp_path / "not" / "yet").state == "bad"


def test_waiting_migrations_are_bad(monkeypatch):
    monkeypatch.setattr(services.MigrationExecutor, "migration_plan", lambda *_: [1, 2])
    assert "migrate" in services.migrations().fix


def test_the_database_keeps_what_it_commits():
    assert services.durability().state == "ok"


@pytest.mark.parametrize(("ago", "state"), [(timedelta(seconds=30), "ok"), (timedelta(hours=2), "bad"), (None, "warn")])
def test_a_tick_that_stopped_is_noticed(ago, state):
    heartbeats.beat("ticker:pull sources", make.NOW)
    if ago is not None:
        heartbeats.beat("worker:digest.tasks.send_due", make.NOW - ago)
    assert one(jobs.ticks(make.NOW), "send digests").state == state


@pytest.mark.parametrize("ago", [timedelta(hours=2), timedelta(days=3), None])
def test_where_nothing_runs_one_line_says_so(ago):
    if ago is not None:
        for name in settings.CELERY_BEAT_SCHEDULE:
            heartbeats.beat(f"ticker:{name}", make.NOW - ago)
    (found,) = jobs.ticks(make.NOW)
    assert (found.name, found.state) == ("everything", "bad")
    assert found.detail.startswith("nothing runs")


@pytest.mark.parametrize(("ago", "state"), [(timedelta(minutes=50), "ok"), (timedelta(minutes=70), "bad")])
def test_send_due_from_cron_is_a_sign_of_life_for_an_hour(ago, state):
    call_command("send_due", now=make.NOW - ago, json=True)
    assert [found.state for found in jobs.ticks(make.NOW)] == [state]


def test_one_cause_is_one_line():
    names = "abcde"
    told = doctor.merged(
        [doctor.Finding("sources", name, "warn", "has brought nothing yet", "Pull.") for name in names]
    )
    assert [(line.name, line.fix) for line in told] == [("a, b, c and 2 more", "Pull.")]


def test_what_is_well_is_told_line_by_line():
    assert len(doctor.merged([doctor.Finding("sources", name, "ok", "fine") for name in "ab"])) == 2


def test_where_no_publisher_answers_no_source_is_told_of_beside(settings):
    settings.SAMPLE_FEEDS = "auto"
    for name in "abc":
        make.source(name, failures=1, last_outcome="failed")
    assert [found.name for found in jobs.sources(make.NOW)] == ["all"]


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({"last_ok_at": make.NOW}, "ok"),
        ({"last_ok_at": None}, "warn"),
        ({"last_ok_at": make.NOW - timedelta(days=6)}, "warn"),
        ({"last_ok_at": make.NOW - timedelta(days=6), "is_daily": False}, "ok"),
        ({"failures": 3}, "bad"),
        ({"failures": 1, "last_ok_at": make.NOW}, "warn"),
        ({"held_reason": "its titles vanished"}, "bad"),
    ],
)
def test_a_source_that_ails_is_named(fields, state):
    make.source(**fields)
    assert one(jobs.sources(make.NOW), "arxiv-cs-cl").state == state


@pytest.mark.parametrize("failures", [1, 3])
def test_a_failing_source_says_why(failures):
    source = make.source(failures=failures, last_outcome="failed")
    seen = {"source": source, "day": make.TODAY, "outcome": "failed"}
    why = ["rss.example.org is not known (no DNS answer)."]
    Fetch.objects.create(at=make.NOW - timedelta(hours=1), url="https://x.example/", warnings=["Older."], **seen)
    Fetch.objects.create(at=make.NOW, url="https://x.example/", warnings=why, **seen)
    Fetch.objects.create(at=make.NOW, url="day.xml", warnings=["A file read by hand."], **seen)
    detail = one(jobs.sources(make.NOW), "arxiv-cs-cl").detail
    assert detail.endswith(": rss.example.org is not known (no DNS answer)")


def test_a_site_none_of_whose_sources_answers_is_bad():
    make.source("a", failures=1, last_outcome="failed", last_ok_at=make.NOW)
    other = make.source("b", failures=1, last_outcome="failed")
    make.source("c")  # not asked yet
    assert one(jobs.sources(make.NOW), "all").state == "bad"
    Source.objects.filter(pk=other.pk).update(failures=0, last_ok_at=make.NOW)
    assert "all" not in {found.name for found in jobs.sources(make.NOW)}


def test_a_site_that_runs_on_samples_may_be_without_a_publisher(settings):
    settings.SAMPLE_FEEDS = "auto"
    source = make.source("a", failures=1, last_outcome="failed")
    make.source("sample-a", is_enabled=False, is_sample=True, last_ok_at=make.NOW)
    assert one(jobs.sources(make.NOW), "all").state == "warn"
    Source.objects.filter(pk=source.pk).update(last_ok_at=make.NOW)  # it has brought papers before
    assert one(jobs.sources(make.NOW), "all").state == "bad"
    settings.SAMPLE_FEEDS = "always"
    assert one(jobs.sources(make.NOW), "all").state == "warn"


def test_a_switched_off_source_is_left_alone():
    make.source(is_enabled=False, failures=9)
    assert [found.name for found in jobs.sources(make.NOW)] == ["any"]
    assert Source.objects.count() == 1


def letter(**fields):
    reader, edition = make.subscriber(), make.edition()
    values = {"local_date": make.TODAY, "due_at": make.NOW, "next_at": make.NOW, "planned_at": make.NOW} | fields
    return Delivery.objects.create(edition=edition, subscriber=reader, address_hmac="0" * 64, **values)


def test_letters_that_wait_too_long_are_bad():
    letter(next_at=make.NOW - timedelta(hours=3))
    assert jobs.letters(make.NOW).state == "bad"
    assert jobs.letters(make.NOW - timedelta(hours=2)).state == "ok"


def test_letters_in_doubt_are_counted():
    letter(state="uncertain")
    assert jobs.uncertain().detail.startswith("1 by name")


def test_a_held_edition_is_named():
    make.edition(state="held")
    assert jobs.editions().detail == f"held: {make.TODAY}"


def test_a_confirmation_that_waits_is_bad():
    Notice.objects.create(
        kind="confirm", subscriber=make.subscriber(), dedupe_key="x", created_at=make.NOW,
        next_at=make.NOW - timedelta(minutes=11),
    )  # fmt: skip
    assert jobs.notices(make.NOW).state == "bad"


GOOD_ZONE = {
    ("papers.example.org", "A"): ["192.0.2.1"],
    ("example.org", "TXT"): ["v=spf1 include:mail.example ~all"],
    ("_dmarc.example.org", "TXT"): ["v=DMARC1; p=none"],
    ("example.org", "MX"): ["10 mx.example.org."],
    ("one._domainkey.example.org", "TXT"): ["v=DKIM1; k=rsa; p=MIIB"],
}


@pytest.fixture
def public(settings):
    settings.PUBLIC, settings.SITE_HOST = True, "papers.example.org"
    settings.MAIL_FROM, settings.MAIL_REPLY_TO = "Offprint <papers@example.org>", "papers@example.org"
    settings.DKIM_SELECTORS = ["one"]


def test_good_dns_records_are_ok(public, dns_records):
    dns_records.update(GOOD_ZONE)
    assert {found.state for found in doctor_dns.look()} == {"ok"}


@pytest.mark.parametrize(
    ("key", "answer", "name"),
    [
        (("papers.example.org", "A"), [], "site address"),
        (("example.org", "TXT"), [], "SPF"),
        (("example.org", "TXT"), ["v=spf1 a", "v=spf1 b"], "SPF"),
        (("example.org", "TXT"), ["v=spf1 +all"], "SPF"),
        (("_dmarc.example.org", "TXT"), [], "DMARC"),
        (("example.org", "MX"), ["0 ."], "mailbox for answers"),
        (("one._domainkey.example.org", "TXT"), ["v=DKIM1; p="], "DKIM one"),
    ],
)
def test_a_missing_or_wrong_record_is_bad_with_the_record_to_add(key, answer, name, public, dns_records):
    dns_records.update(GOOD_ZONE | {key: answer})
    found = list(doctor_dns.look())
    assert one(found, name).state == "bad"
    assert one(found, name).fix
    assert [entry.name for entry in found if entry.state != "ok"] == [name]


def test_without_a_network_the_records_are_unknown_not_bad(public, monkeypatch):
    def no_network(*args, **kwargs):
        raise dns.resolver.NoNameservers

    monkeypatch.setattr(dns.resolver, "resolve", no_network)
    assert {found.state for found in doctor_dns.look()} == {"warn"}


def test_a_private_site_has_no_records_to_look_up():
    assert [found.state for found in doctor_dns.look()] == ["ok"]
