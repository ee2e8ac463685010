"""Row 80 of the fault list: letters that were accepted, and then never spoken of."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from digest.delivery import plan
from digest.delivery.reports import missing_reports
from digest.desk import counters, nightly_mail
from digest.desk.pages import dashboard
from digest.models import Attempt, Delivery, Edition
from digest.operate.doctor import jobs
from tests import make
from tests.make import NOW

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=8)


@pytest.fixture
def sent(edition: Edition, channel: Any) -> None:
    """Six hundred letters of this morning, all accepted, all but four reported delivered."""
    for _ in range(600):
        make.subscriber(queries=["speech"])
    plan.plan(NOW)
    attempt = Attempt.objects.create(channel="postmark", lease_until=NOW, worker="w", started_at=NOW, state="closed")
    Delivery.objects.update(state="accepted", settled_at=NOW, attempt=attempt, fate="delivered")
    forget(4)


def forget(count: int) -> None:
    ids = list(Delivery.objects.order_by("pk").values_list("pk", flat=True))
    Delivery.objects.update(fate="delivered")
    Delivery.objects.filter(pk__in=ids[:count]).update(fate="")


@pytest.mark.thorough
def test_f80_more_than_one_in_two_hundred_is_an_alarm_everywhere(sent: None) -> None:
    found = missing_reports.look(LATER)
    assert (found.accepted, found.silent) == (600, 4)
    assert "never spoke again of 4 (0.7%)" in found.alarm
    counters.refresh(LATER)
    assert any(found.alarm in one.says for one in dashboard.alerts(None, LATER))
    assert jobs.unreported(LATER).state == "warn"
    assert found.alarm in nightly_mail.letter("curator@example.org", LATER).text


@pytest.mark.thorough
def test_f80_a_lost_report_now_and_then_is_none(sent: None) -> None:
    forget(3)  # just one in two hundred
    assert missing_reports.look(LATER).alarm == ""
    assert jobs.unreported(LATER).detail == "3 of 600 letters of the last day"


@pytest.mark.thorough
def test_f80_reports_that_never_arrive_are_told_apart(sent: None) -> None:
    forget(600)
    assert missing_reports.look(LATER).alarm.endswith("its reports do not reach /hooks/postmark/")


@pytest.mark.thorough
def test_f80_reports_get_six_hours_and_old_letters_are_no_news(sent: None) -> None:
    assert missing_reports.look(NOW + timedelta(hours=5)).accepted == 0
    assert missing_reports.look(NOW + timedelta(hours=31)).accepted == 0


@pytest.mark.thorough
@pytest.mark.parametrize("name", ["smtp", "outbox"])
def test_f80_a_channel_without_reports_is_never_silent(sent: None, channel: Any, name: str) -> None:
    Attempt.objects.update(channel=name)
    channel(name)
    assert missing_reports.look(LATER) == missing_reports.MissingReports(name)
    assert jobs.unreported(LATER).state == "ok"
