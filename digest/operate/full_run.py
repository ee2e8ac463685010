"""One full day's run on this machine: pull, release, send. What `manage.py up` does before it serves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings

from digest import delivery
from digest.delivery import blockers, plan
from digest.delivery.accounts import restore_guard
from digest.delivery.channels import traits
from digest.editions import lifecycle
from digest.models import Delivery, Edition, Fetch, Paper
from digest.operate import demo_data
from digest.sources import pull, starters
from subscriptions.mail import notices
from subscriptions.signup import requests
from subscriptions.wants.topics import load_starter_topics

Say = Callable[[str], None]


@dataclass
class Report:
    """What a day's run did. `note` says in words what was unusual about it."""

    fetches: list[Fetch] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    held: list[blockers.Blocker] = field(default_factory=list)
    edition: Edition | None = None
    deliveries: list[Delivery] = field(default_factory=list)


def prepare(now: datetime) -> None:
    """What a fresh database needs: starter topics, starter sources, demonstration readers. Idempotent.

    Before anything is written, the ledger is looked at: one that was put back from a backup is held from here on.
    """
    restore_guard.check(traits.current(), now)
    load_starter_topics()
    starters.load()
    if demo_data.is_wanted():
        demo_data.add_readers(now)


def run(now: datetime, say: Say) -> Report:
    """The whole day at once, each step said as it begins."""
    report = Report()
    new_here = restore_guard.welcome()
    if new_here:
        report.notes.append(new_here)
    say("Pulling the sources …")
    if settings.SAMPLE_FEEDS != "always":
        report.fetches = pull.pull_due(now)
    if _needs_samples(report.fetches):
        report.fetches = pull.pull_samples(now)
        note = "The publishers cannot be reached from here, so the bundled sample feeds were read instead."
        if settings.SAMPLE_FEEDS == "always":
            note = "The bundled sample feeds were read, because SAMPLE_FEEDS=always."
        report.notes.append(note)
    practice = demo_data.keep_some_back(now)
    if practice is not None:
        kept = practice.entries.count()
        report.notes.append(f"{kept} papers are kept for tomorrow's edition: it is open at the desk, to be tried.")
    say("Releasing today's edition …")
    report.edition = lifecycle.collect(now.date(), now)
    try:
        report.edition = lifecycle.release(report.edition, now)
    except lifecycle.EditionError as reason:
        report.notes.append(str(reason))
    say("Planning and sending the digests …")
    _send(report, now)
    return report


def _needs_samples(fetches: list[Fetch]) -> bool:
    """Samples are for the first look: not where papers have come in from the publishers before."""
    if settings.SAMPLE_FEEDS != "auto":
        return settings.SAMPLE_FEEDS == "always"
    reached = any(fetch.http_status for fetch in fetches)
    only_samples_so_far = not Paper.objects.exclude(announcements__source__slug__startswith="sample-").exists()
    return not reached and only_samples_so_far


def _send(report: Report, now: datetime) -> None:
    planned = set(Delivery.objects.filter(planned_at__gte=now).values_list("id", flat=True))
    plan.plan(now)
    delivery.deliver(now)
    requests.process(now)
    notices.send_waiting(now)
    report.held = blockers.find(now)
    rows = Delivery.objects.filter(planned_at__gte=now).exclude(id__in=planned)
    report.deliveries = list(rows.select_related("subscriber").order_by("id"))
