"""Checks the jobs: whether each runs on time, and whether anything waits longer than it should."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from django.conf import settings

from digest.delivery import blockers, resolve
from digest.delivery.accounts import restore_guard, sent_marks
from digest.delivery.channels import traits
from digest.delivery.reports import missing_reports
from digest.models import Delivery, Edition, Source
from digest.operate import heartbeats
from digest.operate.doctor.finding import BAD, OK, WARN, Finding
from subscriptions.commands import typed
from subscriptions.models import Notice, Topic

State = Delivery.State
WAITING_BAD = timedelta(hours=2)
NOTICE_BAD = timedelta(minutes=10)
CRON_BAD = timedelta(hours=1)
KEEP_RUNNING = "Keep `manage.py up` running, or a Celery worker and beat, or call `manage.py send_due` from cron."
SOURCE_WARN = timedelta(days=4)  # longer than a weekend with a holiday


def look(now: datetime) -> Iterator[Finding]:
    yield from ticks(now)
    yield from sources(now)
    yield topics()
    yield editions()
    yield letters(now)
    yield from sending(now)
    yield ledger_files()
    yield uncertain()
    yield unreported(now)
    yield notices(now)


def ticks(now: datetime) -> Iterator[Finding]:
    """Each entry of the timetable, run by a worker or by the scheduler, within three of its turns and a minute."""
    seen = heartbeats.last()
    found = []
    for name, tick in settings.CELERY_BEAT_SCHEDULE.items():
        keys = (f"worker:{tick['task']}", f"ticker:{name}")
        moments = [seen[key] for key in keys if key in seen]
        if not moments:
            found.append(Finding("heartbeats", name, WARN, "has never run here", KEEP_RUNNING))
            continue
        age = now - max(moments)
        detail = f"last ran {_ago(age)}"
        if age <= timedelta(seconds=3 * tick["schedule"] + 60):
            found.append(Finding("heartbeats", name, OK, detail))
        else:
            found.append(Finding("heartbeats", name, BAD, detail, KEEP_RUNNING))
    if any(one.state == OK for one in found):
        yield from found
    else:
        yield _nothing_ticks(seen, now)


def _nothing_ticks(seen: Mapping[str, datetime], now: datetime) -> Finding:
    """No entry is in time: only `send_due` from cron may still send, and no more than an hour ago."""
    by_cron = seen.get("command:send_due")
    if by_cron is not None and now - by_cron <= CRON_BAD:
        return Finding("heartbeats", "cron", OK, f"`manage.py send_due` last ran {_ago(now - by_cron)}")
    if not seen:
        return Finding("heartbeats", "everything", BAD, "nothing runs: no tick has ever run here", KEEP_RUNNING)
    age = now - max(seen.values())
    return Finding("heartbeats", "everything", BAD, f"nothing runs: the last tick was {_ago(age)}", KEEP_RUNNING)


def sources(now: datetime) -> Iterator[Finding]:
    enabled = list(Source.objects.filter(is_enabled=True).order_by("slug"))
    if not enabled:
        yield Finding("sources", "any", BAD, "none is enabled", "Run `manage.py up --once`, or add one at the desk.")
    failing = [source for source in enabled if source.failures or source.held_reason]
    silent = all(source in failing or source.last_ok_at is None for source in enabled)
    if failing and silent:
        yield _all_fail(enabled, failing)  # arXiv's others are not asked when one of its feeds does not answer
        if len(enabled) > 1:
            enabled = [source for source in enabled if source.held_reason]
    for source in enabled:
        yield _source(source, now)
    for source in Source.objects.filter(is_enabled=False, kills=0).exclude(held_reason="").order_by("slug"):
        yield _source(source, now)  # switched off because its publisher says it is gone


def _all_fail(enabled: list[Source], failing: list[Source]) -> Finding:
    """No paper comes in any more, but where only the bundled samples have ever been read."""
    why = _reason(failing[0])
    only_samples = not any(source.last_ok_at for source in enabled) and (
        Source.objects.filter(is_sample=True, last_ok_at__isnull=False).exists()
    )
    if settings.SAMPLE_FEEDS == "always" or (settings.SAMPLE_FEEDS == "auto" and only_samples):
        fix = "See that the publishers can be reached; until then letters bring samples."
        return Finding("sources", "all", WARN, f"no publisher answers ({why}); samples stand in", fix)
    fix = "See whether this machine reaches the network."
    return Finding("sources", "all", BAD, f"no source answers, of {len(enabled)} ({why})", fix)


def _source(source: Source, now: datetime) -> Finding:
    if source.held_reason:
        return Finding("sources", source.slug, BAD, source.held_reason, "Look at it on the desk's Sources page.")
    if source.failures >= 3:
        detail = f"{source.failures} failures in a row, the last one: {_reason(source)}"
        return Finding("sources", source.slug, BAD, detail, "Try: " + typed(f"pull --source {source.slug}"))
    if source.failures:
        detail = f"its last pull failed: {_reason(source)}"
        return Finding("sources", source.slug, WARN, detail, "Try: " + typed(f"pull --source {source.slug}"))
    if source.last_ok_at is None:
        fix = "Try: " + typed(f"pull --source {source.slug}")
        return Finding("sources", source.slug, WARN, "has brought nothing yet", fix)
    age = now - source.last_ok_at
    if source.is_daily and age > SOURCE_WARN:
        fix = "See whether the publisher moved the feed."
        return Finding("sources", source.slug, WARN, f"last brought papers {_ago(age)}", fix)
    return Finding("sources", source.slug, OK, f"last brought papers {_ago(age)}")


def _reason(source: Source) -> str:
    """The first warning about the publisher's last answer. Files read by hand have no address and do not count."""
    fetches = source.fetches.filter(outcome=source.last_outcome, url__contains="://")
    warnings = fetches.order_by("-at", "-id").values_list("warnings", flat=True).first()
    if warnings:
        return str(warnings[0]).rstrip(".")
    return source.last_outcome or "the log says why"


