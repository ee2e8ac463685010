"""Doors for Celery: each wakes one function of the house. A message lost or repeated changes only latency."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from digest import delivery, search
from digest.delivery import plan
from digest.desk import nightly_mail
from digest.editions import lifecycle
from digest.matching import embeddings, profiles
from digest.sources import pull

BUDGET = timedelta(seconds=15)  # a task ends before three further ticks have piled up


@shared_task(name="digest.tasks.pull_due_sources")
def pull_due_sources() -> None:
    pull.pull_due(timezone.now())


@shared_task(name="digest.tasks.release_due_editions")
def release_due_editions() -> None:
    lifecycle.release_due(timezone.now())


@shared_task(name="digest.tasks.send_due")
def send_due() -> None:
    now = timezone.now()
    try:
        plan.plan(now)
    finally:  # what is planned already goes out, whatever stopped the planning
        delivery.deliver(now, BUDGET)


@shared_task(name="digest.tasks.index_papers")
def index_papers() -> None:
    search.refresh()


@shared_task(name="digest.tasks.refit_profiles")
def refit_profiles() -> None:
    profiles.refit_if_due(timezone.now())


@shared_task(name="digest.tasks.count_for_the_desk")
def count_for_the_desk() -> None:
    nightly_mail.count(timezone.now())


@shared_task(name="digest.tasks.write_to_curators")
def write_to_curators() -> None:
    nightly_mail.send_if_due(timezone.now())


@shared_task(name="digest.tasks.encode_papers")
def encode_papers() -> None:
    embeddings.encode_waiting()
