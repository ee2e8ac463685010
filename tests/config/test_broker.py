"""Which broker carries the wake-ups, and that a message can never be more than a wake-up."""

from __future__ import annotations

import pytest
from celery import Celery

from config import broker
from config.timetable import TIMETABLE


def test_redis_carries_where_it_is_set(tmp_path):
    values = broker.celery_settings("redis://127.0.0.1:6379/0", tmp_path)
    assert values["CELERY_BROKER_URL"] == "redis://127.0.0.1:6379/0"
    assert values["CELERY_BROKER_TRANSPORT_OPTIONS"]["visibility_timeout"] > values["CELERY_TASK_TIME_LIMIT"]
    assert not (tmp_path / "broker").exists()


def test_files_carry_where_it_is_not(tmp_path):
    values = broker.celery_settings("", tmp_path)
    assert values["CELERY_BROKER_URL"] == "filesystem://"
    folders = {values["CELERY_BROKER_TRANSPORT_OPTIONS"][name] for name in ("data_folder_in", "control_folder")}
    assert folders == {str(tmp_path / one) for one in broker.FOLDERS}


@pytest.mark.parametrize("url", ["", "redis://127.0.0.1:6379/0"])
def test_only_json_is_taken_and_nothing_is_kept(url, tmp_path):
    values = broker.celery_settings(url, tmp_path)
    assert values["CELERY_ACCEPT_CONTENT"] == ["json"]
    assert values["CELERY_RESULT_BACKEND"] is None
    assert values["CELERY_TASK_ACKS_LATE"] is False


def test_every_tick_expires_before_the_next_and_none_knows_a_calendar(tmp_path):
    schedule = broker.celery_settings("", tmp_path)["CELERY_BEAT_SCHEDULE"]
    assert set(schedule) == {tick.name for tick in TIMETABLE}
    for entry in schedule.values():
        assert isinstance(entry["schedule"], float)
        assert entry["options"]["expires"] <= entry["schedule"]


def test_a_message_put_into_the_files_is_taken_out_again(tmp_path):
    for one in broker.FOLDERS:
        (tmp_path / one).mkdir(parents=True)
    values = broker.celery_settings("", tmp_path)
    app = Celery("try", broker=values["CELERY_BROKER_URL"])
    app.conf.broker_transport_options = values["CELERY_BROKER_TRANSPORT_OPTIONS"]
    app.send_task("digest.tasks.send_due")
    with app.connection_for_read() as connection:
        message = connection.SimpleQueue("celery").get(timeout=5)
        message.ack()
    assert message.headers["task"] == "digest.tasks.send_due"
    assert message.content_type == "application/json"
