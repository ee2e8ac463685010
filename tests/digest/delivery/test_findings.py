"""Faults that were found by looking for them: each stays here so that it cannot come back."""

from __future__ import annotations

import smtplib
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from digest import delivery
from digest.delivery import carry_over, claim, plan, resolve, send, settle
from digest.delivery import run as run_module
from digest.delivery.accounts import audit, restore_guard, sent_marks
from digest.delivery.channels import circuit_breaker, evidence, holds, provider_api, throttle
from digest.delivery.reports import events
from digest.models import Attempt, Channel, DatabaseMetadata, Delivery, Edition, FrozenCopy
from subscriptions import services
from subscriptions.clock import database_now, monotonic
from subscriptions.limits import limiter
from subscriptions.mail import notices, outcomes, outgoing
from subscriptions.mail.outcomes import Outcome
from subscriptions.mail.outgoing import Letter, Receipt
from subscriptions.models import Notice, Subscriber, Suppression
from tests import make
from tests.digest.delivery.conftest import Provider
from tests.make import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def readers(edition: Edition, channel: Callable[[str], None]) -> list[Subscriber]:
    return [make.subscriber(f"r{n}@example.org", queries=["speech"]) for n in range(30)]


def states() -> dict[str, int]:
    rows = Delivery.objects.values_list("state", flat=True)
    return {one: list(rows).count(one) for one in set(rows)}


def run(now: Any = NOW) -> None:
    plan.plan(now)
    delivery.deliver(now)


def refused(text: str, code: int = 550) -> Receipt:
    return outcomes.of_error(smtplib.SMTPRecipientsRefused({"ada@example.org": (code, text.encode())}))


# -- what a refusal at RCPT means ---------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "relay not permitted",
        "Blocked - see https://spamhaus.example",
        "authentication required",
        "5.7.1 Relay access denied",
        "5.7.26 unauthenticated mail is prohibited",
    ],
)
def test_a_relay_that_does_not_like_us_suppresses_nobody(text: str) -> None:
    receipt = refused(text)
    assert receipt.outcome is Outcome.UNWELCOME
    assert not receipt.no_such_address


@pytest.mark.parametrize("text", ["5.1.1 <ada@example.org> User unknown", "no such user here", "Mailbox not found"])
def test_an_address_that_is_gone_is_said_to_be(text: str) -> None:
    receipt = refused(text)
    assert (receipt.outcome, receipt.no_such_address) == (Outcome.REFUSED, True)


def test_a_bare_550_refuses_one_and_suppresses_nobody() -> None:
    receipt = refused("no")
    assert (receipt.outcome, receipt.no_such_address) == (Outcome.REFUSED, False)


def test_what_a_server_says_is_kept_without_the_address() -> None:
    assert "ada@" not in refused("5.1.1 <ada@example.org>: User unknown").detail


@pytest.mark.thorough
def test_a_relay_that_refuses_everybody_is_held_and_nobody_is_lost(
    readers: list[Subscriber], provider: Provider
) -> None:
    provider.always(Outcome.UNWELCOME, status=550, detail="relay not permitted")
    for minutes in range(0, 60, 5):
        run(NOW + timedelta(minutes=minutes))
    assert states() == {"pending": 30}
    assert not Suppression.objects.exists()
    assert "did not go" in holds.channel("postmark").held_reason
    provider.answer = provider.accept
    for hours in (1, 2, 3):
        run(NOW + timedelta(hours=hours))
    assert states() == {"accepted": 30}


# -- servers that are away ----------------------------------------------------------------------


@pytest.mark.thorough
def test_a_server_that_is_away_for_an_hour_costs_an_hour(readers: list[Subscriber], provider: Provider) -> None:
    provider.always(Outcome.LATER, detail="connection refused")
    for minutes in range(60):
        run(NOW + timedelta(minutes=minutes))
    assert states() == {"pending": 30}
    provider.answer = provider.accept
    for minutes in range(60, 75, 5):
        run(NOW + timedelta(minutes=minutes))
    assert states() == {"accepted": 30}


@pytest.mark.thorough
def test_an_account_without_credits_kills_no_letter(readers: list[Subscriber], provider: Provider) -> None:
    provider.always(Outcome.POISON, status=422, detail="out of credits")
    for minutes in range(0, 120, 5):
        run(NOW + timedelta(minutes=minutes))
    assert states() == {"pending": 30}


