"""The Celery app. Messages are wake-ups without data: losing or repeating one changes only latency.

Start a worker with `celery -A config worker` and the beat with `celery -A config beat`.
"""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("offprint")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
