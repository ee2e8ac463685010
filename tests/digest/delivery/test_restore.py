"""A ledger that may have forgotten letters is held on every path; one that only moved in or was switched off is not."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from digest import delivery
from digest.delivery import plan, stops
from digest.delivery.accounts import restore_guard, sent_marks
from digest.delivery.channels import holds, traits
from digest.desk.pages import dashboard
from digest.models import Attempt, Channel, DatabaseMetadata, Delivery, Edition
from digest.operate import doctor, full_run
from subscriptions.mail import notices
from subscriptions.models import Notice, Subscriber
from tests import make
from tests.digest.delivery.conftest import Provider
from tests.digest.delivery.test_safety import run
from tests.make import NOW

pytestmark = pytest.mark.django_db
TOMORROW = NOW + timedelta(days=1)


@pytest.fixture
def reader(edition: Edition, channel: Callable[[str], None]) -> Subscriber:
    return make.subscriber("ada@example.org", queries=["speech"])


def send(now: Any = NOW) -> None:
    plan.plan(now)
    delivery.deliver(now)


def new_edition(now: Any) -> None:
    make.edition(now.date(), papers=[make.paper("Speech again")])


def put_back(reader: Subscriber) -> None:
    """The database as it was before the letter: the reader is due, and no attempt is known."""
    Delivery.objects.all().delete()
    Attempt.objects.all().delete()
    Subscriber.objects.filter(pk=reader.pk).update(cursor=0, next_digest_at=NOW)


def on_another_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the old one is here, but what a test puts back."""
    monkeypatch.setattr(restore_guard, "home", lambda: "sqlite:another")
    sent_marks.in_var().unlink(missing_ok=True)
    sent_marks.in_state().unlink(missing_ok=True)


def held() -> str:
    row = Channel.objects.filter(name=traits.current(), held_by=holds.RESTORE).first()
    return row.held_reason if row else ""


# -- on the same machine ------------------------------------------------------------------------


@pytest.mark.parametrize("lost", [None, sent_marks.in_var, sent_marks.in_state])
def test_an_older_database_is_held_by_either_file(lost: Any, reader: Subscriber, provider: Provider) -> None:
    send()
    put_back(reader)
    if lost:
        lost().unlink()
    send()
    assert len(provider.taken) == 1
    assert held().startswith(restore_guard.BEHIND)


def test_an_older_database_with_its_whole_var_is_held(reader: Subscriber, provider: Provider) -> None:
    restore_guard.settle_here()
    before = sent_marks.in_var().read_bytes()
    send()
    put_back(reader)
    sent_marks.in_var().write_bytes(before)
    send()
    assert len(provider.taken) == 1
    assert held().startswith(restore_guard.BEHIND)


def test_a_copy_made_while_letters_were_claimed_is_known_by_the_first_that_left(
    reader: Subscriber, provider: Provider
) -> None:
    """The copy has the attempt, but not its intent: the file was written between intent and first byte."""
    send()
    Attempt.objects.update(intent_at=None, state="open")
    assert restore_guard.judge(NOW) == restore_guard.BEHIND


def test_after_an_outage_of_a_day_nobody_is_held(reader: Subscriber, provider: Provider) -> None:
    send()
    new_edition(TOMORROW)
    send(TOMORROW + timedelta(hours=10))
    assert len(provider.taken) == 2


def test_a_file_that_cannot_be_read_is_no_evidence(reader: Subscriber, provider: Provider) -> None:
    send()
    for path in (sent_marks.in_var(), sent_marks.in_state()):
        path.write_text("{")
    new_edition(TOMORROW)
    send(TOMORROW)
    assert len(provider.taken) == 2


# -- on another machine -------------------------------------------------------------------------


