"""`doctor`: whatever digests depend on is looked at, and what is wrong comes with its fix."""

from __future__ import annotations

import json
from datetime import timedelta

import dns.resolver
import pytest
import redis
from django.conf import settings
from django.core.management import call_command

from digest.models import Delivery, Fetch, Source
from digest.operate import doctor, heartbeats
from digest.operate.doctor import dns as doctor_dns
from digest.operate.doctor import jobs, services
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
    assert services.postbox().state == "bad"


def test_a_mail_server_that_answers_is_ok(settings):
    from aiosmtpd.controller import Controller
    from aiosmtpd.handlers import Sink

    server = Controller(Sink(), hostname="127.0.0.1", port=18701)
    server.start()
    try:
        settings.MAIL_CHANNEL, settings.EMAIL_HOST, settings.EMAIL_PORT = "smtp", "127.0.0.1", 18701
        assert services.postbox().state == "ok"
    finally:
        server.stop()


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
    if ago is not None:
        heartbeats.beat("worker:digest.tasks.send_due", make.NOW - ago)
    assert one(jobs.ticks(make.NOW), "send digests").state == state


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
