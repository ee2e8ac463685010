"""What a worker tells while it works."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from celery import signals

from config import celery
from digest.operate import heartbeats


@pytest.mark.django_db
def test_a_task_that_ended_well_is_a_sign_of_life():
    celery._beat(sender=SimpleNamespace(name="digest.tasks.send_due"))
    assert list(heartbeats.last()) == ["worker:digest.tasks.send_due"]
    assert celery._beat in [receiver() for _, receiver in signals.task_success.receivers]