def topics() -> Finding:
    count = Topic.objects.filter(is_active=True).count()
    if count:
        return Finding("topics", "offered", OK, f"{count} topics")
    return Finding("topics", "offered", WARN, "none", "Run `manage.py up --once`: it loads the starter topics.")


def editions() -> Finding:
    held = Edition.objects.filter(state=Edition.State.HELD).order_by("date")[:10]
    if held:
        days = ", ".join(str(edition.date) for edition in held)
        return Finding("editions", "held", WARN, f"held: {days}", "Let them go on the desk's Edition page.")
    last = Edition.objects.exclude(serial=None).order_by("-serial").first()
    if last is None:
        return Finding("editions", "last", OK, "none released yet")
    return Finding("editions", "last", OK, f"number {last.serial}, of {last.date}")


def letters(now: datetime) -> Finding:
    """Letters that should have gone long ago."""
    late = Delivery.objects.filter(state=State.PENDING, next_at__lt=now - WAITING_BAD).order_by("next_at")[:1001]
    count = len(late.values_list("id"))
    if not count:
        return Finding("letters", "waiting", OK, "none waits longer than two hours")
    fix = "Run `manage.py send_due`; see the desk's Deliverability page for holds."
    told = str(count)
    if count > 1000:
        told = "1000+"
    return Finding("letters", "waiting", BAD, f"{told} wait too long", fix)


def sending(now: datetime) -> Iterator[Finding]:
    """Every hold by name, with its way out."""
    found = blockers.find(now)
    for one in found:
        yield Finding("letters", f"held: {one.channel}", BAD, f"by {one.by}: {one.reason}", one.way_out)
    if not found:
        yield Finding("letters", "held", OK, restore_guard.welcome() or "nothing is held")


def ledger_files() -> Finding:
    """Whether a restored database would be noticed: two files say how far the letters had come."""
    trouble = sent_marks.trouble()
    if not trouble:
        return Finding("letters", "ledger's mark", OK, f"kept in {sent_marks.in_var()} and {sent_marks.in_state()}")
    fix = "Set STATE_DIR to a folder outside VAR_DIR and outside the backups that this program may write to."
    return Finding("letters", "ledger's mark", WARN, f"kept once only: {trouble}", fix)


def uncertain() -> Finding:
    count = resolve.in_doubt().count()
    if not count:
        return Finding("letters", "in doubt", OK, "none")
    return Finding(
        "letters", "in doubt", WARN, f"{count} by name on the desk", "Settle them on the Deliverability page."
    )


def unreported(now: datetime) -> Finding:
    """Letters that were accepted and about which no report came."""
    found = missing_reports.look(now)
    if found.alarm:
        fix = "See that the provider's reports reach /hooks/<provider>/; then ask it about these letters."
        return Finding("letters", "never reported", WARN, found.alarm, fix)
    if not traits.makes_reports(found.channel):
        return Finding("letters", "never reported", OK, f"{found.channel} makes no reports")
    return Finding("letters", "never reported", OK, f"{found.silent} of {found.accepted} letters of the last day")


def notices(now: datetime) -> Finding:
    waiting = [Notice.State.PENDING, Notice.State.CLAIMED]
    count = Notice.objects.filter(state__in=waiting, next_at__lt=now - NOTICE_BAD).count()
    if not count:
        return Finding("letters", "confirmations", OK, "none waits longer than ten minutes")
    fix = "Keep the scheduler or a worker running; the mail server may be refusing."
    return Finding("letters", "confirmations", BAD, f"{count} wait longer than ten minutes", fix)


def _ago(age: timedelta) -> str:
    minutes = int(age.total_seconds() // 60)
    if minutes < 1:
        return "just now"
    if minutes < 120:
        return f"{minutes} minutes ago"
    if minutes < 2880:
        return f"{minutes // 60} hours ago"
    return f"{minutes // 1440} days ago"
