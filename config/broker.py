"""Celery's settings: which broker carries the wake-ups, and how a worker behaves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from config.timetable import TIMETABLE

FOLDERS = ("broker/queue", "broker/control")  # in VAR_DIR; `config/settings.py` makes them
REDIS_OPTIONS = {
    "visibility_timeout": 900,
    "socket_timeout": 10,
    "socket_connect_timeout": 3,
    "socket_keepalive": True,
    "health_check_interval": 25,
}

WORKER: dict[str, Any] = {
    "BROKER_CONNECTION_RETRY_ON_STARTUP": True,
    "TASK_IGNORE_RESULT": True,
    "RESULT_BACKEND": None,
    "ACCEPT_CONTENT": ["json"],
    "TASK_SERIALIZER": "json",
    "TIMEZONE": "UTC",
    "ENABLE_UTC": True,
    "TASK_ACKS_LATE": False,
    "WORKER_PREFETCH_MULTIPLIER": 1,
    "WORKER_MAX_TASKS_PER_CHILD": 500,
    "WORKER_MAX_MEMORY_PER_CHILD": 300_000,
    "WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS": True,  # none of ours is acknowledged late, so none is
    "TASK_TIME_LIMIT": 600,
    "TASK_SOFT_TIME_LIMIT": 540,
}


def celery_settings(redis_url: str, var: Path, prefix: str = "offprint:") -> dict[str, Any]:
    """Every Celery setting, as `CELERY_…` names for Django's settings module."""
    schedule = {
        tick.name: {"task": tick.task, "schedule": tick.every, "options": {"expires": tick.every}} for tick in TIMETABLE
    }
    values = {
        **WORKER,
        **(_redis(redis_url, prefix) if redis_url else _files(var / "broker")),
        "BEAT_SCHEDULE": schedule,
        "BEAT_SCHEDULE_FILENAME": str(var / "celerybeat-schedule"),
    }
    return {f"CELERY_{name}": value for name, value in values.items()}


def _redis(url: str, prefix: str) -> dict[str, Any]:
    return {"BROKER_URL": url, "BROKER_TRANSPORT_OPTIONS": REDIS_OPTIONS | {"global_keyprefix": prefix}}


def _files(folder: Path) -> dict[str, Any]:
    """One machine without a server: messages are files under `folder`."""
    queue = str(folder / "queue")
    control = str(folder / "control")
    options = {"data_folder_in": queue, "data_folder_out": queue, "control_folder": control}
    return {"BROKER_URL": "filesystem://", "BROKER_TRANSPORT_OPTIONS": options}
