"""The Celery app with the chaos driver's faster clocks: `celery -A tests.chaos.app worker`."""

from __future__ import annotations

from celery.signals import worker_init

from config.celery import app

__all__ = ["app"]


@worker_init.connect
def faster(**_: object) -> None:
    from tests.chaos.cell import hurry

    hurry()
