"""When each part of the machine last did its work: written after every tick, read by `doctor` and the desk."""

from __future__ import annotations

from datetime import datetime

from digest.models import Heartbeat


def beat(name: str, now: datetime) -> None:
    """`name` has just done its work."""
    Heartbeat.objects.update_or_create(name=name, defaults={"at": now})


def last() -> dict[str, datetime]:
    """Every name that ever beat, with its latest moment."""
    return dict(Heartbeat.objects.values_list("name", "at"))
