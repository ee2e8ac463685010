"""The whole day at once, as `manage.py up` runs it on an empty folder."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from email import policy
from email.parser import BytesParser
from pathlib import Path

import pytest
from django.core.management import call_command

from digest.models import Delivery, Edition
from tests.make import NOW, TODAY

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture(autouse=True)
def embedded_default(settings):
    settings.SAMPLE_FEEDS = "always"
    settings.MAIL_CHANNEL = "outbox"
    settings.EMAIL_BACKEND = "subscriptions.mail.outgoing.OutboxBackend"


def up(now=NOW) -> dict:
    out = io.StringIO()
    call_command("up", "--once", "--json", "--now", now.isoformat(), stdout=out)
    return json.loads(out.getvalue())


def said(now=NOW) -> str:
    out = io.StringIO()
    call_command("up", "--once", "--now", now.isoformat(), stdout=out)
    return out.getvalue()


def letters(settings) -> list[Path]:
    return sorted(Path(settings.OUTBOX_DIR).glob("*.eml"))


def test_a_first_run_pulls_releases_and_writes_letters(settings):
    answer = up()
    assert answer["status"] == "released"
    assert answer["papers"] >= 45
    accepted = Delivery.objects.filter(state="accepted")
    assert len(letters(settings)) == accepted.count() >= 3
    for row in answer["readers"]:
        assert ".eml" in row["letter"] or row["papers"] == 0


def test_every_letter_parses_and_has_both_parts_or_text_only(settings):
    up()
    for path in letters(settings):
        message = BytesParser(policy=policy.default).parsebytes(path.read_bytes())
        assert not message.defects
        assert message.get_body(("plain",)) is not None
        assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_a_second_run_the_same_day_sends_nobody_anything_twice(settings):
    up()
    before = [path.stat().st_mtime_ns for path in letters(settings)]
    words = said(NOW + timedelta(minutes=10))
    assert "Nothing is sent twice" in words
    assert [path.stat().st_mtime_ns for path in letters(settings)] == before


def test_it_says_where_the_papers_came_from_and_where_to_look(settings):
    words = said()
    assert "bundled sample feeds" in words
    assert "*.eml" in words
    assert "tomography@demo.example.org" in words


def test_demonstration_readers_never_exist_where_real_mail_could_leave(settings):
    settings.MAIL_CHANNEL = "smtp"
    assert up()["readers"] == []


def test_a_first_run_leaves_tomorrows_edition_open_to_try_the_desk_on(settings):
    words = said()
    practice = Edition.objects.get(date=TODAY + timedelta(days=1))
    assert (practice.state, practice.entries.count()) == ("collecting", 12)
    assert "12 papers are kept for tomorrow's edition" in words
    assert not set(practice.entries.values_list("paper")) & set(
        Edition.objects.get(date=TODAY).entries.values_list("paper")
    )


def test_a_second_run_keeps_nothing_back_and_leaves_the_curators_work_alone(settings):
    up()
    practice = Edition.objects.get(date=TODAY + timedelta(days=1))
    practice.entries.filter(pk=practice.entries.first().pk).update(is_pinned=True)
    up(NOW + timedelta(minutes=10))
    assert Edition.objects.count() == 2
    assert practice.entries.filter(is_pinned=True).count() == 1
    assert practice.entries.count() == 12


def test_the_practice_edition_goes_out_the_next_day_to_whoever_is_due(settings):
    up()
    pinned = Edition.objects.get(date=TODAY + timedelta(days=1)).entries.first()
    pinned.is_pinned = True
    pinned.save()
    answer = up(NOW + timedelta(days=1))
    assert (answer["edition"], answer["status"], answer["papers"]) == (f"{TODAY + timedelta(days=1)}", "released", 12)
    first = {
        row.subscriber_id: {one["paper"] for one in row.papers} for row in Delivery.objects.filter(edition__date=TODAY)
    }
    again = Delivery.objects.filter(edition__date=TODAY + timedelta(days=1), state="accepted")
    assert again
    for row in again:
        assert row.papers[0]["paper"] == pinned.paper_id
        assert not {one["paper"] for one in row.papers} & first[row.subscriber_id]


@pytest.mark.parametrize("channel", ["smtp", "anymail"])
def test_nothing_is_kept_back_where_real_mail_could_leave(channel, settings):
    settings.MAIL_CHANNEL = channel
    up()
    assert Edition.objects.count() == 1
