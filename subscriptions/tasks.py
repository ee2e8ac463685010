"""Doors for Celery: each wakes one function. Losing or repeating a message changes only latency."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from subscriptions.mail import notices
from subscriptions.signup import requests


@shared_task(name="subscriptions.tasks.send_notices")
def send_notices() -> None:
    notices.send_waiting(timezone.now())


@shared_task(name="subscriptions.tasks.take_up_asks")
def take_up_asks() -> None:
    requests.process(timezone.now())
