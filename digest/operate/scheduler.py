"""The scheduler runs the timetable without a broker: each tick in a thread of its own, so a slow one delays no other.

It calls the same functions as the Celery tasks, from the same timetable.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from django.db import close_old_connections
from django.utils import timezone
from django.utils.module_loading import import_string

from digest.operate import heartbeats

log = logging.getLogger(__name__)


class Scheduler:
    """Runs every entry of Celery's beat schedule at its interval until `stop()`."""

    def __init__(self, schedule: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        self.schedule = settings.CELERY_BEAT_SCHEDULE if schedule is None else schedule
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        for name, entry in self.schedule.items():
            run = import_string(entry["task"])
            thread = threading.Thread(
                target=self._loop, args=(name, run, float(entry["schedule"])), name=name, daemon=True
            )
            thread.start()
            self._threads.append(thread)

    def stop(self, grace: float = 10.0) -> None:
        """Ask every tick to end; one that is under way may finish within `grace` seconds in all."""
        self._stopping.set()
        end = time.monotonic() + grace
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))

    def _loop(self, name: str, run: Callable[[], Any], every: float) -> None:
        """Once at the start, so that the desk sees at once that it lives, and then at its turns."""
        while not self._stopping.is_set():
            _once(name, run)
            self._stopping.wait(every)


def _once(name: str, run: Callable[[], Any]) -> None:
    """One tick; the outermost loop, so whatever goes wrong is logged and the next tick comes all the same."""
    close_old_connections()
    try:
        run()
        heartbeats.beat(f"ticker:{name}", timezone.now())  # the stored name
    except Exception:
        log.exception("the tick %r failed; it is tried again at its next turn", name)
    finally:
        close_old_connections()