def test_a_restored_ledger_is_held_on_a_new_machine(
    reader: Subscriber, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    send()
    put_back(reader)
    on_another_machine(monkeypatch)
    send()
    assert len(provider.taken) == 1
    assert held().startswith(restore_guard.ELSEWHERE)
    reader.refresh_from_db()
    assert reader.next_digest_at == NOW  # nothing is planned meanwhile


def test_a_restored_ledger_is_held_on_a_new_machine_with_its_var(
    reader: Subscriber, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    restore_guard.settle_here()
    before = sent_marks.in_var().read_bytes()
    send()
    put_back(reader)
    on_another_machine(monkeypatch)
    sent_marks.in_var().write_bytes(before)
    send()
    assert len(provider.taken) == 1
    assert held().startswith(restore_guard.ELSEWHERE)


def test_a_letter_on_its_way_is_as_good_as_a_reader_who_is_due(
    reader: Subscriber, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan.plan(NOW)
    on_another_machine(monkeypatch)
    delivery.deliver(NOW)
    assert not provider.taken
    assert held()


def test_a_move_at_a_quiet_hour_is_noticed_by_nobody(
    reader: Subscriber, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    send()
    on_another_machine(monkeypatch)
    send(NOW + timedelta(hours=3))
    new_edition(TOMORROW)
    send(TOMORROW)
    assert len(provider.taken) == 2


def test_a_second_worker_of_the_same_database_needs_no_files(reader: Subscriber, provider: Provider) -> None:
    send()
    sent_marks.in_var().unlink()
    sent_marks.in_state().unlink()
    new_edition(TOMORROW)
    send(TOMORROW)
    assert len(provider.taken) == 2


@pytest.mark.parametrize(("keeps_state", "letters"), [(True, 2), (False, 1)])
def test_where_no_machine_can_be_told_the_second_file_tells_it(
    keeps_state: bool, letters: int, reader: Subscriber, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restore_guard, "home", str)
    send()
    if not keeps_state:
        sent_marks.in_state().unlink()
    new_edition(TOMORROW)
    send(TOMORROW)
    assert len(provider.taken) == letters


def test_no_old_confirmation_goes_before_the_ledger_was_looked_at(
    reader: Subscriber, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    restore_guard.settle_here()
    on_another_machine(monkeypatch)
    notices.queue(Notice.Kind.CONFIRM, make.subscriber(state="pending", next_digest_at=None), NOW, "c")
    notices.send_waiting(NOW)
    assert not provider.taken


# -- moving in ----------------------------------------------------------------------------------


def test_a_new_database_beside_a_trial_sends_and_says_so(reader: Subscriber, provider: Provider) -> None:
    sent_marks.note("the trial's", 7)
    assert restore_guard.welcome() == restore_guard.NEW_HERE
    send()
    assert len(provider.taken) == 1
    assert restore_guard.welcome() == ""


def test_going_back_to_the_trial_is_no_restore(reader: Subscriber, provider: Provider) -> None:
    send()
    sent_marks.note("another's", 900)
    new_edition(TOMORROW)
    send(TOMORROW)
    assert len(provider.taken) == 2


def test_up_tells_of_the_move_in(db: None) -> None:
    sent_marks.note("the trial's", 7)
    full_run.prepare(NOW)
    notes = full_run.run(NOW, lambda line: None).notes
    assert restore_guard.NEW_HERE in notes


def test_a_ledger_of_the_first_version_goes_on(reader: Subscriber, provider: Provider) -> None:
    DatabaseMetadata.objects.create(name=restore_guard.EPOCH, value="old")
    sent_marks.in_var().write_text(json.dumps({"epoch": "old", "attempt": 0}))
    send()
    assert len(provider.taken) == 1
    assert (
        sent_marks.read(sent_marks.in_var())
        == sent_marks.read(sent_marks.in_state())
        == {"old": Attempt.objects.get().pk}
    )


def test_a_file_forgets_the_oldest_ledgers_first(db: None) -> None:
    for number in range(sent_marks.MOST_KEPT + 5):
        sent_marks.note(f"trial {number}", 1)
    known = sent_marks.read(sent_marks.in_state())
    assert len(known) == sent_marks.MOST_KEPT
    assert f"trial {sent_marks.MOST_KEPT + 4}" in known
    sent_marks.note("trial 20", 0)
    assert sent_marks.read(sent_marks.in_state())["trial 20"] == 1


# -- the way out --------------------------------------------------------------------------------


@pytest.fixture
def moved(reader: Subscriber, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> Subscriber:
    """Due, and on another machine than before."""
    restore_guard.settle_here()
    on_another_machine(monkeypatch)
    send()
    assert held()
    return reader


def test_a_plain_resume_names_both_ways(moved: Subscriber, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run("resume")
    assert held()


def test_after_moved_the_letters_go(moved: Subscriber, provider: Provider) -> None:
    run("resume", "--moved", "--now", NOW.isoformat())
    send()
    assert len(provider.taken) == 1


def test_after_restored_everybody_counts_as_served(moved: Subscriber, provider: Provider) -> None:
    assert run("resume", "--restored", "--now", NOW.isoformat())["readers"] == 1
    send()
    assert not provider.taken
    new_edition(TOMORROW)
    send(TOMORROW)
    assert len(provider.taken) == 1


def test_who_had_paused_counts_as_served_too(moved: Subscriber) -> None:
    Subscriber.objects.update(state="paused")
    restore_guard.reconcile(NOW)
    moved.refresh_from_db()
    assert (moved.cursor, moved.state) == (1, "paused")


def test_moved_is_refused_where_a_file_knows_better(reader: Subscriber, provider: Provider) -> None:
    send()
    put_back(reader)
    send()
    with pytest.raises(SystemExit):
        run("resume", "--moved", "--now", NOW.isoformat())
    assert held()


def test_every_page_and_command_names_the_hold_and_its_end(moved: Subscriber, client: Client) -> None:
    [stop] = stops.now_standing(NOW)
    assert "resume --restored" in stop.way_out
    assert "resume --moved" in stop.way_out
    assert stop.way_out in [one.fix for one in doctor.jobs.sending(NOW)]
    assert any(stop.way_out in one.says for one in dashboard.alerts(None, NOW))
    assert client.get("/readyz").json()["holds"] == [{"channel": "postmark", "by": "restore", "way_out": stop.way_out}]
    assert full_run.run(NOW, lambda line: None).held == [stop]


@pytest.mark.parametrize(
    ("by", "reason", "probe", "says"),
    [
        ("operator", "a holiday", None, "manage.py resume"),
        ("breaker", "12 letters bounced", None, "Find out why"),
        ("breaker", "10 letters in a row", NOW, "06:00 UTC"),
        (
            "breaker",
            "Reports would end the letters of too many readers at once. Say whether",
            None,
            "resume --apply-reports",
        ),
        ("restore", restore_guard.BEHIND, None, "resume --restored"),
    ],
)
def test_every_hold_has_a_way_out(by: str, reason: str, probe: Any, says: str) -> None:
    full = stops.circuit_breaker.SURGE if reason.startswith("Reports") else reason
    assert says in stops.way_out(Channel(name="smtp", held_by=by, held_reason=full, probe_at=probe))


def test_before_the_first_turn_the_doctor_knows_already(
    reader: Subscriber, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    restore_guard.settle_here()
    on_another_machine(monkeypatch)
    [finding] = doctor.jobs.sending(NOW)
    assert restore_guard.ELSEWHERE in finding.detail


def test_the_doctor_tells_where_the_second_file_cannot_be_written(settings: Any, db: None) -> None:
    assert doctor.jobs.marked().state == "warn"  # the tests keep it within VAR_DIR
    settings.STATE_DIR = settings.VAR_DIR.with_name("elsewhere")
    assert doctor.jobs.marked().state == "ok"
