"""One answer to "why did I get nothing", for the command, the desk and the reader's own page."""

from __future__ import annotations

import pytest

from digest.delivery import reasons
from digest.delivery.accounts import why
from digest.desk.acts import reader_acts
from digest.models import Delivery, Skip
from subscriptions import questions, troubleshooting
from subscriptions.models import Subscriber
from tests import make
from tests.digest.delivery.test_safety import run
from tests.make import NOW, TODAY

pytestmark = pytest.mark.django_db


def letter(state: str, reason: str = "", **fields: object) -> Subscriber:
    reader = make.subscriber("ada@example.org", queries=["speech"], next_digest_at=NOW.replace(hour=23))
    moments = {"due_at": NOW, "next_at": NOW, "planned_at": NOW, "settled_at": NOW, "local_date": TODAY}
    Delivery.objects.create(
        edition=make.edition(), subscriber=reader, state=state, reason=reason, address_hmac="x",
        papers=[{"paper": make.paper().pk, "reasons": []}], **moments | fields,
    )  # fmt: skip
    return reader


ENDS = [
    ("dead", "message_rejected", "could not take this very letter"),
    ("dead", "poison", "could not take this very letter"),  # the word of older rows
    ("rejected", "policy_rejected", "as a matter of policy"),
    ("rejected", "unwelcome", "as a matter of policy"),  # the word of older rows
    ("expired", "too_late", "could not be sent in time"),
    ("rejected", "refused", "refused the letter for this address"),
    ("uncertain", "unclear", "may have been sent"),
    ("uncertain", "restored", "restored from a copy"),
    ("ambiguous", "worker lost", "nothing has told yet"),
    ("skipped", "suppressed", "Nobody may write to this address"),
    ("skipped", "demonstration", "reader of the demonstration"),
]


@pytest.mark.parametrize(("state", "reason", "says"), ENDS)
def test_command_desk_and_reader_are_told_the_same(state: str, reason: str, says: str) -> None:
    reader = letter(state, reason)
    told = run("why", "ada@example.org", "--date", str(TODAY))["sentence"]
    assert says in told
    assert reader_acts.why_nothing_today(reader, NOW) == told
    [got] = reader_acts.letters(reader)
    assert got.why == told
    [line] = questions.digest.history(reader, NOW)
    assert line.words == reasons.to_reader(told)
    today = questions.digest.today(reader, NOW)
    assert today is not None
    assert today.words == line.words


@pytest.mark.parametrize(("state", "reason", "says"), [one for one in ENDS if one[0] not in {"skipped"}])
def test_the_readers_page_does_not_send_them_to_the_spam_folder_for_a_letter_that_failed(
    state: str, reason: str, says: str
) -> None:
    reader = letter(state, reason)
    found = troubleshooting.reasons(reader, questions.digest.history(reader, NOW), NOW)
    assert any(says in one for one in found)
    assert troubleshooting.IN_ORDER not in found


@pytest.mark.parametrize("fate", sorted(why.FAILED))
def test_a_letter_that_bounced_after_all_is_no_good_one(fate: str) -> None:
    reader = letter("accepted", fate=fate)
    found = troubleshooting.reasons(reader, questions.digest.history(reader, NOW), NOW)
    assert any(f"reported as {fate}" in one for one in found)


def test_after_a_good_letter_the_reader_looks_in_the_spam_folder() -> None:
    reader = letter("accepted", fate="delivered")
    assert troubleshooting.reasons(reader, questions.digest.history(reader, NOW), NOW) == [troubleshooting.IN_ORDER]
    assert reader_acts.why_nothing_today(reader, NOW) == ""


def test_who_waits_for_a_late_edition_is_told_what_for() -> None:
    make.edition(state="collecting", papers=[make.paper("Speech")])
    reader = make.subscriber(queries=["speech"])
    later = NOW.replace(hour=10)
    assert "Today: The day's edition is not out yet; your letter waits for it." in troubleshooting.reasons(
        reader, [], later
    )


@pytest.mark.parametrize("reason", [reasons.NOTHING_NEW, reasons.TOO_LATE, reasons.EDITION_HELD])
def test_a_day_without_a_letter_has_one_reason_everywhere(reason: str) -> None:
    reader = make.subscriber("ada@example.org", queries=["speech"], next_digest_at=NOW.replace(hour=23))
    Skip.objects.create(subscriber=reader, local_date=TODAY, reason=reason, at=NOW)
    told = run("why", "ada@example.org", "--date", str(TODAY))["sentence"]
    assert reader_acts.why_nothing_today(reader, NOW) == told
    letters = questions.digest.history(reader, NOW)
    assert reasons.to_reader(told) in " ".join(troubleshooting.reasons(reader, letters, NOW))


@pytest.mark.parametrize("reason", sorted(reasons.SENTENCES))
def test_no_sentence_to_a_reader_speaks_of_a_third_person(reason: str) -> None:
    told = reasons.to_reader(reasons.sentence(reason))
    assert "this reader" not in told.lower().replace("this is a reader", "")
    assert "the reader " not in told.lower()
