"""What happens by itself, and how often. Interval ticks only: no local times, so no DST here.

Celery's beat reads it, and so does the ticker of `manage.py up`, which needs no broker.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Tick:
    """One task woken every `every` seconds."""

    name: str
    task: str
    every: float


TIMETABLE = (
    Tick("pull sources", "digest.tasks.pull_due_sources", 60.0),
    Tick("release editions", "digest.tasks.release_due_editions", 60.0),
    Tick("send digests", "digest.tasks.send_due", 5.0),
    Tick("encode papers", "digest.tasks.encode_papers", 30.0),
    Tick("refit profiles", "digest.tasks.refit_profiles", 900.0),
    Tick("count for the desk", "digest.tasks.count_for_the_desk", 60.0),
    Tick("write to curators", "digest.tasks.write_to_curators", 900.0),
    Tick("index papers", "digest.tasks.index_papers", 60.0),
    Tick("take up signups", "subscriptions.tasks.take_up_asks", 5.0),
    Tick("send notices", "subscriptions.tasks.send_notices", 15.0),
)
