"""What a worker tells while it works."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from celery import signals

from config import celery
from config.findings import ERROR, Finding, SettingsError
from digest.operate import heartbeats


@pytest.mark.django_db
def test_a_task_that_ended_well_is_a_sign_of_life():
    celery._beat(sender=SimpleNamespace(name="digest.tasks.send_due"))
    assert list(heartbeats.last()) == ["worker:digest.tasks.send_due"]
    assert celery._beat in [receiver() for _, receiver in signals.task_success.receivers]


def test_wrong_settings_end_the_command_with_their_list_alone(capsys):
    wrong = SettingsError([Finding("E040", ERROR, "DEBUG='x' is not true or false.", "Write true or false.")])
    celery._say(SettingsError, wrong, None)
    told = capsys.readouterr().err.splitlines()
    assert told[1:] == ["  - DEBUG='x' is not true or false. Write true or false. (offprint.E040)"]


def test_any_other_error_keeps_its_traceback(capsys):
    celery._say(ValueError, ValueError("x"), None)
    assert "ValueError: x" in capsys.readouterr().err
