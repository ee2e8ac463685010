"""What mail servers' words mean: written for each kind, and turned about."""

from __future__ import annotations

import smtplib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscriptions.mail import answers, outcomes
from subscriptions.mail.answers import Kind
from subscriptions.mail.outcomes import Outcome

SAID = {
    Kind.GONE: [
        "550 5.1.1 <ada@example.org>: Recipient address rejected: User unknown in virtual mailbox table",
        "550 5.1.1 <ada@example.org>: Recipient address rejected: User unknown in relay recipient table",
        "550 No such user here",
        "554 5.1.10 the recipient was not found in the directory",
        "550 5.1.2 unknown domain",
        "550 Host unknown",
        "550-5.1.1 The account you tried to reach does not exist. Check it for typos and try again.",
        "550 5.5.0 Requested action not taken: mailbox unavailable",
        "550 5.4.1 Recipient address rejected: Access denied",
        "551 5.1.6 the user has moved",
    ],
    Kind.REFUSED: ["550 no", "554 5.0.0 rejected", "550 5.2.1 this account is disabled", "550 mailbox inactive"],
    Kind.FULL: [
        "552 5.2.2 over quota",
        "550 the mailbox of this user is full",
        "550 5.2.0 rejected: mailbox storage exceeded",
        "552 Requested mail action aborted: exceeded storage allocation",
        "550 5.2.1 the user is receiving mail at a rate that prevents more",
    ],
    Kind.POLICY: [
        "550 5.7.1 unsolicited mail",
        "550 5.7.26 no DMARC",
        "554 5.1.1 blocked by a blocklist: user unknown",
        "550 <papers@example.org>: Sender address rejected: User unknown in local recipient table",
        "553 sender domain does not exist",
        "501 5.1.8 bad sender's system address",
        "550 5.1.0 sender rejected",
        "550 relay access denied",
        "550 no such user, rejected by policy",
        "550 5.1.1 your IP is listed in a reputation list",
    ],
    Kind.LIMIT: [
        "550 5.4.5 Daily sending quota exceeded",
        "550 5.1.90 the daily limit for recipients was reached",
        "554 5.2.0 submission quota exceeded",
        "550 You have exceeded the max emails per hour",
        "550 too many messages in this session",
        "452 too many recipients",
        "550 rate limited",
        "550 quota exceeded",
        "550 hourly limit reached",
        "550 5.7.1 message limit exceeded for your plan",
    ],
    Kind.CONTENT: ["552 5.3.4 Message size exceeds fixed limit", "554 5.6.0 bad body", "552 message too large"],
    Kind.TEMPORARY: [
        "450 4.1.1 user unknown",
        "421 4.4.2 closing",
        "451 mailbox unavailable",
        "554 5.4.6 routing loop, hop count exceeded",
        "550 host not found, try again later",
        "delivery expired (message too old)",
    ],
    Kind.UNSAID: ["", "thank you", "ada@no-such-user.example", "see https://example.org/#user-unknown"],
}
EACH = [(kind, said) for kind, lines in SAID.items() for said in lines]


@pytest.mark.parametrize(("kind", "said"), EACH)
def test_an_answer_has_its_kind(kind: Kind, said: str) -> None:
    assert answers.kind(said) is kind
    assert answers.kind(said.upper()) is kind
    assert answers.kind(said.replace(" ", "\n  ")) is kind


@pytest.mark.parametrize("quoted", ["user-unknown@example.org", "spam@policy.example", "<mailbox.full@quota.example>"])
def test_words_within_an_address_say_nothing(quoted: str) -> None:
    assert answers.kind(f"550 {quoted} no") is Kind.REFUSED


@pytest.mark.parametrize("host", ["192.5.1.1", "5.1.1.9", "[5.1.1.25]", "10.5.1.1:25"])
def test_an_ip_address_is_no_status(host: str) -> None:
    assert answers.kind(f"550 refused by {host}") is Kind.REFUSED


@pytest.mark.parametrize("other", [said for kind in (Kind.POLICY, Kind.LIMIT, Kind.FULL) for said in SAID[kind]])
def test_no_words_of_a_missing_address_outweigh_another_cause(other: str) -> None:
    assert answers.kind(f"{other} user unknown, no such mailbox", "5.1.1", failed=True) is not Kind.GONE


@pytest.mark.parametrize("said", SAID[Kind.GONE])
def test_words_alone_are_one_sign(said: str) -> None:
    bare = " ".join(word for word in said.split() if not word[0].isdigit())
    assert answers.kind(bare) is not Kind.GONE


@given(st.text(max_size=300), st.sampled_from(["", "5.1.1", "4.2.2"]), st.booleans())
def test_any_text_has_a_kind(said: str, status: str, failed: bool) -> None:
    assert answers.kind(said, status, failed=failed) in Kind


@pytest.mark.parametrize("piece", ["a.", "user ", "<a@", "a@b."])
def test_of_a_long_answer_the_beginning_is_read(piece: str) -> None:
    assert answers.kind("550 5.1.1 " + piece * 100_000 + "spam") is Kind.GONE


# -- SMTP answers ----------------------------------------------------------------------------------


def at(command: str, code: int, said: str) -> outcomes.Receipt:
    text = said.encode()
    if command == "rcpt":
        return outcomes.of_error(smtplib.SMTPRecipientsRefused({"ada@example.org": (code, text)}))
    if command == "data":
        return outcomes.of_error(smtplib.SMTPDataError(code, text))
    return outcomes.of_error(smtplib.SMTPSenderRefused(code, text, "papers@example.org"))


@pytest.mark.parametrize("command", ["mail", "rcpt", "data"])
@pytest.mark.parametrize("said", [one[4:] for one in SAID[Kind.LIMIT] if one.startswith("55")])
def test_a_limit_blocks_the_channel_whatever_command_is_answered(command: str, said: str) -> None:
    receipt = at(command, 550, said)
    assert (receipt.outcome, receipt.no_such_address) == (Outcome.BLOCKED, False)


@pytest.mark.parametrize("command", ["rcpt", "data"])
def test_a_policy_refuses_nobody_for_good(command: str) -> None:
    assert at(command, 550, "5.7.1 unsolicited mail").outcome is Outcome.POLICY_REJECTED


@pytest.mark.parametrize("command", ["rcpt", "data"])
def test_a_missing_address_is_said_at_either_command(command: str) -> None:
    receipt = at(command, 550, "5.1.1 no such user")
    assert (receipt.outcome, receipt.no_such_address) == (Outcome.REFUSED, True)


def test_what_is_said_to_the_sender_is_never_about_the_reader() -> None:
    receipt = at("mail", 550, "5.1.1 no such user")
    assert (receipt.outcome, receipt.no_such_address) == (Outcome.BLOCKED, False)


def test_a_letter_that_is_too_large_blocks_nobody_else() -> None:
    assert at("mail", 552, "5.3.4 message size exceeds fixed limit").outcome is Outcome.MESSAGE_REJECTED
    assert at("data", 552, "5.3.4 message size exceeds fixed limit").outcome is Outcome.MESSAGE_REJECTED


@pytest.mark.parametrize("command", ["mail", "rcpt", "data"])
def test_an_answer_that_passes_is_tried_again(command: str) -> None:
    assert at(command, 452, "4.5.3 too many recipients").outcome is Outcome.LATER
