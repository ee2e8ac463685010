"""The Celery app. Messages are wake-ups without data: losing or repeating one changes only latency.

Start a worker with `celery -A config worker` and the beat with `celery -A config beat`.
"""

from __future__ import annotations

import os
import sys
from types import TracebackType
from typing import Any

from celery import Celery, Task, signals

from config.findings import SettingsError

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("offprint")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


def _say(kind: type[BaseException], error: BaseException, where: TracebackType | None) -> None:
    """Wrong settings end the `celery` command with their list, not with the traceback that leads to it."""
    if isinstance(error, SettingsError):
        print(error, file=sys.stderr)
    else:
        _say_otherwise(kind, error, where)


_say_otherwise = sys.excepthook
sys.excepthook = _say


@signals.setup_logging.connect
def _log_as_everywhere(**kwargs: Any) -> None:
    """Celery keeps its own handlers out where somebody listens here: its lines go through `config/logs.py` too."""


@signals.task_success.connect
def _beat(sender: Task, **kwargs: Any) -> None:
    """A task that ended well is a sign of life of the worker."""
    from django.utils import timezone

    from digest.operate import heartbeats

    heartbeats.beat(f"worker:{sender.name}", timezone.now())


@signals.worker_init.connect
@signals.beat_init.connect
def _refuse(**kwargs: Any) -> None:
    """Dangerous settings stop a worker too. Celery logs a receiver's error and goes on, but not past an exit."""
    from config import checks

    try:
        checks.refuse_to_start()
    except SettingsError as wrong:
        raise SystemExit(str(wrong)) from None