@pytest.mark.thorough
def test_a_broken_template_kills_no_letter(
    readers: list[Subscriber], provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(rows: Any, now: Any) -> Any:
        raise KeyError("no such variable")

    with monkeypatch.context() as patch:
        patch.setattr(send, "render_all", breaks)
        for minutes in range(0, 60, 5):
            run(NOW + timedelta(minutes=minutes))
    assert states() == {"pending": 30}
    for hours in (2, 3, 4):
        run(NOW + timedelta(hours=hours))
    assert states() == {"accepted": 30}


def test_the_postbox_forgets_what_the_last_letter_met(channel: Any) -> None:
    """After a letter whose text was offered, a refused connection is a definite no for the next one."""

    class Stale:
        body_offered = True

        def open(self) -> None:
            raise ConnectionRefusedError

        def close(self) -> None:
            pass

    letter = Letter(to="ada@example.org", subject="s", text="t")
    [receipt] = outgoing.send_each([letter], Stale())
    assert receipt.outcome is Outcome.LATER


# -- pace ---------------------------------------------------------------------------------------


def test_a_run_waits_for_the_channels_pace_instead_of_ending(
    readers: list[Subscriber], provider: Provider, settings: Any
) -> None:
    settings.MAIL_RATE = 40
    run()
    assert states() == {"accepted": 30}


def test_a_run_with_a_budget_ends_in_time(readers: list[Subscriber], provider: Provider, settings: Any) -> None:
    settings.MAIL_RATE = 2
    plan.plan(NOW)
    began = monotonic()
    delivery.deliver(NOW, timedelta(seconds=1))
    assert monotonic() - began < 10
    assert states()["pending"] > 0


@pytest.mark.thorough
def test_a_chunk_of_readers_who_left_does_not_end_the_run(
    readers: list[Subscriber], provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    from digest.delivery import run as rounds

    monkeypatch.setattr(rounds, "CHUNK", 5)
    plan.plan(NOW)
    for one in readers[:12]:
        services.unsubscribe(one, NOW)
    delivery.deliver(NOW)
    assert states() == {"skipped": 12, "accepted": 18}


@pytest.mark.thorough
def test_a_paused_domain_does_not_starve_the_others(
    readers: list[Subscriber], provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    from digest.delivery import run as rounds

    monkeypatch.setattr(rounds, "CHUNK", 5)
    other = make.subscriber("zoe@elsewhere.example", queries=["speech"])
    limiter.hold("destination", "example.org", NOW + timedelta(minutes=10))
    run()
    assert [one.to for one in provider.taken] == [other.email]


# -- repeating under a key ----------------------------------------------------------------------


@pytest.fixture
def doubt(readers: list[Subscriber], provider: Provider, channel: Callable[[str], None], settings: Any) -> Any:
    """Thirty letters on an idempotent channel whose answers were lost."""
    channel("resend")
    settings.MAIL_RATE = 10_000
    plan.plan(NOW)
    provider.always(Outcome.UNCLEAR)
    claims = claim.claim(NOW, "resend", 30)
    send.send(claims, NOW, None)
    provider.answer = provider.accept
    holds.resume("resend", NOW)
    return claims


def shift(monkeypatch: pytest.MonkeyPatch, by: timedelta) -> None:
    for module in (claim, settle, resolve, evidence, throttle):
        monkeypatch.setattr(module, "database_now", lambda: database_now() + by)


def test_nothing_is_repeated_under_a_key_about_to_be_forgotten(
    doubt: Any, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    life = resolve.channel_traits.traits("resend").key_life
    shift(monkeypatch, life - timedelta(seconds=20))
    resolve.repeat(NOW, "resend", None)
    assert not provider.taken


@pytest.mark.thorough
def test_who_has_left_is_not_offered_the_letter_again(
    doubt: Any, provider: Provider, readers: list[Subscriber], monkeypatch: pytest.MonkeyPatch
) -> None:
    services.unsubscribe(readers[0], NOW)
    shift(monkeypatch, timedelta(minutes=5))
    resolve.repeat(NOW, "resend", None)
    assert readers[0].email not in {one.to for one in provider.taken}
    assert len(provider.taken) == 29
    assert Delivery.objects.get(subscriber=readers[0]).state == "uncertain"
    assert not FrozenCopy.objects.exists()


def test_repeating_stops_at_the_first_answer_that_is_not_clear(
    doubt: Any, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def counts(letter: Letter) -> Receipt:
        asked.append(letter.to)
        return Receipt(Outcome.UNCLEAR)

    provider.answer = counts
    shift(monkeypatch, timedelta(minutes=5))
    resolve.repeat(NOW, "resend", None)
    assert len(asked) == 30  # one attempt's letters, and no further attempt


@pytest.mark.thorough
def test_late_proof_of_every_letter_closes_an_attempt_with_nothing_left_sealed(
    doubt: Any, readers: list[Subscriber]
) -> None:
    for letter in Delivery.objects.filter(state="ambiguous"):
        settle.mark_proven_sent(letter, NOW)
    evidence.release(NOW)
    assert not FrozenCopy.objects.exists()
    assert audit.audit().good


def test_late_proof_of_one_letter_leaves_nothing_sealed_when_the_others_are_repeated(
    doubt: Any, provider: Provider, readers: list[Subscriber], monkeypatch: pytest.MonkeyPatch
) -> None:
    settle.mark_proven_sent(Delivery.objects.filter(state="ambiguous")[0], NOW)
    shift(monkeypatch, timedelta(minutes=5))
    resolve.repeat(NOW, "resend", None)
    assert len(provider.taken) == 29
    assert not FrozenCopy.objects.exists()


def test_a_restored_ledger_keeps_nothing_sealed(doubt: Any) -> None:
    restore_guard.reconcile(NOW)
    assert not FrozenCopy.objects.exists()


def test_an_erased_readers_sealed_letter_is_forgotten(doubt: Any, readers: list[Subscriber]) -> None:
    services.forget(readers[0], NOW)
    assert FrozenCopy.objects.count() == 29


# -- readers who pause, and what was carried ----------------------------------------------------


def test_an_edition_skipped_by_a_pause_comes_after_it(provider: Provider, channel: Any, edition: Edition) -> None:
    reader = make.subscriber("ada@example.org", queries=["speech"])
    plan.plan(NOW)
    services.pause(reader, NOW, catch_up=True)
    delivery.deliver(NOW)
    assert states() == {"skipped": 1}
    services.resume(reader, NOW + timedelta(hours=5))
    tomorrow = NOW + timedelta(days=1)
    make.edition(tomorrow.date(), papers=[make.paper("Speech of tomorrow")])
    run(tomorrow)
    assert len(Delivery.objects.get(state="accepted").papers) == 2


def test_who_wants_no_catching_up_is_not_carried_to(provider: Provider, channel: Any, edition: Edition) -> None:
    reader = make.subscriber("ada@example.org", queries=["speech"])
    plan.plan(NOW)
    services.pause(reader, NOW, catch_up=False)
    delivery.deliver(NOW)
    assert not carry_over.waiting_for([reader.pk])


def test_late_proof_takes_carried_papers_back(provider: Provider, channel: Any, edition: Edition) -> None:
    make.subscriber("ada@example.org", queries=["speech"])
    plan.plan(NOW)
    Delivery.objects.update(state="uncertain", settled_at=NOW)
    tomorrow = NOW + timedelta(days=1)
    make.edition(tomorrow.date(), papers=[make.paper("Speech of tomorrow")])
    plan.plan(tomorrow)
    first, second = Delivery.objects.order_by("pk")
    assert len(second.papers) == 2
    settle.mark_proven_sent(first, tomorrow)
    second.refresh_from_db()
    assert len(second.papers) == 1


def two_days(provider: Provider, state: str = "uncertain") -> tuple[Delivery, Delivery, Any]:
    """A letter in doubt, and the next day's letter that brings its paper beside a new one."""
    make.subscriber("ada@example.org", queries=["speech"])
    plan.plan(NOW)
    Delivery.objects.update(state=state, settled_at=NOW)
    tomorrow = NOW + timedelta(days=1)
    make.edition(tomorrow.date(), papers=[make.paper("Speech of tomorrow")])
    plan.plan(tomorrow)
    first, second = Delivery.objects.order_by("pk")
    return first, second, tomorrow


def test_late_proof_takes_carried_papers_out_of_a_claimed_letter(
    provider: Provider, channel: Any, edition: Edition
) -> None:
    first, second, tomorrow = two_days(provider)
    claims = claim.claim(tomorrow, "postmark", 5)
    settle.mark_proven_sent(first, tomorrow)
    send.send(claims, tomorrow, None)
    assert not provider.taken
    delivery.deliver(tomorrow)
    second.refresh_from_db()
    assert (second.state, len(second.papers), len(provider.taken)) == ("accepted", 1, 1)
    assert [one.name for one in audit.audit().broken] == ["I5"]  # the first was never begun here


def test_a_letter_that_has_begun_to_leave_is_left_alone_by_late_proof(
    provider: Provider, channel: Any, edition: Edition
) -> None:
    first, second, tomorrow = two_days(provider)

    def proof_comes(letter: Letter) -> Receipt:
        settle.mark_proven_sent(first, tomorrow)
        return provider.accept(letter)

    provider.answer = proof_comes
    delivery.deliver(tomorrow)
    second.refresh_from_db()
    assert (second.state, len(second.papers), len(provider.taken)) == ("accepted", 2, 1)


def test_late_proof_of_all_it_brings_leaves_no_empty_letter(provider: Provider, channel: Any, edition: Edition) -> None:
    first, second, tomorrow = two_days(provider)
    carried = [one for one in second.papers if "carried" in one]
    Delivery.objects.filter(pk=second.pk).update(papers=carried)
    settle.mark_proven_sent(first, tomorrow)
    second.refresh_from_db()
    assert (second.state, second.reason) == ("skipped", "no_match")


@pytest.mark.parametrize("state", ["uncertain", "expired", "dead"])
def test_proof_that_comes_while_the_next_letter_is_put_together_is_heeded(
    state: str, provider: Provider, channel: Any, edition: Edition, monkeypatch: pytest.MonkeyPatch
) -> None:
    make.subscriber("ada@example.org", queries=["speech"])
    plan.plan(NOW)
    Delivery.objects.update(state=state, settled_at=NOW)
    tomorrow = NOW + timedelta(days=1)
    make.edition(tomorrow.date(), papers=[make.paper("Speech of tomorrow")])
    rows = plan._rows

    def proof_comes(*arguments: Any) -> Any:
        found = rows(*arguments)
        settle.mark_proven_sent(Delivery.objects.get(), tomorrow)
        return found

    monkeypatch.setattr(plan, "_rows", proof_comes)
    plan.plan(tomorrow)
    assert len(Delivery.objects.order_by("pk")[1].papers) == 1


# -- evidence -----------------------------------------------------------------------------------


def test_proof_between_claim_and_intent_stops_the_second_copy(readers: list[Subscriber], provider: Provider) -> None:
    plan.plan(NOW)
    claims = claim.claim(NOW, "postmark", 30)
    row = claims[0].deliveries[0]
    settle.mark_proven_sent(row, NOW)
    send.send(claims, NOW, None)
    assert row.subscriber.email not in {one.to for one in provider.taken}
    assert len(provider.taken) == 29


def test_an_empty_record_proves_nothing_unless_it_shows_a_letter_that_went(
    readers: list[Subscriber], monkeypatch: pytest.MonkeyPatch
) -> None:
    doubtful = Attempt.objects.create(channel="postmark", lease_until=NOW, worker="w", started_at=NOW)
    monkeypatch.setitem(provider_api.PULLS, "postmark", lambda attempt: set())
    with pytest.raises(provider_api.PullError):
        provider_api.accepted(doubtful)
    other = Attempt.objects.create(
        channel="postmark", lease_until=NOW, worker="w", started_at=NOW, state="closed", outcome="accepted"
    )
    monkeypatch.setitem(provider_api.PULLS, "postmark", lambda one: {"x"} if one.pk == other.pk else set())
    assert provider_api.accepted(doubtful) == set()


def test_an_old_report_does_not_unsubscribe_who_came_back(provider: Provider, channel: Any, edition: Edition) -> None:
    reader = make.subscriber("ada@example.org", queries=["speech"])
    run()
    services.unsubscribe(reader, NOW + timedelta(hours=1))
    services.come_back(reader, NOW + timedelta(hours=2))
    row = Delivery.objects.get()
    said = SimpleNamespace(
        event_type="unsubscribed", event_id="1", message_id="", metadata={"delivery": str(row.uuid)}, recipient=None,
        timestamp=NOW + timedelta(minutes=30), reject_reason=None, description="", mta_response="", esp_event={},
    )  # fmt: skip
    stored = events.remember("postmark", said, NOW + timedelta(hours=3))
    assert stored is not None
    events.apply(stored, NOW + timedelta(hours=3))
    reader.refresh_from_db()
    assert reader.state == "active"


# -- the restore fence --------------------------------------------------------------------------


def test_another_workers_newer_letters_do_not_trip_the_fence(
    db: None, channel: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    restore_guard.settle_here()
    name = DatabaseMetadata.objects.get(name=restore_guard.EPOCH).value
    begun = restore_guard._begun

    def another_worker_goes_on() -> int:
        seen = begun()
        sent_marks.note(name, seen + 1)  # its attempt was committed, then noted, after we looked
        return seen

    monkeypatch.setattr(restore_guard, "_begun", another_worker_goes_on)
    assert restore_guard.judge(NOW) == ""


def test_a_restored_ledger_under_a_breakers_hold_is_held_all_the_same(db: None, channel: Any) -> None:
    holds.hold("postmark", holds.BREAKER, "requests failed", NOW, holds.PROBE_AFTER)
    restore_guard.settle_here()
    sent_marks.note(DatabaseMetadata.objects.get(name=restore_guard.EPOCH).value, 5)
    assert restore_guard.check("postmark", NOW)
    assert Channel.objects.get(name="postmark").held_by == holds.RESTORE


def test_a_restored_ledger_mails_no_old_confirmation(db: None, channel: Any, provider: Provider) -> None:
    notices.queue(Notice.Kind.CONFIRM, make.subscriber(state="pending"), NOW, "c")
    holds.hold("postmark", holds.RESTORE, "put back", NOW)
    notices.send_waiting(NOW)
    assert not provider.taken


# -- one-off mail -------------------------------------------------------------------------------


def test_a_notice_that_cannot_be_written_is_no_doubt(
    db: None, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        notices.queue(Notice.Kind.CONFIRM, make.subscriber(state="pending"), NOW, f"c{number}")
    write = notices._letter

    def breaks_once(notice: Notice, now: Any) -> Letter:
        if notice.dedupe_key == "c0":
            raise KeyError("no such variable")
        return write(notice, now)

    monkeypatch.setattr(notices, "_letter", breaks_once)
    notices.send_waiting(NOW)
    assert len(provider.taken) == 2
    assert Notice.objects.get(dedupe_key="c0").repeats == 0


def test_a_dead_sender_leaves_one_notice_in_doubt_at_most(db: None) -> None:
    for number in range(3):
        notices.queue(Notice.Kind.CONFIRM, make.subscriber(state="pending"), NOW, f"c{number}")
    assert len(notices._claim(NOW)) == 1


# -- clocks, audit ------------------------------------------------------------------------------


def test_a_lease_from_before_the_clock_was_set_back_is_over(readers: list[Subscriber], provider: Provider) -> None:
    plan.plan(NOW)
    claim.claim(NOW, "postmark", 30)
    Attempt.objects.update(lease_until=database_now() + timedelta(days=1))
    resolve.recover(NOW)
    assert states() == {"pending": 30}


@pytest.mark.thorough
def test_audit_finds_a_reader_who_was_passed_over(readers: list[Subscriber], provider: Provider) -> None:
    run()
    assert audit.audit().good
    Subscriber.objects.filter(pk=readers[0].pk).update(next_digest_at=None)
    assert [one.name for one in audit.audit().broken] == ["I2"]


def test_audit_lets_a_moved_cursor_be(readers: list[Subscriber], provider: Provider) -> None:
    run()
    Subscriber.objects.filter(pk=readers[0].pk).update(cursor=7)
    assert audit.audit().good


def _a_doubt_and_the_next_letter(apart: timedelta) -> None:
    """A letter named uncertain at NOW, and the reader's next one planned so much later without its papers."""
    make.subscriber("ada@example.org", queries=["speech"])
    plan.plan(NOW)
    make.edition((NOW + timedelta(days=1)).date(), papers=[make.paper("Speech of tomorrow")])
    plan.plan(NOW + timedelta(days=1))
    first, second = Delivery.objects.order_by("pk")
    Delivery.objects.filter(pk=first.pk).update(state="uncertain", settled_at=second.planned_at - apart)


def test_audit_finds_a_doubt_that_nothing_carried(provider: Provider, channel: Any, edition: Edition) -> None:
    _a_doubt_and_the_next_letter(claim.LEASE * 2)
    assert "I12" in [one.name for one in audit.audit().broken]


def test_a_letter_put_together_while_a_doubt_was_written_down_need_not_know_of_it(
    provider: Provider, channel: Any, edition: Edition
) -> None:
    _a_doubt_and_the_next_letter(claim.LEASE / 2)
    assert "I12" not in [one.name for one in audit.audit().broken]


@pytest.mark.thorough
def test_a_letter_of_a_long_round_has_the_time_it_went(
    readers: list[Subscriber], provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan.plan(NOW)
    monkeypatch.setattr(run_module, "CHUNK", 10)
    hours = iter([0.0, *(3600.0 * n for n in range(100))])
    monkeypatch.setattr(run_module, "monotonic", lambda: next(hours))
    delivery.deliver(NOW)
    times = sorted(set(Delivery.objects.values_list("settled_at", flat=True)))
    assert times == [NOW, NOW + timedelta(hours=1)]  # the pace lets a chunk of 20 go, then 10


def test_rejected_letters_count_as_bounces_for_the_breaker(readers: list[Subscriber], provider: Provider) -> None:
    provider.always(Outcome.REFUSED, status=550, detail="no")
    run()
    assert circuit_breaker.count("postmark", NOW).bounced >= circuit_breaker.STREAK
    assert holds.channel("postmark").held_by == holds.BREAKER
